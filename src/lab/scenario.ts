// A lab in killercoda's layout (https://killercoda.com/creators/docs, index.json): an introduction, steps with checks, an end.

export interface Part {
  /** `intro`, `step 1` …, `finish` */
  name: string;
  title: string;
  /** Files beside index.json; null: the part has none. */
  text: string | null;
  /** Runs while the text is read. */
  background: string | null;
  /** Runs in the reader's terminal before anything else. */
  foreground: string | null;
  /** Ends with 0 when the step is done. */
  verify: string | null;
}

export interface Scenario {
  title: string;
  description: string;
  /** The machines of its environment, the control plane first; null: it names none that is a cluster. */
  machines: string[] | null;
  parts: Part[];
}

const text = (x: unknown): string | null => (typeof x === 'string' && x !== '' ? x : null);

function partOf(name: string, raw: unknown): Part {
  const o = (raw ?? {}) as Record<string, unknown>;
  return {
    name,
    title: text(o.title) ?? name,
    text: text(o.text),
    // Older labs say `courseData` and `code`.
    background: text(o.background) ?? text(o.courseData),
    foreground: text(o.foreground) ?? text(o.code),
    verify: text(o.verify),
  };
}

/** killercoda's environments (`backend.imageid`) with kubeadm's cluster, on one machine or two. */
function machinesOf(imageid: unknown): string[] | null {
  if (typeof imageid !== 'string' || !imageid.startsWith('kubernetes-kubeadm-')) return null;
  return imageid.endsWith('-2nodes') ? ['controlplane', 'node01'] : ['controlplane'];
}

/** -> a text: what is wrong with the file */
export function parseScenario(json: string): Scenario | string {
  let raw: any;
  try {
    raw = JSON.parse(json);
  } catch (e) {
    return (e as Error).message;
  }
  const details = raw?.details;
  if (typeof details !== 'object' || details === null) return 'there is no "details" in it';
  if (details.steps !== undefined && !Array.isArray(details.steps)) return '"details.steps" is no list';
  const parts = [
    ...(details.intro ? [partOf('intro', details.intro)] : []),
    ...(details.steps ?? []).map((s: unknown, i: number) => partOf(`step ${i + 1}`, s)),
    ...(details.finish ? [partOf('finish', details.finish)] : []),
  ];
  if (!parts.length) return 'it has no steps';
  return { title: text(raw.title) ?? 'lab', description: text(raw.description) ?? '', machines: machinesOf(raw.backend?.imageid), parts };
}

export interface Outcome {
  name: string;
  seconds: number;
  /** null: passed; '' and more: what the check said. */
  failure: string | null;
  /** There was nothing to check. */
  skipped: boolean;
}

const escapeXml = (s: string): string =>
  s
    .replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '');

/** JUnit's XML: one suite, a case for each part. */
export function junit(title: string, outcomes: Outcome[]): string {
  const count = (f: (o: Outcome) => boolean) => outcomes.filter(f).length;
  const seconds = (n: number) => n.toFixed(3);
  const total = outcomes.reduce((n, o) => n + o.seconds, 0);
  const cases = outcomes.map(o => {
    const head = `    <testcase classname="${escapeXml(title)}" name="${escapeXml(o.name)}" time="${seconds(o.seconds)}"`;
    if (o.failure !== null)
      return `${head}>\n      <failure message="the check failed">${escapeXml(o.failure)}</failure>\n    </testcase>\n`;
    return o.skipped ? `${head}>\n      <skipped/>\n    </testcase>\n` : `${head}/>\n`;
  });
  const sums = `tests="${outcomes.length}" failures="${count(o => o.failure !== null)}" skipped="${count(o => o.skipped)}" time="${seconds(total)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite name="${escapeXml(title)}" ${sums}>\n${cases.join('')}  </testsuite>\n</testsuites>\n`;
}

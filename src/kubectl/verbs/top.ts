// kubectl top (k8s.io/kubectl v0.36.3, pkg/cmd/top and pkg/metricsutil).
import { parseQuantity } from '../../apiserver/quantity.ts';
import type { KubeList, KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { bool, type Cmd, connect, err, flag, out, request, usageError } from '../command.ts';
import { fail } from '../failure.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';

const GROUP = { group: 'metrics.k8s.io', version: 'v1beta1' };
/** A pod younger than this may have no metrics yet. */
const DELAY_MS = 120_000;
const MI = 1024n * 1024n;
const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;

interface Usage {
  /** In 10⁻⁹ of a core and of a byte. */
  cpu: bigint;
  memory: bigint;
}

const nano = (text: unknown): bigint => {
  const q = parseQuantity(String(text ?? '0'));
  return typeof q === 'string' ? 0n : q.nano;
};
const usageOf = (u: any): Usage => ({ cpu: nano(u?.cpu), memory: nano(u?.memory) });
const sum = (all: Usage[]): Usage => all.reduce((a, b) => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory }), { cpu: 0n, memory: 0n });
/** Quantity.MilliValue rounds up. */
const millicores = (u: Usage) => `${(u.cpu + MILLI - 1n) / MILLI}m`;
const mebibytes = (u: Usage) => `${u.memory / NANO / MI}Mi`;
const percent = (used: bigint, all: bigint) => `${all ? (used * 100n) / all : 0n}%`;

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length > 1) usageError(cmd, 'pod [NAME | -l label]');
  const pods = cmd.path.endsWith('pod');
  const sort = flag(cmd, 'sort-by');
  if (sort && sort !== 'cpu' && sort !== 'memory') fail('--sort-by accepts only cpu or memory');
  if (cmd.args.length && (flag(cmd, 'selector') || flag(cmd, 'field-selector')))
    fail(`only one of NAME or ${pods ? '' : '--'}selector can be provided`);
  if (
    !connect(cmd)
      .resources()
      .some(r => r.group === GROUP.group)
  )
    return fail('Metrics API not available');
  return pods ? topPods(cmd) : topNodes(cmd);
}

function metricsOf(cmd: Cmd, resource: string, namespace: string | undefined): KubeObject[] {
  const [name] = cmd.args;
  if (name) return [request<KubeObject>(cmd, { verb: 'get', ...GROUP, resource, namespace, name })];
  const query = { labelSelector: flag(cmd, 'selector'), fieldSelector: flag(cmd, 'field-selector') };
  return request<KubeList>(cmd, { verb: 'list', ...GROUP, resource, namespace, query }).items;
}

/** The greatest first; otherwise by namespace and name. */
function sorted<T>(cmd: Cmd, rows: T[], usage: (row: T) => Usage, name: (row: T) => string): T[] {
  const by = flag(cmd, 'sort-by') as keyof Usage | '';
  return [...rows].sort((a, b) => {
    if (by) {
      const [x, y] = [usage(a)[by], usage(b)[by]];
      if (x !== y) return x > y ? -1 : 1;
    }
    return name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0;
  });
}

function topNodes(cmd: Cmd): number {
  const metrics = metricsOf(cmd, 'nodes', undefined);
  if (!metrics.length) return fail('metrics not available yet');
  const core = { group: '', version: 'v1', resource: 'nodes' };
  const query = { labelSelector: flag(cmd, 'selector') };
  const nodes = cmd.args.length
    ? [request<KubeObject>(cmd, { verb: 'get', ...core, name: cmd.args[0] })]
    : request<KubeList>(cmd, { verb: 'list', ...core, query }).items;
  const field = bool(cmd, 'show-capacity') ? 'capacity' : 'allocatable';
  const available = new Map(nodes.map(n => [n.metadata.name, usageOf(n.status?.[field])]));
  const lines: string[][] = [];
  if (!bool(cmd, 'no-headers')) lines.push(['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)', '']);
  for (const m of sorted(
    cmd,
    metrics,
    x => usageOf(x.usage),
    x => x.metadata.name,
  )) {
    const used = usageOf(m.usage);
    const all = available.get(m.metadata.name);
    available.delete(m.metadata.name);
    const cells = [m.metadata.name, millicores(used)];
    if (all) cells.push(percent(used.cpu, all.cpu));
    cells.push(mebibytes(used));
    if (all) cells.push(percent(used.memory, all.memory));
    lines.push([...cells, '']);
  }
  for (const name of available.keys()) lines.push([name, '<unknown>', '<unknown>', '<unknown>', '<unknown>', '']);
  out(cmd, alignRows(newTableWriter(), lines));
  return 0;
}

function topPods(cmd: Cmd): number {
  const all = bool(cmd, 'all-namespaces');
  const namespace = all ? undefined : cmd.namespace;
  const metrics = metricsOf(cmd, 'pods', namespace);
  if (!metrics.length) {
    const found = podsWithout(cmd, namespace);
    if (found.length) return fail('metrics not available yet');
    err(cmd, all ? 'No resources found\n' : `No resources found in ${cmd.namespace} namespace.\n`);
    return 0;
  }
  const containers = bool(cmd, 'containers');
  const head = [...(all ? ['NAMESPACE'] : []), ...(containers ? ['POD'] : []), 'NAME', 'CPU(cores)', 'MEMORY(bytes)', ''];
  const width = head.length - 1;
  const lines: string[][] = bool(cmd, 'no-headers') ? [] : [head];
  const total = (m: KubeObject) => sum(m.containers.map((c: any) => usageOf(c.usage)));
  const place = (m: KubeObject) => (all ? [m.metadata.namespace ?? ''] : []);
  for (const m of sorted(cmd, metrics, total, x => `${x.metadata.namespace}\0${x.metadata.name}`)) {
    if (!containers) {
      lines.push([...place(m), m.metadata.name, millicores(total(m)), mebibytes(total(m)), '']);
      continue;
    }
    const rows: any[] = sorted(
      cmd,
      m.containers as any[],
      c => usageOf(c.usage),
      c => c.name,
    );
    for (const c of rows) {
      const used = usageOf(c.usage);
      lines.push([...place(m), m.metadata.name, c.name, millicores(used), mebibytes(used), '']);
    }
  }
  if (bool(cmd, 'sum')) {
    const used = sum(metrics.map(total));
    const blank = (n: number) => Array.from({ length: Math.max(0, n) }, () => '');
    lines.push([...blank(width - 2), '________', '________', ''], [...blank(width - 3), '', millicores(used), mebibytes(used), '']);
  }
  out(cmd, alignRows(newTableWriter(), lines));
  return 0;
}

/** Pods that should have been there; one that is old enough to have metrics is a failure of its own. */
function podsWithout(cmd: Cmd, namespace: string | undefined): KubeObject[] {
  const query = { labelSelector: flag(cmd, 'selector'), fieldSelector: flag(cmd, 'field-selector') };
  const pods = request<KubeList>(cmd, { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace, query }).items;
  for (const p of pods) {
    const ageMs = cmd.host.sim.nowMs - (parseRfc3339(p.metadata.creationTimestamp ?? '') ?? 0);
    if (ageMs > DELAY_MS) fail(`Metrics not available for pod ${p.metadata.namespace}/${p.metadata.name}, age: ${goDuration(ageMs)}`);
  }
  return pods;
}

/** time.Duration's String. */
function goDuration(ms: number): string {
  const seconds = ms / 1000;
  const [h, m] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const s = `${Number((seconds % 60).toFixed(6))}s`;
  return h ? `${h}h${m}m${s}` : m ? `${m}m${s}` : s;
}

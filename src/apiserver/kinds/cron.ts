// What robfig/cron v3's standard parser says of a schedule (github.com/robfig/cron/v3 parser.go).

const FIELDS: { min: number; max: number; names: string[] }[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

function parseInt10(text: string): number | string {
  if (!/^[+-]?\d+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
  const n = Number(text);
  return n < 0 ? `negative number (${n}) not allowed: ${text}` : n;
}

function rangeError(text: string, f: (typeof FIELDS)[number]): string | null {
  const slash = text.split('/');
  const hyphen = slash[0].split('-');
  const value = (s: string): number | string => {
    const i = s ? f.names.indexOf(s.toLowerCase()) : -1;
    return i >= 0 ? i : parseInt10(s);
  };
  let start: number | string;
  let end: number | string;
  const single = hyphen.length === 1;
  if (hyphen[0] === '*' || hyphen[0] === '?') {
    start = f.min;
    end = f.max;
  } else {
    start = value(hyphen[0]);
    if (typeof start === 'string') return start;
    if (single) end = start;
    else if (hyphen.length === 2) end = value(hyphen[1]);
    else return `too many hyphens: ${text}`;
    if (typeof end === 'string') return end;
  }
  let step = 1;
  if (slash.length === 2) {
    const n = parseInt10(slash[1]);
    if (typeof n === 'string') return n;
    step = n;
    if (single) end = f.max;
  } else if (slash.length > 2) return `too many slashes: ${text}`;
  if ((start as number) < f.min) return `beginning of range (${start}) below minimum (${f.min}): ${text}`;
  if ((end as number) > f.max) return `end of range (${end}) above maximum (${f.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : null;
}

/** null: the schedule is one. */
export function cronError(schedule: string): string | null {
  if (!schedule) return 'empty spec string';
  let text = schedule;
  const zone = /^(?:TZ|CRON_TZ)=\S*\s*/.exec(text);
  if (zone) text = text.slice(zone[0].length);
  if (text.startsWith('@')) {
    if (DESCRIPTORS.includes(text)) return null;
    if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`;
    const every = text.slice(7);
    if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(every)) return null;
    return `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(every)}`;
  }
  const parts = text.split(/\s+/).filter(Boolean);
  if (parts.length !== 5) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`;
  for (const [i, part] of parts.entries()) {
    for (const one of part.split(',').filter(Boolean)) {
      const why = rangeError(one, FIELDS[i]);
      if (why) return why;
    }
  }
  return null;
}

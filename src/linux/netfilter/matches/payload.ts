// set, string, u32, time (libxt_set.c, libxt_string.c, libxt_u32.c, libxt_time.c 1.8.9).
import { civilTime, parseRfc3339, rfc3339 } from '../../../sim/time.ts';
import { packetBytes } from '../bytes.ts';
import { setMatches } from '../ipset-match.ts';
import { type Option, type ParseContext, type Problem, parseUint, usage } from '../values.ts';
import { always, type Built, bang, last, type MatchRow } from './row.ts';

export function parseDirections(text: string): boolean[] | Problem {
  const out: boolean[] = [];
  for (const word of text.split(',')) {
    if (word !== 'src' && word !== 'dst') return usage("You must spefify (the comma separated list of) 'src' or 'dst'.");
    out.push(word === 'src');
  }
  return out;
}

function buildSet(options: Option[], c: ParseContext): Built | Problem {
  const o = last(options, '--match-set');
  if (!o) return usage("You must specify `--match-set' with proper arguments");
  if (!o.value2) return usage('--match-set requires two args.');
  if (!c.trusted && !c.ns.netfilter.ipsets.has(o.value)) return usage(`Set ${o.value} doesn't exist.\n`);
  const dirs = parseDirections(o.value2);
  if (!Array.isArray(dirs)) return dirs;
  const nomatch = last(options, '--return-nomatch') !== undefined;
  const name = o.value;
  const flags = options
    .filter(x => x.name !== '--match-set')
    .map(x => `${bang(x)} ${x.name}${x.value ? ` ${x.value}` : ''}`)
    .join('');
  const text = `${name} ${o.value2}`;
  return {
    test: (skb, ctx) => setMatches(ctx.netns, name, skb, dirs, nomatch, ctx) !== o.invert,
    save: `${bang(o)} --match-set ${text}${flags}`,
    list: always(`${bang(o)} match-set ${text}${flags.replaceAll(' --', ' ')}`),
    sets: [name],
  };
}

function unhex(text: string): Uint8Array | null {
  const out: number[] = [];
  let at = 0;
  let inHex = false;
  while (at < text.length) {
    if (text[at] === '|') {
      inHex = !inHex;
      at++;
    } else if (inHex) {
      if (text[at] === ' ') {
        at++;
        continue;
      }
      const byte = text.slice(at, at + 2);
      if (!/^[0-9a-f]{2}$/i.test(byte)) return null;
      out.push(Number.parseInt(byte, 16));
      at += 2;
    } else out.push(text.charCodeAt(at++) & 255);
  }
  return inHex ? null : Uint8Array.from(out);
}

function buildString(options: Option[]): Built | Problem {
  const plain = last(options, '--string');
  const hexed = last(options, '--hex-string');
  const o = plain ?? hexed;
  if (!o) return usage("STRING match: You must specify `--string' or `--hex-string'");
  const algo = last(options, '--algo');
  if (!algo) return usage("STRING match: You must specify `--algo'");
  if (!['bm', 'kmp', 'fsm'].includes(algo.value)) return usage(`string: Bad value for "--algo" option: "${algo.value}"`);
  const pattern = plain ? Uint8Array.from(plain.value, ch => ch.charCodeAt(0) & 255) : unhex(o.value);
  if (!pattern) return usage('STRING: invalid hex block');
  const from = parseUint(last(options, '--from')?.value ?? '0', 0, 65535);
  const to = parseUint(last(options, '--to')?.value ?? '65535', 0, 65535);
  if (from === null || to === null) return usage('string: bad value for option "--from", or out of range (0-65535).');
  const icase = last(options, '--icase') !== undefined;
  const fold = (b: number) => (icase && b >= 65 && b <= 90 ? b + 32 : b);
  const printable = pattern.every(b => b >= 32 && b < 127);
  const hexText = `|${Array.from(pattern, b => b.toString(16).padStart(2, '0')).join('')}|`;
  const tail = (dashes: string) =>
    `${from ? ` ${dashes}from ${from}` : ''}${to === 65535 ? '' : ` ${dashes}to ${to}`}${icase ? ` ${dashes}icase` : ''}`;
  const shown = printable
    ? `"${Array.from(pattern, b => String.fromCharCode(b))
        .join('')
        .replace(/["\\]/g, '\\$&')}"`
    : `"${hexText}"`;
  return {
    test: skb => {
      const bytes = packetBytes(skb.packet);
      for (let at = from; at <= Math.min(to, bytes.length - pattern.length); at++) {
        let i = 0;
        while (i < pattern.length && fold(bytes[at + i]) === fold(pattern[i])) i++;
        if (i === pattern.length) return !o.invert;
      }
      return o.invert;
    },
    save: `${bang(o)} --${printable ? 'string' : 'hex-string'} ${shown} --algo ${algo.value}${tail('--')}`,
    list: always(` STRING match ${o.invert ? '!' : ''} ${shown} ALGO name ${algo.value}${tail('').toUpperCase()}`),
  };
}

interface U32Test {
  start: number;
  ops: [string, number][];
  ranges: [number, number][];
}

function parseU32(text: string): U32Test[] | null {
  const out: U32Test[] = [];
  for (const part of text.replaceAll(' ', '').split('&&')) {
    const m = /^([^=]+)=(.+)$/.exec(part);
    const words = m ? /^(0x[0-9a-fA-F]+|\d+)((?:(?:&|<<|>>|@)(?:0x[0-9a-fA-F]+|\d+))*)$/.exec(m[1]) : null;
    if (!m || !words) return null;
    const ops = [...words[2].matchAll(/(&|<<|>>|@)(0x[0-9a-fA-F]+|\d+)/g)].map(x => [x[1], Number(x[2])] as [string, number]);
    const ranges: [number, number][] = [];
    for (const range of m[2].split(',')) {
      const [a, b] = range.split(':').map(Number);
      if (Number.isNaN(a) || Number.isNaN(b)) return null;
      ranges.push([a, b ?? a]);
    }
    out.push({ start: Number(words[1]), ops, ranges });
  }
  return out;
}

function u32Holds(t: U32Test, bytes: Uint8Array): boolean {
  let base = 0;
  const read = (at: number) =>
    at + 4 > bytes.length ? null : ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  let value = read(t.start);
  for (const [op, n] of t.ops) {
    if (value === null) return false;
    if (op === '&') value = (value & n) >>> 0;
    else if (op === '<<') value = (value << n) >>> 0;
    else if (op === '>>') value >>>= n;
    else {
      base += value;
      value = read(base + n);
    }
  }
  return value !== null && t.ranges.some(([a, b]) => (value as number) >= a && (value as number) <= b);
}

function buildU32(options: Option[]): Built | Problem {
  const o = last(options, '--u32');
  if (!o) return usage('u32: option "--u32" must be specified');
  const tests = parseU32(o.value);
  if (!tests) return usage(`u32: Bad value for "--u32" option: "${o.value}"`);
  const h = (n: number) => `0x${n.toString(16)}`;
  const text = tests
    .map(
      t =>
        `${h(t.start)}${t.ops.map(([op, n]) => op + h(n)).join('')}=${t.ranges.map(([a, b]) => (a === b ? h(a) : `${h(a)}:${h(b)}`)).join(',')}`,
    )
    .join('&&');
  return {
    test: skb => {
      const bytes = packetBytes(skb.packet);
      return tests.every(t => u32Holds(t, bytes)) !== o.invert;
    },
    save: `${bang(o)} --u32 "${text}"`,
    list: always(` u32${bang(o)} "${text}"`),
  };
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Days by name, two letters or more, or by number from Monday. null: one is none. */
function weekdays(text: string): string[] | null {
  const out = text.split(',').map(w => {
    if (/^[1-7]$/.test(w)) return DAYS[Number(w) - 1];
    return w.length > 1 ? DAYS.find(d => d.toLowerCase().startsWith(w.slice(0, 3).toLowerCase())) : undefined;
  });
  return out.every(d => d !== undefined) ? out : null;
}

function clock(text: string): number | null {
  const m = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(text);
  if (!m || Number(m[1]) > 23 || Number(m[2]) > 59 || Number(m[3] ?? 0) > 59) return null;
  return Number(m[1]) * 3600 + Number(m[2]) * 60 + Number(m[3] ?? 0);
}

const clockText = (s: number) => [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map(n => String(n).padStart(2, '0')).join(':');

function date(text: string): number | null {
  const m = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d))?)?)?)?)?$/.exec(text);
  return m ? parseRfc3339(`${m[1]}-${m[2] ?? '01'}-${m[3] ?? '01'}T${m[4] ?? '00'}:${m[5] ?? '00'}:${m[6] ?? '00'}Z`) : null;
}

const LAST_DATE = 0x7fffffff * 1000;

function buildTime(options: Option[]): Built | Problem {
  const start = clock(last(options, '--timestart')?.value ?? '00:00');
  const stopOption = last(options, '--timestop');
  const stop = stopOption ? clock(stopOption.value) : 86_399;
  if (start === null || stop === null)
    return usage(`invalid time "${(start === null ? last(options, '--timestart') : stopOption)?.value}" specified`);
  const days = last(options, '--weekdays');
  const named = days ? weekdays(days.value) : DAYS;
  if (!named) return usage(`Unknown week day "${days?.value}" specified`);
  // What is excepted is kept, and printed, as the other days.
  const wanted = days?.invert ? DAYS.filter(d => !named.includes(d)) : named;
  const monthdays = last(options, '--monthdays');
  const months = monthdays ? monthdays.value.split(',').map(Number) : null;
  const dateStart = date(last(options, '--datestart')?.value ?? '1970');
  const dateStop = last(options, '--datestop') ? date(last(options, '--datestop')?.value ?? '') : LAST_DATE;
  if (dateStart === null || dateStop === null) return usage('invalid date specified');
  const contiguous = last(options, '--contiguous') !== undefined;
  const kerneltz = last(options, '--kerneltz') !== undefined;
  const dayNames = DAYS.filter(d => wanted.includes(d)).join(',');
  const hours = start !== 0 || stop !== 86_399;
  const iso = (ms: number) => rfc3339(ms).slice(0, -1);
  const dates =
    (dateStart === 0 ? '' : ` --datestart ${iso(dateStart)}`) +
    (stopOption || dateStop !== LAST_DATE || hours || days || months ? ` --datestop ${iso(dateStop)}` : ` --datestop ${iso(dateStop)}`); // prettier-ignore
  return {
    test: (_skb, ctx) => {
      const now = ctx.netns.kernel.sim.nowMs;
      if (now < dateStart || now > dateStop) return false;
      const t = civilTime(now);
      const second = t.hour * 3600 + t.minute * 60 + t.second;
      if (start <= stop ? second < start || second > stop : second < start && second > stop) return false;
      if (!wanted.includes(DAYS[(t.weekday + 6) % 7])) return false;
      return !(months && monthdays && months.includes(t.day) === monthdays.invert);
    },
    save:
      (hours ? ` --timestart ${clockText(start)} --timestop ${clockText(stop)}` : '') +
      (monthdays && months ? `${bang(monthdays)} --monthdays ${months.join(',')}` : '') +
      (days ? ` --weekdays ${dayNames}` : '') +
      dates +
      (kerneltz ? ' --kerneltz' : '') +
      (contiguous ? ' --contiguous' : ''),
    list: always(
      ` TIME${hours ? ` from ${clockText(start)} to ${clockText(stop)}` : ''}${days ? ` on ${dayNames}` : ''}` +
        `${months && monthdays ? `${monthdays.invert ? ' !' : ''} on ${months.join(',')}` : ''}` +
        `${dateStart ? ` starting from ${iso(dateStart).replace('T', ' ')}` : ''}${dateStop === LAST_DATE ? '' : ` until date ${iso(dateStop).replace('T', ' ')}`}` +
        `${kerneltz ? '' : ' UTC'}${contiguous ? ' contiguous' : ''}`,
    ),
  };
}

export const PAYLOAD_MATCHES: MatchRow[] = [
  {
    name: 'set',
    options: {
      '--match-set': 2,
      '--return-nomatch': 0,
      '--update-counters': 0,
      '--update-subcounters': 0,
      '--packets-eq': 1,
      '--packets-lt': 1,
      '--packets-gt': 1,
      '--bytes-eq': 1,
      '--bytes-lt': 1,
      '--bytes-gt': 1,
    },
    build: buildSet,
  },
  { name: 'string', options: { '--string': 1, '--hex-string': 1, '--algo': 1, '--from': 1, '--to': 1, '--icase': 0 }, build: buildString },
  { name: 'u32', options: { '--u32': 1 }, build: buildU32 },
  {
    name: 'time',
    options: {
      '--timestart': 1,
      '--timestop': 1,
      '--datestart': 1,
      '--datestop': 1,
      '--weekdays': 1,
      '--monthdays': 1,
      '--kerneltz': 0,
      '--contiguous': 0,
      '--utc': 0,
    },
    build: buildTime,
  },
];

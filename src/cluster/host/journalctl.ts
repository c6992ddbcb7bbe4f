// journalctl on a node: what the units wrote, by unit, number of lines and time (systemd 252).
import { getObject } from '../../apiserver/store.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { parseRfc3339, rfc3339Micro } from '../../sim/time.ts';
import type { NodeRuntime } from '../types.ts';
import type { JournalLine } from './state.ts';
import { syslogTime, systemdTime } from './time-text.ts';

interface Options {
  units: string[];
  lines: number | null;
  sinceMs: number;
  untilMs: number;
  grep: RegExp | null;
  follow: boolean;
  reverse: boolean;
  /** Lines of this priority and more urgent ones. */
  priority: number;
  hostname: boolean;
  /** A key of STAMPS, or `cat`. */
  output: string;
}

export function journalctl(node: NodeRuntime): Program {
  return function* (p) {
    const o = parse(node, p);
    if (typeof o === 'string') {
      complain(p, o);
      return 1;
    }
    if (o.lines === -1) return 0;
    const lines = select(node, o);
    if (!lines.length && !o.follow) {
      print(p, '-- No entries --\n');
      return 0;
    }
    for (const l of o.reverse ? lines.reverse() : lines) print(p, text(node, l, o));
    if (o.follow) yield* follow(node, p, o);
    return 0;
  };
}

const text = (node: NodeRuntime, l: JournalLine, o: Options): string =>
  o.output === 'cat' ? `${l.text}\n` : `${STAMPS[o.output](l.atMs)} ${o.hostname ? `${node.spec.name} ` : ''}${l.by}: ${l.text}\n`;

const iso = (ms: number) => rfc3339Micro(ms).replace(/\.\d+Z$/, '+0000');
const micro = (ms: number) => /\.(\d+)Z$/.exec(rfc3339Micro(ms))?.[1] ?? '000000';

/** -o: how a line's time is written. */
const STAMPS: Record<string, (ms: number) => string> = {
  short: syslogTime,
  'short-full': systemdTime,
  'short-iso': iso,
  'short-iso-precise': ms => rfc3339Micro(ms).replace('Z', '+0000'),
  'short-precise': ms => `${syslogTime(ms)}.${micro(ms)}`,
  'short-unix': ms => `${Math.floor(ms / 1000)}.${micro(ms)}`,
};
const UNMODELLED = ['json', 'json-pretty', 'json-sse', 'json-seq', 'verbose', 'export', 'short-monotonic', 'short-delta', 'with-unit'];

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** What a service writes to its output is info, whatever it says; systemd tells failures with more weight (src/core/unit.c, service.c). */
function priorityOf(l: JournalLine): number {
  if (l.by.startsWith('(')) return 3;
  if (!l.by.startsWith('systemd[')) return 6;
  if (/Failed with result/.test(l.text)) return 4;
  return /Main process exited/.test(l.text) ? 5 : 6;
}

function priority(text: string): number | null {
  const at = (name: string) =>
    /^[0-7]$/.test(name) ? Number(name) : PRIORITIES.indexOf(name === 'error' ? 'err' : name === 'warn' ? 'warning' : name);
  const ends = text.split('..').map(at);
  return ends.includes(-1) ? null : Math.max(...ends);
}

const matches = (l: JournalLine, o: Options): boolean =>
  priorityOf(l) <= o.priority &&
  (!o.units.length || o.units.includes(l.unit)) &&
  l.atMs >= o.sinceMs &&
  l.atMs <= o.untilMs &&
  (!o.grep || o.grep.test(l.text));

function select(node: NodeRuntime, o: Options): JournalLine[] {
  const all = node.host.journal.filter(l => matches(l, o));
  const count = o.lines ?? (o.follow ? 10 : null);
  return count === null ? all : count ? all.slice(-count) : [];
}

function* follow(node: NodeRuntime, p: Process, o: Options): Co<void> {
  let seen = node.host.journal.at(-1);
  for (;;) {
    yield* waitOn(p.kernel.sim, [], 500);
    const at = seen ? node.host.journal.lastIndexOf(seen) : -1;
    for (const l of node.host.journal.slice(at + 1)) if (matches(l, o)) print(p, text(node, l, o));
    seen = node.host.journal.at(-1);
  }
}

const TAKES = new Set([
  '-u',
  '--unit',
  '-n',
  '--lines',
  '-S',
  '--since',
  '-U',
  '--until',
  '-g',
  '--grep',
  '-o',
  '--output',
  '-t',
  '--identifier',
  '-p',
  '--priority',
]);

function parse(node: NodeRuntime, p: Process): Options | string {
  const o: Options = {
    units: [],
    lines: null,
    sinceMs: 0,
    untilMs: Number.POSITIVE_INFINITY,
    grep: null,
    follow: false,
    reverse: false,
    priority: 7,
    hostname: true,
    output: 'short',
  };
  const now = node.engine.server.sim.nowMs;
  const words = p.argv.slice(1).flatMap(w => {
    if (/^--[a-z-]+=/.test(w)) return [w.slice(0, w.indexOf('=')), w.slice(w.indexOf('=') + 1)];
    // Short options together: -xeu kubelet, -n5, -fu kubelet.
    if (/^-[a-z][a-z0-9]+/i.test(w)) {
      const out: string[] = [];
      for (let i = 1; i < w.length; i++) {
        const flag = `-${w[i]}`;
        out.push(flag);
        if (TAKES.has(flag) && i + 1 < w.length) {
          out.push(w.slice(i + 1));
          break;
        }
      }
      return out;
    }
    return [w];
  });
  for (let i = 0; i < words.length; i++) {
    const flag = words[i];
    if (/^(-n|--lines)$/.test(flag) && !/^(\d+|all)$/.test(words[i + 1] ?? '')) {
      o.lines = 10;
      continue;
    }
    if (/^(-b|--boot)$/.test(flag) && /^[-+]?\d+$/.test(words[i + 1] ?? '')) {
      if (Number(words[++i]) !== 0 && words[i] !== '1')
        return `Specifying boot ID or boot offset has no effect, no persistent journal was found.\n`;
      continue;
    }
    const value = TAKES.has(flag) ? words[++i] : '';
    if (value === undefined) return `journalctl: option requires an argument -- '${flag.replace(/^-+/, '')}'\n`;
    switch (flag) {
      case '-u':
      case '--unit':
      case '-t':
      case '--identifier':
        o.units.push(value.replace(/\.service$/, ''));
        break;
      case '-n':
      case '--lines':
        o.lines = value === 'all' ? null : Number(value);
        break;
      case '-S':
      case '--since':
      case '-U':
      case '--until': {
        const at = timeOf(value, now);
        if (at === null) return `Failed to parse timestamp: ${value}\n`;
        if (flag === '-S' || flag === '--since') o.sinceMs = at;
        else o.untilMs = at;
        break;
      }
      case '-g':
      case '--grep':
        o.grep = new RegExp(value, /[A-Z]/.test(value) ? '' : 'i');
        break;
      case '-o':
      case '--output':
        if (UNMODELLED.includes(value)) return `podnet: journalctl -o ${value} is not modelled\n`;
        if (value !== 'cat' && !STAMPS[value]) return `Unknown output format '${value}'.\n`;
        o.output = value;
        break;
      case '-f':
      case '--follow':
        o.follow = true;
        break;
      case '-r':
      case '--reverse':
        o.reverse = true;
        break;
      case '-p':
      case '--priority': {
        const level = priority(value);
        if (level === null) return `Unknown log level ${value}\n`;
        o.priority = level;
        break;
      }
      case '--no-hostname':
        o.hostname = false;
        break;
      case '--list-boots':
        print(p, bootList(node));
        return { ...o, lines: -1 };
      case '--disk-usage':
        return 'podnet: journalctl --disk-usage is not modelled: the journal here is no file\n';
      case '--flush':
      case '--rotate':
      case '--sync':
      case '--vacuum-time':
      case '--vacuum-size':
        return { ...o, lines: -1 };
      case '-e':
      case '--pager-end':
        o.lines ??= 1000;
        break;
      case '-x':
      case '-l':
      case '-a':
      case '-q':
      case '-b':
      case '--no-pager':
      case '--catalog':
      case '--full':
      case '--all':
      case '--quiet':
      case '--boot':
        break;
      case '-k':
      case '--dmesg':
        return 'podnet: the kernel writes no log here\n';
      default:
        return flag.startsWith('-') ? `journalctl: unrecognized option '${flag}'\n` : `Failed to add match '${flag}': Invalid argument\n`;
    }
  }
  return o;
}

/** The one boot that the journal knows. */
function bootList(node: NodeRuntime): string {
  const { journal } = node.host;
  const [first, last] = [journal[0]?.atMs ?? 0, journal.at(-1)?.atMs ?? 0];
  const id = getObject(node.engine.server, 'nodes', '', node.spec.name)?.status?.nodeInfo?.bootID ?? '';
  return `IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n  0 ${id.replace(/-/g, '')} ${systemdTime(first)} ${systemdTime(last)}\n`;
}

const SPAN: Record<string, number> = {
  s: 1000,
  sec: 1000,
  second: 1000,
  m: 60_000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
};

/** `5 minutes ago`, `-1h`, `today`, `2026-11-21 18:00:00`. */
function timeOf(word: string, now: number): number | null {
  if (word === 'now') return now;
  const midnight = now - (now % 86_400_000);
  if (word === 'today') return midnight;
  if (word === 'yesterday') return midnight - 86_400_000;
  const span = /^-?\s*(\d+)\s*([a-z]+?)s?(\s+ago)?$/.exec(word);
  if (span && (SPAN[span[2]] ?? SPAN[`${span[2]}s`])) return now - Number(span[1]) * (SPAN[span[2]] ?? 1000);
  const date = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(?::(\d\d))?)?$/.exec(word);
  if (date) return parseRfc3339(`${date[1]}T${date[2] ?? '00:00'}:${date[3] ?? '00'}Z`) ?? null;
  const clock = /^(\d\d:\d\d)(?::(\d\d))?$/.exec(word);
  return clock ? midnight + (parseRfc3339(`1970-01-01T${clock[1]}:${clock[2] ?? '00'}Z`) ?? 0) : null;
}

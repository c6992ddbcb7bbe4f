// mtr 0.95: the report in its forms (plain, wide, CSV, JSON, raw); the interactive screen is not modelled.

import { complain, print, sleep } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { rfc3339 } from '../../sim/time.ts';
import { type Family, formatIp, type Ip } from '../../wire/ip.ts';
import { getopt, type Options, optionValue } from '../busybox.ts';
import { hostnameOf } from '../servers/daemon.ts';
import type { Userland } from '../userland.ts';
import { type Method, probeOnce } from './probe.ts';
import { gaiStrerror, getaddrinfo, getnameinfo, sourceFor } from './resolver.ts';
import { MTR_USAGE } from './usage/mtr.ts';

interface MtrHop {
  from: Ip | null;
  sent: number;
  times: number[];
}

const LONG: Record<string, string> = {
  help: 'h',
  version: 'v',
  report: 'r',
  'report-wide': 'w',
  'report-cycles=': 'c',
  json: 'j',
  xml: 'x',
  csv: 'C',
  raw: 'l',
  split: 'p',
  'no-dns': 'n',
  'show-ips': 'b',
  'order=': 'o',
  'ipinfo=': 'y',
  aslookup: 'z',
  'first-ttl=': 'f',
  'max-ttl=': 'm',
  'max-unknown=': 'U',
  udp: 'u',
  tcp: 'T',
  'port=': 'P',
  'localport=': 'L',
  'interface=': 'I',
  'address=': 'a',
  'psize=': 's',
  'bitpattern=': 'B',
  'interval=': 'i',
  'gracetime=': 'G',
  'tos=': 'Q',
  mpls: 'e',
  'timeout=': 'Z',
  'mark=': 'M',
  'filename=': 'F',
  displaymode: 'd',
  inet: '4',
  inet6: '6',
};

const REPORTS: Record<string, (t: Report) => Co<string>> = { C: csv, j: json, r: plain, w: plain, l: raw };

export const mtr = (u: Userland): Program =>
  function* mtr(p: Process): Co<number> {
    const o = getopt(p.argv.slice(1), 'hv46F:reltTgxpuwjCnbo:y:zi:c:s:B:Q:f:m:U:P:L:I:a:G:Z:M:d:', LONG);
    if (o.error) {
      complain(p, `mtr: ${o.error}\n${MTR_USAGE}`);
      return 1;
    }
    if (o.flags.has('h') || o.flags.has('v')) {
      print(p, o.flags.has('h') ? MTR_USAGE : 'mtr 0.95\n');
      return 0;
    }
    const bad = refusal(o);
    if (bad) {
      complain(p, `mtr: ${bad}\n`);
      return 1;
    }
    const form = Object.keys(REPORTS).find(f => o.flags.has(f)) ?? (o.flags.has('c') ? 'r' : null);
    if (!form) {
      complain(p, 'mtr: podnet models the reports only: use -r, -w, -j, -C or -l\n');
      return 1;
    }
    const host = o.operands[0] ?? 'localhost';
    const family: Family | null = o.flags.has('4') ? 4 : o.flags.has('6') ? 6 : null;
    const found = yield* getaddrinfo(p, host, { libc: u.libc, family });
    if (typeof found === 'string') {
      // The list of hosts goes on to its end, and that is a success.
      complain(p, `mtr: Failed to resolve host: ${host}: ${gaiStrerror(u.libc, found)}\n`);
      return 0;
    }
    if (!(yield* sourceFor(p, found.addresses[0]))) {
      complain(p, 'mtr: udp socket connect failed: Network is unreachable\n');
      return 1;
    }
    const startMs = p.kernel.sim.nowMs;
    const hops = yield* probeHops(p, o, found.addresses[0]);
    print(p, yield* REPORTS[form]({ p, u, o, host, hops, startMs }));
    return 0;
  };

function refusal(o: Options): string | null {
  for (const name of ['c', 'f', 'm', 'P', 's', 'Q', 'U', 'L']) {
    const text = optionValue(o, name);
    if (text !== undefined && !/^-?\d+$/.test(text)) return `invalid argument: '${text}'`;
  }
  const port = Number(optionValue(o, 'P') ?? 80);
  if (port < 1 || port > 65_535) return `Illegal port number: ${port}`;
  const interval = optionValue(o, 'i');
  if (interval !== undefined && !(Number(interval) > 0)) return 'wait time must be positive';
  return o.flags.has('x') || o.flags.has('p') ? 'podnet does not model -x and -p' : null;
}

function* probeHops(p: Process, o: Options, to: Ip): Co<MtrHop[]> {
  const cycles = Number(optionValue(o, 'c') ?? 10);
  const interval = Number(optionValue(o, 'i') ?? 1) * 1000;
  const hops: MtrHop[] = [];
  const method: Method = o.flags.has('u') ? 'udp' : o.flags.has('T') ? 'tcp' : 'icmp';
  let end = Number(optionValue(o, 'm') ?? 30);
  let n = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    let silent = 0;
    for (let ttl = 1; ttl <= end && silent < 5; ttl++) {
      hops[ttl - 1] ??= { from: null, sent: 0, times: [] };
      const hop = hops[ttl - 1];
      const port = method === 'icmp' ? ++n : method === 'udp' ? 33000 + n++ : Number(optionValue(o, 'P') ?? 80);
      const r = yield* probeOnce(p, { method, to, ttl, port, size: 36, timeoutMs: 1000, df: false });
      hop.sent++;
      if (!r || 'errno' in r) {
        silent++;
        continue;
      }
      silent = 0;
      hop.from = r.from;
      hop.times.push(r.ms);
      if (r.final) end = ttl;
    }
    if (cycle < cycles - 1) yield* sleep(p, interval);
  }
  return shortened(hops.slice(0, end));
}

/** Of the silent hops at the end one is shown. */
function shortened(hops: MtrHop[]): MtrHop[] {
  let end = hops.length;
  while (end > 1 && hops[end - 1].from === null && hops[end - 2].from === null) end--;
  return hops.slice(0, end);
}

interface Report {
  p: Process;
  u: Userland;
  o: Options;
  host: string;
  hops: MtrHop[];
  startMs: number;
}

interface Figures {
  loss: number;
  last: number;
  avg: number;
  best: number;
  worst: number;
  dev: number;
}

function figures(h: MtrHop): Figures {
  const got = h.times.length;
  const avg = got ? h.times.reduce((a, b) => a + b, 0) / got : 0;
  return {
    loss: ((h.sent - got) * 100) / Math.max(1, h.sent),
    last: got ? h.times[got - 1] : 0,
    avg,
    best: got ? Math.min(...h.times) : 0,
    worst: got ? Math.max(...h.times) : 0,
    dev: got > 1 ? Math.sqrt(h.times.reduce((a, b) => a + (b - avg) ** 2, 0) / (got - 1)) : 0,
  };
}

function* namesOf(t: Report): Co<string[]> {
  const names: string[] = [];
  for (const h of t.hops) {
    const name = h.from && !t.o.flags.has('n') ? yield* getnameinfo(t.p, h.from, t.u.libc) : null;
    const address = h.from ? formatIp(h.from) : '???';
    names.push(name ? (t.o.flags.has('b') ? `${name} (${address})` : name) : address);
  }
  return names;
}

function* plain(t: Report): Co<string> {
  const names = yield* namesOf(t);
  const wide = t.o.flags.has('w');
  const width = wide ? Math.max(hostnameOf(t.p).length - 2, ...names.map(n => n.length)) : 25;
  const cut = (s: string) => (wide ? s : s.slice(0, width));
  let out = `Start: ${rfc3339(t.startMs).replace('Z', '+0000')}\n`;
  out += `HOST: ${cut(hostnameOf(t.p)).padEnd(width + 2)} Loss%   Snt   Last   Avg  Best  Wrst StDev\n`;
  t.hops.forEach((h, i) => {
    const f = figures(h);
    const times = [f.last, f.avg, f.best, f.worst, f.dev].map((x, k) => x.toFixed(1).padStart(k ? 6 : 7)).join('');
    out += `${String(i + 1).padStart(3)}.|-- ${cut(names[i]).padEnd(width)}${`${f.loss.toFixed(1)}%`.padStart(6)}${String(h.sent).padStart(6)}${times}\n`;
  });
  return out;
}

function* csv(t: Report): Co<string> {
  const names = yield* namesOf(t);
  let out = 'Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\n';
  t.hops.forEach((h, i) => {
    const f = figures(h);
    const cells = [f.last, f.avg, f.best, f.worst, f.dev].map(x => x.toFixed(2));
    const head = ['MTR.0.95', Math.floor(t.startMs / 1000), 'OK', t.host, i + 1, names[i], f.loss.toFixed(2), h.sent, 0];
    out += `${[...head, ...cells].join(',')}\n`;
  });
  return out;
}

function* json(t: Report): Co<string> {
  const names = yield* namesOf(t);
  const row = (words: [string, string][], indent: string) => words.map(([k, v]) => `${indent}"${k}": ${v}`).join(',\n');
  const head: [string, string][] = [
    ['src', `"${hostnameOf(t.p)}"`],
    ['dst', `"${t.host}"`],
    ['tos', '0'],
    ['tests', optionValue(t.o, 'c') ?? '10'],
    ['psize', '"64"'],
    ['bitpattern', '"0x00"'],
  ];
  const hubs = t.hops.map((h, i) => {
    const f = figures(h);
    const number = (x: number) => String(Number(x.toFixed(3))).replace(/^(-?\d+)$/, '$1.0');
    const cells: [string, string][] = [
      ['count', String(i + 1)],
      ['host', `"${names[i]}"`],
      ['Loss%', number(f.loss)],
      ['Snt', String(h.sent)],
      ['Last', number(f.last)],
      ['Avg', number(f.avg)],
      ['Best', number(f.best)],
      ['Wrst', number(f.worst)],
      ['StDev', number(f.dev)],
    ];
    return `            {\n${row(cells, '                ')}\n            }`;
  });
  return `{\n    "report": {\n        "mtr": {\n${row(head, '            ')}\n        },\n        "hubs": [\n${hubs.join(',\n')}\n        ]\n    }\n}\n`;
}

function* raw(t: Report): Co<string> {
  const names = yield* namesOf({ ...t, o: { ...t.o, flags: new Set([...t.o.flags, 'n']) } });
  let out = '';
  t.hops.forEach((h, i) => {
    out += `x ${i} ${33_000 + i}\n`;
    if (h.from) out += `h ${i} ${names[i]}\np ${i} ${Math.round(h.times[0] * 1000)} ${33_000 + i}\n`;
  });
  return out;
}

// Tools that print one thing: true, echo, date, id, hostname, seq …
import { complain, print, runChild, sleep } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { civilTime, parseRfc3339 } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { formatPrintf, unescapeText } from '../sh/printf.ts';
import { TEST_MESSAGES, testArguments } from '../sh/test.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { BROKEN, error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

export const exitWith = (code: number) => (): Program =>
  function* () {
    return code;
  };

/** /bin/echo */
export const echo = (): Program =>
  function* (p) {
    const args = p.argv.slice(1);
    let newline = true;
    let escapes = false;
    while (/^-[neE]+$/.test(args[0] ?? '')) {
      const letters = args.shift() as string;
      if (letters.includes('n')) newline = false;
      if (letters.includes('e')) escapes = true;
      if (letters.includes('E')) escapes = false;
    }
    const r = escapes ? unescapeText(args.join(' '), true) : { text: args.join(' '), stop: false };
    return print(p, r.stop || !newline ? r.text : `${r.text}\n`) ? BROKEN : 0;
  };

export const printf = (bb: boolean) => (): Program =>
  function* (p) {
    const args = p.argv.slice(p.argv[1] === '--' ? 2 : 1);
    if (!args.length) {
      complain(
        p,
        bb ? 'BusyBox printf: usage: printf FORMAT [ARG]...\n' : "printf: missing operand\nTry 'printf --help' for more information.\n",
      );
      return 1;
    }
    const r = formatPrintf(args[0], args.slice(1), t => (bb ? `invalid number '${t}'` : `'${t}': expected a numeric value`));
    for (const e of r.errors) complain(p, `printf: ${e}\n`);
    return print(p, r.text) ? BROKEN : r.errors.length ? 1 : 0;
  };

export const test = (bb: boolean) => (): Program =>
  function* (p) {
    let words = p.argv.slice(1);
    const name = p.argv[0].replace(/.*\//, '');
    if (name === '[') {
      if (words.at(-1) !== ']') {
        complain(p, bb ? '[: missing ]\n' : "[: missing ']'\n");
        return 2;
      }
      words = words.slice(0, -1);
    }
    const r = testArguments(p, words, bb ? TEST_MESSAGES.ash : TEST_MESSAGES.coreutils);
    if (typeof r === 'number') return r;
    complain(p, `${name}: ${r.error}\n`);
    return 2;
  };

/** Seconds with a unit, or null. */
export function duration(text: string): number | null {
  const m = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(text);
  if (m) return Number(m[1]) * { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[m[2] as 's'];
  return /^inf(inity)?$/i.test(text) ? Number.POSITIVE_INFINITY : null;
}

export const SLEEP: ToolSpec = {
  short: '',
  usage:
    'sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays',
  *run(r) {
    if (!r.args.length)
      return usage(
        r,
        'missing operand',
        'sleep [N]...\n\nPause for a time equal to the total of the args given, where each arg can\nhave an optional suffix of (s)econds, (m)inutes, (h)ours, or (d)ays',
      );
    let seconds = 0;
    for (const arg of r.args) {
      const d = duration(arg);
      if (d === null) return r.bb ? error(r, `invalid number '${arg}'`) : usage(r, `invalid time interval '${arg}'`);
      seconds += d;
    }
    yield* sleep(r.p, seconds * 1000);
    return 0;
  },
};

export const YES: ToolSpec = {
  short: '',
  *run(r) {
    const line = `${r.args.join(' ') || 'y'}\n`;
    const block = line.repeat(Math.max(1, Math.floor(1024 / line.length)));
    while (!out(r, block)) yield* sleep(r.p, 1);
    return BROKEN;
  },
};

/** seq's operands may be negative: they are no options. */
export const seq =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p) {
      const options = new Map<string, string[]>();
      const args: string[] = [];
      for (let i = 1; i < p.argv.length; i++) {
        const a = p.argv[i];
        if (/^-[sf]$/.test(a)) options.set(a[1], [p.argv[++i] ?? '']);
        else if (/^-[sf]./.test(a)) options.set(a[1], [a.slice(2)]);
        else if (a === '-w') options.set('w', ['']);
        else if (a !== '--') args.push(a);
      }
      return sequence({ p, u, bb, name: 'seq', options, args }, args);
    };

function sequence(r: Run, args: string[]): number {
  if (!args.length) return usage(r, 'missing operand', 'seq [-w] [-s SEP] [FIRST [INC]] LAST');
  for (const a of args)
    if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(a))
      return r.bb ? error(r, `invalid number '${a}'`) : usage(r, `invalid floating point argument: '${a}'`);
  const [first, step, last] =
    args.length === 1 ? [1, 1, Number(args[0])] : args.length === 2 ? [Number(args[0]), 1, Number(args[1])] : args.map(Number);
  if (step === 0) return usage(r, "invalid Zero increment value: '0'");
  const decimals = Math.max(...args.map(a => a.split('.')[1]?.length ?? 0));
  const values: string[] = [];
  const format = option(r, 'f');
  for (let i = 0; ; i++) {
    const v = first + i * step;
    if (step > 0 ? v > last + 1e-9 : v < last - 1e-9) break;
    values.push(format ? formatPrintf(format, [v.toFixed(Math.max(decimals, 0))], t => t).text : v.toFixed(decimals));
    if (values.length > 5_000_000) break;
  }
  if (has(r, 'w')) {
    const width = Math.max(...values.map(v => v.length));
    values.forEach((v, i) => {
      values[i] = v.startsWith('-') ? `-${v.slice(1).padStart(width - 1, '0')}` : v.padStart(width, '0');
    });
  }
  if (!values.length) return 0;
  return out(r, `${values.join(option(r, 's') ?? '\n')}\n`) ? BROKEN : 0;
}

export const BASENAME: ToolSpec = {
  short: '+as:z',
  long: { multiple: 'a', suffix: 's', zero: 'z' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...');
    const several = has(r, 'a') || has(r, 's');
    const suffix = option(r, 's') ?? (several ? '' : (r.args[1] ?? ''));
    for (const arg of several ? r.args : [r.args[0]]) {
      const name = arg.replace(/\/+$/, '').replace(/.*\//, '') || (arg.startsWith('/') ? '/' : '');
      out(r, `${suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
    }
    return 0;
  },
};

export const DIRNAME: ToolSpec = {
  short: 'z',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'dirname FILENAME');
    for (const arg of r.args) {
      const t = arg.replace(/\/+$/, '');
      out(r, `${t.includes('/') ? t.replace(/\/+[^/]*$/, '') || '/' : arg.startsWith('/') ? '/' : '.'}\n`);
    }
    return 0;
  },
};

export const PRINTENV: ToolSpec = {
  short: '+0',
  *run(r) {
    if (!r.args.length) for (const [k, v] of r.p.env) out(r, `${k}=${v}\n`);
    let status = 0;
    for (const name of r.args) {
      const v = r.p.env.get(name);
      if (v === undefined) status = 1;
      else out(r, `${v}\n`);
    }
    return status;
  },
};

interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** The passwd line of a number or name. */
export function account(p: Process, who: number | string): Account | null {
  const data = readFile(p.fs, '/etc/passwd', p);
  if (typeof data === 'string') return null;
  for (const line of bytesToString(data).split('\n')) {
    const f = line.split(':');
    if (f.length > 5 && (f[0] === who || Number(f[2]) === who)) return { name: f[0], uid: Number(f[2]), gid: Number(f[3]), home: f[5] };
  }
  return null;
}

export function groupName(p: Process, gid: number): string | null {
  const data = readFile(p.fs, '/etc/group', p);
  if (typeof data === 'string') return null;
  return (
    bytesToString(data)
      .split('\n')
      .find(l => l.split(':')[2] === String(gid))
      ?.split(':')[0] ?? null
  );
}

export const ID: ToolSpec = {
  short: 'ugGnr',
  long: { user: 'u', group: 'g', groups: 'G', name: 'n', real: 'r' },
  *run(r) {
    const who = r.args[0] === undefined ? r.p.uid : r.args[0];
    const found = account(r.p, who);
    if (!found && typeof who === 'string') return error(r, r.bb ? `unknown user ${who}` : `'${who}': no such user`);
    const uid = found?.uid ?? r.p.uid;
    const gid = found?.gid ?? 0;
    const user = found?.name ?? null;
    const group = groupName(r.p, gid);
    const both = (n: number, name: string | null) => `${n}${name ? `(${name})` : ''}`;
    const extra = r.u.distro === 'alpine' && uid === 0 ? ALPINE_ROOT_GROUPS : [];
    if (has(r, 'u')) out(r, `${has(r, 'n') ? (user ?? uid) : uid}\n`);
    else if (has(r, 'g')) out(r, `${has(r, 'n') ? (group ?? gid) : gid}\n`);
    else if (has(r, 'G')) out(r, `${[has(r, 'n') ? (group ?? gid) : gid, ...extra.map(e => e[has(r, 'n') ? 1 : 0])].join(' ')}\n`);
    else
      out(
        r,
        `uid=${both(uid, user)} gid=${both(gid, group)} groups=${[both(gid, group), ...extra.map(e => `${e[0]}(${e[1]})`)].join(',')}\n`,
      );
    return 0;
  },
};

const ALPINE_ROOT_GROUPS: [number, string][] = [
  [1, 'bin'],
  [2, 'daemon'],
  [3, 'sys'],
  [4, 'adm'],
  [6, 'disk'],
  [10, 'wheel'],
  [11, 'floppy'],
  [20, 'dialout'],
  [26, 'tape'],
  [27, 'video'],
];

export const WHOAMI: ToolSpec = {
  short: '',
  *run(r) {
    const found = account(r.p, r.p.uid);
    if (!found) return r.bb ? error(r, `unknown uid ${r.p.uid}`) : error(r, `cannot find name for user ID ${r.p.uid}`);
    out(r, `${found.name}\n`);
    return 0;
  },
};

/** The machine's or the container's own name. */
export function hostName(p: Process): string {
  const data = readFile(p.fs, '/etc/hostname', p);
  return typeof data === 'string' || !data.length ? (p.env.get('HOSTNAME') ?? p.kernel.hostname) : bytesToString(data).trim();
}

export const UNAME: ToolSpec = {
  short: 'asnrvmpio',
  long: {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  },
  *run(r) {
    if (r.args.length) return usage(r, `extra operand '${r.args[0]}'`, 'uname [-amnrspvio]');
    const version = '#1 SMP PREEMPT_DYNAMIC Debian 6.1.0-37 (2025-05-22)';
    const fields: [string, string][] = [
      ['s', 'Linux'],
      ['n', hostName(r.p)],
      ['r', r.p.kernel.release],
      ['v', version],
      ['m', 'x86_64'],
      ['p', 'unknown'],
      ['i', 'unknown'],
      ['o', r.bb && r.u.distro === 'alpine' ? 'Linux' : 'GNU/Linux'],
    ];
    const all = has(r, 'a');
    const chosen = fields.filter(([letter]) =>
      all ? letter !== 'p' && letter !== 'i' : has(r, letter) || (!r.options.size && letter === 's'),
    );
    out(r, `${chosen.map(f => f[1]).join(' ')}\n`);
    return 0;
  },
};

/** The names and addresses that /etc/hosts gives this host. */
function hostsEntry(p: Process, name: string): { ips: string[]; canonical: string | null } {
  const data = readFile(p.fs, '/etc/hosts', p);
  const ips: string[] = [];
  let canonical: string | null = null;
  if (typeof data !== 'string') {
    for (const line of bytesToString(data).split('\n')) {
      const words = line.replace(/#.*/, '').trim().split(/\s+/);
      if (words.length > 1 && words.slice(1).includes(name)) {
        ips.push(words[0]);
        canonical ??= words[1];
      }
    }
  }
  return { ips, canonical };
}

export const HOSTNAME: ToolSpec = {
  short: 'ifsdIAyF:b',
  long: { fqdn: 'f', long: 'f', short: 's', domain: 'd', 'ip-address': 'i', 'all-ip-addresses': 'I', 'all-fqdns': 'A', yp: 'y', nis: 'y' },
  *run(r) {
    const name = hostName(r.p);
    const own = hostsEntry(r.p, name);
    if (r.args.length) return error(r, r.bb ? 'sethostname: Operation not permitted' : 'you must be root to change the host name');
    if (has(r, 'I') && !r.bb) {
      const ips: string[] = [];
      for (const link of r.p.netns.links.values())
        if (link.kind !== 'loopback' && link.up) for (const a of link.addresses) if (a.scope !== 'link') ips.push(formatIp(a.ip));
      out(r, `${ips.map(i => `${i} `).join('')}\n`);
      return 0;
    }
    if (has(r, 'i')) out(r, `${own.ips.join(' ') || '127.0.0.1'}${r.bb ? '' : own.ips.length > 1 ? ' ' : ''}\n`);
    else if (has(r, 'f') || has(r, 'A')) out(r, `${own.canonical ?? name}\n`);
    else if (has(r, 'd')) out(r, `${(own.canonical ?? name).split('.').slice(1).join('.')}\n`.replace(/^\n$/, r.bb ? '\n' : ''));
    else if (has(r, 's')) out(r, `${name.split('.')[0]}\n`);
    else out(r, `${name}\n`);
    return 0;
  },
};

export const NPROC: ToolSpec = {
  short: '',
  long: { all: 'a', ignore: 'i' },
  *run(r) {
    out(r, '2\n');
    return 0;
  },
};

export const TTY: ToolSpec = {
  short: 's',
  *run(r) {
    out(r, r.p.tty ? '/dev/pts/0\n' : 'not a tty\n');
    return r.p.tty ? 0 : 1;
  },
};

export const PWD: ToolSpec = {
  short: 'LP',
  *run(r) {
    out(r, `${r.p.cwd}\n`);
    return 0;
  },
};

/** Dates as the tools accept them: @N, RFC 3339, `YYYY-MM-DD HH:MM[:SS]`, `now`, `+1 day`. null: none of these. */
export function parseDate(text: string, now: number): number | null {
  const t = text.trim();
  if (t === '' || t === 'now' || t === 'today') return now;
  if (t === 'yesterday') return now - 86_400_000;
  if (t === 'tomorrow') return now + 86_400_000;
  if (/^@-?\d+(\.\d+)?$/.test(t)) return Number(t.slice(1)) * 1000;
  const relative = /^([+-]?\d+) *(second|sec|minute|min|hour|day|week)s?( ago)?$/.exec(t);
  if (relative) {
    const unit = { second: 1, sec: 1, minute: 60, min: 60, hour: 3600, day: 86_400, week: 604_800 }[relative[2]] as number;
    return now + Number(relative[1]) * unit * 1000 * (relative[3] ? -1 : 1);
  }
  const m = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/.exec(t);
  if (!m) return null;
  const zone = !m[4] || m[4] === 'UTC' ? 'Z' : m[4].length === 5 ? `${m[4].slice(0, 3)}:${m[4].slice(3)}` : m[4];
  return parseRfc3339(`${m[1]}T${m[2] ?? '00:00'}${m[3] ?? ':00'}${zone}`);
}

export const DATE: ToolSpec = {
  short: 'd:uRI:s:r:D:k',
  long: { date: 'd', utc: 'u', universal: 'u', 'rfc-email': 'R', 'rfc-2822': 'R', 'iso-8601': 'I', set: 's', reference: 'r' },
  *run(r) {
    let now = r.p.kernel.sim.nowMs;
    const text = option(r, 'd');
    if (text !== undefined) {
      const parsed = parseDate(text, now);
      if (parsed === null) return error(r, r.bb ? `invalid date '${text}'` : `invalid date '${text}'`);
      now = parsed;
    }
    const format = r.args.find(a => a.startsWith('+'));
    if (format) out(r, `${strftime(format.slice(1), now)}\n`);
    else if (has(r, 'R')) out(r, `${strftime('%a, %d %b %Y %H:%M:%S +0000', now)}\n`);
    else if (has(r, 'I')) out(r, `${strftime(/^s/.test(option(r, 'I') ?? '') ? '%Y-%m-%dT%H:%M:%S+00:00' : '%Y-%m-%d', now)}\n`);
    else out(r, `${strftime('%a %b %e %H:%M:%S UTC %Y', now)}\n`);
    return 0;
  },
};

export const UPTIME: ToolSpec = {
  short: 'ps',
  *run(r) {
    const now = r.p.kernel.sim.nowMs;
    const c = civilTime(now);
    const up = Math.floor((now - r.p.kernel.bootedAtMs) / 60_000);
    const days = Math.floor(up / 1440);
    const hours = Math.floor(up / 60) % 24;
    const two = (n: number) => String(n).padStart(2, '0');
    const length = `${days ? `${days} day${days > 1 ? 's' : ''}, ` : ''}${hours ? `${String(hours).padStart(2)}:${two(up % 60)}` : `${up % 60} min`}`;
    out(r, ` ${two(c.hour)}:${two(c.minute)}:${two(c.second)} up ${length},  0 users,  load average: 0.00, 0.00, 0.00\n`);
    return 0;
  },
};

/** Run and say how long it took. */
export const time: Program = function* (p) {
  const args = p.argv.slice(1).filter((a, i) => !(i === 0 && a === '-p'));
  const from = p.kernel.sim.nowMs;
  const code = yield* runChild(p, args);
  const s = (p.kernel.sim.nowMs - from) / 1000;
  const posix = p.argv[1] === '-p';
  const m = Math.floor(s / 60);
  complain(
    p,
    posix ? `real ${s.toFixed(2)}\nuser 0.00\nsys 0.00\n` : `real\t${m}m ${(s - m * 60).toFixed(2)}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n`,
  );
  return code;
};

export const CLEAR: ToolSpec = {
  short: 'x',
  *run(r) {
    out(r, '\x1b[H\x1b[J');
    return 0;
  },
};

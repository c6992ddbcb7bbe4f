// nsenter and lsns (util-linux 2.38 sys-utils/nsenter.c, lsns.c; BusyBox 1.36 util-linux/nsenter.c).
import { NAMESPACE_KINDS, type NamespaceKind, NETNS_DIR, namedNetns, namespaceInode, netnsAtPath } from '../../linux/namespaces.ts';
import { containerProcesses, localPid, pidNamespaceOf, processByLocalPid } from '../../linux/pids.ts';
import { complain, findExecutable, print, runChild, strerror } from '../../linux/process.ts';
import type { Netns, Process, Program } from '../../linux/types.ts';
import { absolute, type Filesystem, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';
import { account } from './accounts.ts';
import { has, option, type Run, type ToolSpec, usage } from './tool.ts';

/** Letter -> namespace; their long options. */
const KINDS: Record<string, NamespaceKind> = { m: 'mnt', u: 'uts', i: 'ipc', n: 'net', p: 'pid', C: 'cgroup', U: 'user', T: 'time' };
const LONG: Record<string, string> = {
  all: 'a',
  target: 't',
  mount: 'm',
  uts: 'u',
  ipc: 'i',
  net: 'n',
  pid: 'p',
  cgroup: 'C',
  user: 'U',
  time: 'T',
  setuid: 'S',
  setgid: 'G',
  root: 'r',
  wd: 'w',
  wdns: 'W',
  'no-fork': 'F',
  'preserve-credentials': '_',
};

interface Wanted {
  target: string | null;
  /** By kind: the file that was named; '': the target's. */
  enter: Map<NamespaceKind, string>;
  all: boolean;
  uid: string | null;
  root: string | null;
  cwd: string | null;
  argv: string[];
}

/** getopt_long of "+ahVt:m::u::i::n::p::C::U::T::S:G:r::w::W:FZ": optional values stick to their letter. -> the text of a mistake */
function parse(words: string[]): Wanted | string {
  const o: Wanted = { target: null, enter: new Map(), all: false, uid: null, root: null, cwd: null, argv: [] };
  const set = (letter: string, value: string | undefined): void => {
    const kind = KINDS[letter];
    if (kind) o.enter.set(kind, value ?? '');
    else if (letter === 'a') o.all = true;
    else if (letter === 't') o.target = value ?? '';
    else if (letter === 'S') o.uid = value ?? '';
    else if (letter === 'r') o.root = value ?? '';
    else if (letter === 'w' || letter === 'W') o.cwd = value ?? '';
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--' || !word.startsWith('-') || word === '-') {
      o.argv = words.slice(word === '--' ? i + 1 : i);
      break;
    }
    const at = word.startsWith('--') ? word.indexOf('=') : -1;
    if (word.startsWith('--')) {
      const name = word.slice(2, at < 0 ? undefined : at);
      const letter = LONG[name] ?? LONG[Object.keys(LONG).find(k => k.startsWith(name)) ?? ''];
      if (!letter) return `unrecognized option '${word}'`;
      const needs = 'tSGW'.includes(letter) && at < 0;
      if (needs && words[i + 1] === undefined) return `option '${word}' requires an argument`;
      set(letter, at < 0 ? (needs ? words[++i] : undefined) : word.slice(at + 1));
      continue;
    }
    for (let k = 1; k < word.length; k++) {
      const letter = word[k];
      const rest = word.slice(k + 1);
      if ('tSGW'.includes(letter)) {
        if (!rest && words[i + 1] === undefined) return `option requires an argument -- '${letter}'`;
        set(letter, rest || words[++i]);
        break;
      }
      if (!KINDS[letter] && !'aFZerw'.includes(letter)) return `invalid option -- '${letter}'`;
      if ((KINDS[letter] || letter === 'r' || letter === 'w') && rest && !/^[a-zA-Z]+$/.test(rest)) {
        set(letter, rest);
        break;
      }
      set(letter, undefined);
    }
  }
  return o;
}

interface Place {
  netns: Netns;
  fs: Filesystem;
  pidNamespace: object;
}

/** Where the words lead from where `p` is. -> the text of a mistake */
function destination(p: Process, o: Wanted): Place | string {
  const place: Place = { netns: p.netns, fs: p.fs, pidNamespace: pidNamespaceOf(p.fs) };
  if (o.all && o.target === null) return 'no target PID specified for --all';
  for (const kind of o.all ? NAMESPACE_KINDS : []) if (!o.enter.has(kind)) o.enter.set(kind, '');
  const target = o.target === null ? undefined : processByLocalPid(p, Number(o.target));
  for (const [kind, file] of o.enter) {
    const path = file || `/proc/${o.target}/ns/${kind}`;
    if (!file && o.target === null) return `neither filename nor target pid supplied for ns/${kind}`;
    if (!file && !target) return `cannot open ${path}: No such file or directory`;
    if (!p.caps.has('SYS_ADMIN'))
      return target && target.fs !== p.fs
        ? `cannot open ${path}: Permission denied`
        : `reassociate to namespace 'ns/${kind}' failed: Operation not permitted`;
    const there = file ? byFile(p, kind, file) : target;
    if (typeof there === 'string') return there;
    if (kind === 'net') place.netns = 'netns' in there! ? there.netns : (there as Netns);
    else if (kind === 'mnt') place.fs = (there as Process).fs;
    else if (kind === 'pid') place.pidNamespace = pidNamespaceOf((there as Process).fs);
  }
  return place;
}

/** The namespace of a file: under /run/netns, or of a process. */
function byFile(p: Process, kind: NamespaceKind, file: string): Process | Netns | string {
  const path = absolute(file, p.cwd);
  const pid = new RegExp(`^/proc/(\\d+)/ns/${kind}$`).exec(path)?.[1];
  const there = pid !== undefined ? processByLocalPid(p, Number(pid)) : kind === 'net' ? netnsAtPath(p, path) : undefined;
  if (there) return there;
  if (typeof lookup(p.fs, path, p) === 'string') return `cannot open ${file}: No such file or directory`;
  return `reassociate to namespace 'ns/${kind}' failed: Invalid argument`;
}

export const nsenter =
  (bb: boolean) =>
  (_u: Userland): Program =>
    function* nsenter(p: Process): Co<number> {
      const o = parse(p.argv.slice(1));
      const wrong = (text: string, code = 1) => {
        complain(p, `nsenter: ${bb ? text.replace(/^cannot open (\S+):/, "can't open '$1':") : text}\n`);
        return code;
      };
      if (typeof o === 'string') {
        wrong(o);
        if (!bb) complain(p, "Try 'nsenter --help' for more information.\n");
        return 1;
      }
      const place = destination(p, o);
      if (typeof place === 'string') return wrong(place);
      const target = o.target === null ? undefined : processByLocalPid(p, Number(o.target));
      if (o.root !== null && !o.root && target) place.fs = target.fs;
      const same = place.fs === p.fs && place.pidNamespace === pidNamespaceOf(p.fs);
      const fs = same || place.pidNamespace === pidNamespaceOf(place.fs) ? place.fs : inPidNamespace(place.fs, place.pidNamespace);
      const argv = o.argv.length ? o.argv : [p.env.get('SHELL') ?? '/bin/sh'];
      const cwd = o.cwd || (place.fs === p.fs ? p.cwd : '/');
      const found = findExecutable(fs, argv[0], p.env.get('PATH'), cwd);
      if (typeof found === 'string')
        return wrong(
          bb ? `can't execute '${argv[0]}': ${strerror(found)}` : `failed to execute ${argv[0]}: ${strerror(found)}`,
          found === 'ENOENT' ? 127 : 126,
        );
      return yield* runChild(p, argv, { netns: place.netns, fs, cwd, ...(o.uid === null ? {} : { uid: Number(o.uid) }) });
    };

/** The same files, its processes numbered as others. */
const inPidNamespace = (fs: Filesystem, pidNamespace: object): Filesystem => ({ root: fs.root, changed: fs.changed, pidNamespace });

// -- lsns

interface Row {
  kind: NamespaceKind;
  inode: number;
  processes: Process[];
}

function rows(p: Process): Row[] {
  const out = new Map<string, Row>();
  for (const q of containerProcesses(p)) {
    for (const kind of NAMESPACE_KINDS) {
      const inode = namespaceInode(q, kind);
      const row = out.get(`${kind}${inode}`) ?? { kind, inode, processes: [] };
      out.set(`${kind}${inode}`, row);
      row.processes.push(q);
    }
  }
  return [...out.values()].sort((a, b) => a.inode - b.inode);
}

/** A network namespace that another one has a number for: every pod's, which the machine's veth leads to. */
function netnsId(p: Process, ns: Netns): string {
  const seen: Netns[] = [];
  for (const l of p.netns.links.values()) {
    const far = l.kind === 'veth' ? l.peer?.netns : undefined;
    if (far && far !== p.netns && !seen.includes(far)) seen.push(far);
  }
  const at = seen.indexOf(ns);
  return at < 0 ? 'unassigned' : String(at);
}

interface Column {
  right: boolean;
  least: number;
  cell: (r: Row, p: Process) => string;
}

const first = (r: Row): Process => r.processes[0];

const COLUMNS: Record<string, Column> = {
  NS: { right: true, least: 10, cell: r => String(r.inode) },
  TYPE: { right: false, least: 0, cell: r => r.kind },
  PATH: { right: false, least: 0, cell: (r, p) => `/proc/${localPid(first(r), p)}/ns/${r.kind}` },
  NPROCS: { right: true, least: 5, cell: r => String(r.processes.length) },
  PID: { right: true, least: 5, cell: (r, p) => String(localPid(first(r), p)) },
  PPID: { right: true, least: 5, cell: (r, p) => String(first(r).parent ? localPid(first(r).parent as Process, p) : 0) },
  COMMAND: { right: false, least: 0, cell: r => first(r).argv.join(' ') },
  UID: { right: true, least: 0, cell: r => String(first(r).uid) },
  USER: { right: false, least: 0, cell: (r, p) => account(p, first(r).uid)?.name ?? String(first(r).uid) },
  NETNSID: { right: true, least: 0, cell: (r, p) => (r.kind === 'net' ? netnsId(p, first(r).netns) : '') },
  NSFS: {
    right: false,
    least: 0,
    cell: (r, p) => {
      const ns = first(r).netns;
      return r.kind === 'net' && namedNetns(p.kernel, p.fs).includes(ns) ? `${NETNS_DIR}/${ns.file}` : '';
    },
  },
};

export const LSNS: ToolSpec = {
  short: 'Jlno:p:ruWt:T:',
  long: {
    json: 'J',
    list: 'l',
    noheadings: 'n',
    output: 'o',
    'output-all': 'A',
    task: 'p',
    raw: 'r',
    notruncate: 'u',
    nowrap: 'W',
    type: 't',
    tree: 'T',
  },
  *run(r) {
    const { p } = r;
    const fail = (text: string) => {
      complain(p, `lsns: ${text}\n`);
      return 1;
    };
    const types = r.options.get('t') ?? [];
    for (const t of types) if (!NAMESPACE_KINDS.includes(t as NamespaceKind)) return fail(`unknown namespace type: ${t}`);
    let names = ['NS', 'TYPE', 'NPROCS', 'PID', 'USER', 'COMMAND'];
    if (types.length === 1 && types[0] === 'net') names.splice(5, 0, 'NETNSID', 'NSFS');
    if (has(r, 'A')) names = Object.keys(COLUMNS);
    const list = option(r, 'o');
    if (list !== undefined) {
      const asked = list
        .replace(/^\+/, '')
        .split(',')
        .map(n => n.toUpperCase());
      for (const n of asked) if (!COLUMNS[n]) return fail(`unknown column: ${list}`);
      names = list.startsWith('+') ? [...names, ...asked] : asked;
    }
    if (r.args.length > 1) return usage(r, `extra operand '${r.args[1]}'`);
    let found = rows(p).filter(row => !types.length || types.includes(row.kind));
    const task = option(r, 'p');
    if (task !== undefined) {
      const q = processByLocalPid(p, Number(task));
      found = found.filter(row => q && row.processes.includes(q));
    }
    if (r.args.length) {
      found = found.filter(row => String(row.inode) === r.args[0]);
      if (!found.length) return fail(`not found namespace: ${r.args[0]}`);
    }
    print(p, has(r, 'J') ? json(found, names, p) : text(r, found, names));
    return 0;
  },
};

function text(r: Run, found: Row[], names: string[]): string {
  const table = found.map(row => names.map(n => COLUMNS[n].cell(row, r.p)));
  if (!has(r, 'n')) table.unshift(names);
  if (has(r, 'r')) return table.map(cells => `${cells.join(' ')}\n`).join('');
  const widths = names.map((n, i) => Math.max(COLUMNS[n].least, ...table.map(cells => cells[i].length)));
  const line = (cells: string[]) =>
    cells.map((c, i) => (COLUMNS[names[i]].right ? c.padStart(widths[i]) : i === cells.length - 1 ? c : c.padEnd(widths[i]))).join(' ');
  return table.map(cells => `${line(cells)}\n`).join('');
}

function json(found: Row[], names: string[], p: Process): string {
  const numbers = ['NS', 'NPROCS', 'PID', 'PPID', 'UID'];
  const member = (row: Row, n: string) => {
    const cell = COLUMNS[n].cell(row, p);
    return `         "${n.toLowerCase()}": ${numbers.includes(n) ? cell : cell ? JSON.stringify(cell) : 'null'}`;
  };
  const items = found.map(row => `{\n${names.map(n => member(row, n)).join(',\n')}\n      }`);
  return `{\n   "namespaces": [\n      ${items.join(',')}\n   ]\n}\n`;
}

// Built-in functions and the modules that small servers import.
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { bytesToString, hex } from '../../sim/bytes.ts';
import { nextFloat, bytes as randomBytes, uuid } from '../../sim/random.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { civilTime, clockText, MONTHS, twoDigits } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { hostnameOf, ownAddresses, readText } from '../servers/daemon.ts';
import { percentDecode, splitTarget } from '../url.ts';
import { httpModules } from './http.ts';
import { PyError, unmodelled } from './lex.ts';
import { dumps, loads } from './methods.ts';
import { call, type Interpreter } from './run.ts';
import { Class, findIn, Instance, isA, iterate, native, repr, str, Thing, Tuple, truth, typeName, type Value } from './values.ts';

const ERRORS =
  'ValueError TypeError KeyError IndexError NameError AttributeError RuntimeError OSError ConnectionError FileNotFoundError ZeroDivisionError ImportError NotImplementedError StopIteration KeyboardInterrupt'.split(
    ' ',
  );

export function builtinsOf(p: Process, x: () => Interpreter): Map<string, Value> {
  const exception = new Class('Exception', [], new Map());
  const out = new Map<string, Value>([
    ['Exception', exception],
    ['BaseException', exception],
    ['object', new Class('object', [], new Map())],
    ['__name__', '__main__'],
    ['__file__', p.argv.find(w => w.endsWith('.py')) ?? ''],
  ]);
  for (const name of ERRORS) out.set(name, new Class(name, [exception], new Map()));
  const plain: Record<string, (args: Value[], k: Map<string, Value>) => Value> = {
    print: (args, k) => {
      const text = args.map(str).join(k.has('sep') ? str(k.get('sep')) : ' ') + (k.has('end') ? str(k.get('end')) : '\n');
      const file = k.get('file');
      if (file instanceof Thing && file.name === 'stderr') complain(p, text);
      else print(p, text);
      return null;
    },
    str: ([v = '']) => str(v),
    repr: ([v]) => repr(v),
    int: ([v = 0, base = 10]) => {
      const n = typeof v === 'string' ? (/^\s*[-+]?[0-9a-z]+\s*$/i.test(v) ? Number.parseInt(v, base) : Number.NaN) : Math.trunc(Number(v));
      if (Number.isNaN(n)) throw new PyError('ValueError', `invalid literal for int() with base ${base}: ${repr(v)}`);
      return n;
    },
    float: ([v = 0]) => Number(v),
    bool: ([v = false]) => truth(v),
    len: ([v]) => (typeof v === 'string' ? [...v].length : iterate(v).length),
    list: ([v = []]) => [...iterate(v)],
    tuple: ([v = []]) => new Tuple([...iterate(v)]),
    set: ([v = []]) => new Set(iterate(v)),
    dict: ([v = new Map()], k) =>
      new Map([...(v instanceof Map ? v : iterate(v).map((y: Value) => [iterate(y)[0], iterate(y)[1]] as const)), ...k]),
    bytes: ([v = '']) => (v instanceof Uint8Array ? v : Uint8Array.from(iterate(v))),
    range: ([a, b, step = 1]) => {
      const [from, to] = b === undefined ? [0, a] : [a, b];
      return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
    },
    enumerate: ([v, from = 0]) => iterate(v).map((y, i) => new Tuple([i + from, y])),
    zip: lists =>
      Array.from({ length: Math.min(...lists.map(l => iterate(l).length)) }, (_, i) => new Tuple(lists.map(l => iterate(l)[i]))),
    min: args => (args.length > 1 ? args : iterate(args[0])).reduce((a, b) => (b < a ? b : a)),
    max: args => (args.length > 1 ? args : iterate(args[0])).reduce((a, b) => (b > a ? b : a)),
    sum: ([v]) => iterate(v).reduce((a, b) => a + b, 0),
    abs: ([v]) => Math.abs(v),
    round: ([v, n = 0]) => Number(v.toFixed(n)),
    reversed: ([v]) => [...iterate(v)].reverse(),
    isinstance: ([v, cls]) =>
      (cls instanceof Tuple ? cls.items : [cls]).some(c =>
        c instanceof Class ? v instanceof Instance && isA(v.cls, c) : c?.typeName === typeName(v),
      ),
    hasattr: ([v, name]) =>
      v instanceof Instance ? v.attrs.has(name) || findIn(v.cls, name) !== undefined : v instanceof Thing && v.attrs.has(name),
    getattr: ([v, name, otherwise]) =>
      v instanceof Instance || v instanceof Thing
        ? (v.attrs.get(name) ?? (v instanceof Instance ? findIn(v.cls, name) : undefined) ?? otherwise)
        : otherwise,
    type: ([v]) => (v instanceof Instance ? v.cls : new Class(typeName(v), [], new Map())),
    id: () => 140_000_000_000_000,
    exit: ([code = 0]) => {
      throw new PyError('SystemExit', str(code ?? 0));
    },
    super: () => {
      throw unmodelled('super()');
    },
    open: ([path]) => {
      const text = readText(p, path);
      if (text === null) throw new PyError('FileNotFoundError', `[Errno 2] No such file or directory: ${repr(path)}`);
      return new Thing('file', { read: native(() => text), readlines: native(() => text.split(/(?<=\n)/)), close: native(() => null) });
    },
  };
  for (const [name, f] of Object.entries(plain)) {
    const fn = native(f);
    if (['str', 'int', 'float', 'bool', 'list', 'tuple', 'set', 'dict', 'bytes'].includes(name)) Object.assign(fn, { typeName: name });
    out.set(name, fn);
  }
  out.set('sorted', function* ([v, ..._]: Value[], k: Map<string, Value>): Co<Value> {
    const key = k.get('key');
    const rows: [Value, Value][] = [];
    for (const y of iterate(v)) rows.push([key ? yield* call(x(), key, [y], new Map(), 0) : y, y]);
    rows.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    const list = rows.map(r => r[1]);
    return truth(k.get('reverse') ?? false) ? list.reverse() : list;
  });
  for (const [name, keep] of [
    ['map', false],
    ['filter', true],
  ] as const)
    out.set(name, function* ([fn, v]: Value[]): Co<Value> {
      const list: Value[] = [];
      for (const y of iterate(v)) {
        const got = yield* call(x(), fn, [y], new Map(), 0);
        if (!keep) list.push(got);
        else if (truth(got)) list.push(y);
      }
      return list;
    });
  return out;
}

/** sys.argv: the script first; of -c only the flag. */
function argvOf(argv: string[]): string[] {
  const at = argv.findIndex((w, i) => i > 0 && (w === '-c' || !w.startsWith('-')));
  return argv[at] === '-c' ? ['-c', ...argv.slice(at + 2)] : argv.slice(Math.max(at, 1));
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

export function strftime(ms: number, spec: string): string {
  const c = civilTime(ms);
  const month = MONTHS[c.month - 1];
  const words: Record<string, string> = {
    Y: String(c.year),
    m: twoDigits(c.month),
    d: twoDigits(c.day),
    H: twoDigits(c.hour),
    M: twoDigits(c.minute),
    S: twoDigits(c.second),
    f: String(Math.floor((ms % 1000) * 1000)).padStart(6, '0'),
    b: month,
    B: month,
    Z: 'UTC',
    z: '+0000',
    '%': '%',
    F: `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)}`,
    T: `${clockText(c)}`,
    A: DAYS[Math.floor(ms / 86_400_000 + 4) % 7],
    a: DAYS[Math.floor(ms / 86_400_000 + 4) % 7].slice(0, 3),
  };
  return spec.replace(/%([a-zA-Z%])/g, (all, w) => words[w] ?? all);
}

/** A datetime of UTC, with or without its zone. */
function dateOf(ms: number, zone: boolean): Thing {
  const iso = strftime(ms, '%Y-%m-%dT%H:%M:%S.%f') + (zone ? '+00:00' : '');
  return new Thing('datetime', {
    isoformat: native(() => iso),
    strftime: native(([spec]) => strftime(ms, spec)),
    timestamp: native(() => ms / 1000),
    year: civilTime(ms).year,
    __str__: iso.replace('T', ' '),
  });
}

export function modulesOf(p: Process, x: () => Interpreter): (name: string) => Thing | null {
  const { sim } = p.kernel;
  const now = (zone: boolean) => native(args => dateOf(sim.nowMs, zone || args.length > 0));
  const datetime = new Thing('datetime.datetime', {
    now: native((args, k) => dateOf(sim.nowMs, args.length + k.size > 0)),
    utcnow: now(false),
  });
  const environ = new Map<string, Value>(p.env);
  const random = () => nextFloat(sim.random);
  const pick = (list: Value[]) => list[Math.floor(random() * list.length)];
  const rows: Record<string, () => Record<string, Value>> = {
    json: () => ({
      dumps: native(([v], k) =>
        dumps(v, { indent: k.get('indent') ?? null, ascii: k.get('ensure_ascii') !== false, sort: k.get('sort_keys') === true }),
      ),
      loads: native(([v]) => {
        try {
          return loads(JSON.parse(v instanceof Uint8Array ? bytesToString(v) : v));
        } catch {
          throw new PyError('ValueError', 'Expecting value: line 1 column 1 (char 0)');
        }
      }),
    }),
    os: () => ({
      environ,
      getenv: native(([name, otherwise = null]) => environ.get(name) ?? otherwise),
      getpid: native(() => 1),
      getcwd: native(() => p.cwd),
      uname: native(() => new Tuple(['Linux', hostnameOf(p)])),
    }),
    sys: () => ({
      argv: argvOf(p.argv),
      version: '3.11.14',
      stdout: new Thing('stdout', { flush: native(() => null), write: native(([t]) => void print(p, t)) }),
      stderr: new Thing('stderr', { flush: native(() => null), write: native(([t]) => void complain(p, t)) }),
      exit: native(([code = 0]) => {
        throw new PyError('SystemExit', str(code ?? 0));
      }),
    }),
    time: () => ({
      time: native(() => sim.nowMs / 1000),
      sleep: function* ([s]: Value[]): Co<Value> {
        x().steps = 0;
        yield* sleep(sim, s * 1000);
        return null;
      },
      strftime: native(([spec]) => strftime(sim.nowMs, spec)),
      ctime: native(() => strftime(sim.nowMs, '%a %b %d %H:%M:%S %Y')),
    }),
    datetime: () => ({
      datetime,
      timezone: new Thing('datetime.timezone', { utc: new Thing('utc', { __str__: 'UTC' }) }),
      UTC: new Thing('utc', { __str__: 'UTC' }),
    }),
    socket: () => ({
      gethostname: native(() => hostnameOf(p)),
      gethostbyname: native(([name]) =>
        name === hostnameOf(p) ? formatIp(ownAddresses(p)[0] ?? Uint8Array.of(127, 0, 0, 1)) : '127.0.0.1',
      ),
    }),
    platform: () => ({ node: native(() => hostnameOf(p)), system: native(() => 'Linux'), python_version: native(() => '3.11.14') }),
    random: () => ({
      random: native(random),
      randint: native(([a, b]) => a + Math.floor(random() * (b - a + 1))),
      uniform: native(([a, b]) => a + random() * (b - a)),
      choice: native(([v]) => pick(iterate(v))),
    }),
    uuid: () => ({ uuid4: native(() => uuid(sim.random)) }),
    secrets: () => ({
      token_hex: native(([n = 32]) => hex(randomBytes(sim.random, n))),
    }),
    logging: () => {
      const say = (level: string) => native(args => void complain(p, `${level}:root:${str(args[0])}\n`));
      const none = native(() => null);
      const logger = { info: say('INFO'), warning: say('WARNING'), error: say('ERROR'), debug: none };
      return {
        ...logger,
        basicConfig: none,
        INFO: 20,
        DEBUG: 10,
        WARNING: 30,
        ERROR: 40,
        getLogger: native(() => new Thing('logger', logger)),
      };
    },
    signal: () => ({ signal: native(() => null), SIGTERM: 15, SIGINT: 2 }),
    urllib: () => ({}),
    'urllib.parse': () => ({
      urlparse: native(([url]) => {
        const { path } = splitTarget(url);
        return new Thing('ParseResult', { path, query: url.includes('?') ? url.slice(url.indexOf('?') + 1) : '' });
      }),
      parse_qs: native(([q]) => new Map([...splitTarget(`/?${q}`).query])),
      unquote: native(([q]) => percentDecode(q)),
    }),
    typing: () => ({ Any: null, Dict: null, List: null, Optional: null }),
    ...httpModules(p, x),
  };
  const loaded = new Map<string, Thing>();
  return name => {
    if (!loaded.has(name) && Object.hasOwn(rows, name)) loaded.set(name, new Thing(name, rows[name]()));
    return loaded.get(name) ?? null;
  };
}

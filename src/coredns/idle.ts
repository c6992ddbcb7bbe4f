// Directives that change no answer of what podnet models: their mistakes are those of coredns 1.14.2's setup functions, and no more happens.
import { listDir, readFile } from '../linux/vfs.ts';
import type { Directive } from './corefile.ts';
import { argumentError, CorefileError, type Instance, plainError } from './types.ts';
import { durationError, durationMs } from './values.ts';

type Check = (d: Directive, instance: Instance) => void;

const MOST_SOCKETS = 1024;
const DAY_MS = 86_400_000;

const isInteger = (text: string): boolean => /^[-+]?\d+$/.test(text);
const notInteger = (text: string): string => `strconv.Atoi: parsing "${text}": invalid syntax`;

/** plugin.Error inside of plugin.Error. */
const twice = (name: string, path: string, line: number, why: string): CorefileError =>
  plainError(`plugin/${name}: plugin/${name}: ${path}:${line} - Error during parsing: ${why}`);

const multisocket: Check = d => {
  if (d.args.length > 1) throw argumentError(d);
  const [n] = d.args;
  if (n === undefined) return;
  if (!isInteger(n)) throw plainError(`invalid num sockets: ${notInteger(n)}`);
  if (Number(n) <= 0) throw plainError(`num sockets can not be zero or negative: ${Number(n)}`);
  if (Number(n) > MOST_SOCKETS) throw plainError(`num sockets exceeds maximum (${MOST_SOCKETS}): ${Number(n)}`);
};

const timeouts: Check = (d, { corefilePath }) => {
  const bad = (line: number, why: string) => twice('timeouts', corefilePath, line, why);
  if (d.args.length) throw plainError(`plugin/timeouts: ${argumentError(d).message}`);
  if (!d.body.length) throw bad(d.line, 'timeouts block with no timeouts specified');
  for (const p of d.body) {
    if (!p.args.length) throw bad(p.line, argumentError(p).message);
    if (!['read', 'write', 'idle'].includes(p.name)) throw bad(p.line, `unknown option: '${p.name}'`);
    const ms = isInteger(p.args[0]) ? Number(p.args[0]) * 1000 : durationMs(p.args[0]);
    if (ms === null) throw bad(p.line, `failed to parse duration '${p.args[0]}': ${durationError(p.args[0])}`);
    if (ms < 1000 || ms > DAY_MS) throw bad(p.line, `timeout provided '${p.args[0]}' needs to be between 1 second and 24 hours`);
  }
};

const cancel: Check = d => {
  if (d.args.length > 1) throw argumentError(d);
  const [text] = d.args;
  if (text === undefined) return;
  const ms = durationMs(text);
  if (ms === null) throw plainError(`invalid duration: "${text}"`);
  if (ms <= 0) throw plainError(`invalid timeout: ${text}`);
};

const root: Check = (d, { p, log }) => {
  if (d.args.length !== 1) throw argumentError(d);
  if (typeof listDir(p.fs, d.args[0], p) === 'string') log('WARNING', `plugin/root: Root path does not exist: ${d.args[0]}`);
};

const pprof: Check = d => {
  if (d.args.length > 1) throw argumentError(d);
};

const geoip: Check = (d, { p }) => {
  if (d.args.length !== 1) throw argumentError(d);
  if (typeof readFile(p.fs, d.args[0], p) === 'string')
    throw new CorefileError(d.line, `failed to open database file: open ${d.args[0]}: no such file or directory`);
};

const dnstap: Check = d => {
  if (!d.args.length) throw argumentError(d);
  const [, , writeBuffer, queue] = d.args;
  if (writeBuffer !== undefined && !isInteger(writeBuffer))
    throw new CorefileError(d.line, `dnstap: invalid MultipleTcpWriteBuf "${writeBuffer}": ${notInteger(writeBuffer)}`);
  if (queue !== undefined && !isInteger(queue))
    throw new CorefileError(d.line, `dnstap: invalid MultipleQueue "${queue}": ${notInteger(queue)}`);
};

const nothing: Check = () => {};

export const IDLE: Record<string, Check> = {
  cancel,
  debug: nothing,
  dnstap,
  geoip,
  metadata: nothing,
  multisocket,
  pprof,
  root,
  timeouts,
  trace: nothing,
};

/** Mistakes of directives that podnet does not act on; those without one are named in a warning. */
const need =
  (count: (n: number) => boolean): Check =>
  d => {
    if (!count(d.args.length)) throw argumentError(d);
  };

const onlyProperties =
  (...names: string[]): Check =>
  d => {
    for (const p of d.body) if (!names.includes(p.name)) throw new CorefileError(p.line, `unknown property '${p.name}'`);
  };

const secondary: Check = d => {
  if (!d.body.some(p => p.name === 'transfer' && p.args[0] === 'from' && p.args.length > 1))
    throw new CorefileError(d.line, 'secondary zones require a transfer from property');
};

const tls: Check = (d, { corefilePath }) => {
  if (d.args.length < 2 || d.args.length > 3) throw twice('tls', corefilePath, d.line, argumentError(d).message);
};

const auto: Check = (d, { log }) => {
  if (!d.body.some(p => p.name === 'directory')) log('WARNING', 'plugin/auto: error reading : lstat : no such file or directory');
};

export const UNMODELLED: Record<string, Check> = {
  auto,
  azure: nothing,
  clouddns: nothing,
  dnssec: nothing,
  etcd: onlyProperties(
    'stubzones',
    'fallthrough',
    'debug',
    'path',
    'endpoint',
    'upstream',
    'tls',
    'credentials',
    'min-lease-ttl',
    'max-lease-ttl',
  ),
  grpc: need(n => n >= 2),
  grpc_server: nothing,
  https: nothing,
  https3: nothing,
  nomad: onlyProperties('address', 'token', 'ttl'),
  quic: nothing,
  route53: nothing,
  secondary,
  sign: need(n => n >= 1),
  tls,
  tsig: nothing,
};

// `ipset create`: a type and its options.
import { nextU32 } from '../../sim/random.ts';
import { network, parseCidr, parseIp } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { type SetType, setType } from './ipset-types.ts';
import type { IpSet } from './types.ts';
import { parseUint } from './values.ts';

/** null: done. `usage`: the command line itself is wrong (exit 2). */
export type SetResult = null | { error: string; usage?: boolean };

export const err = (error: string): SetResult => ({ error });

export const noSuch = () => err('The set with the given name does not exist');

/** Said of any command's set before it is looked for. */
export const nameProblem = (name: string | undefined): { error: string } | null =>
  name !== undefined && name.length > 31 ? { error: `Syntax error: setname '${name}' is longer than 31 characters` } : null;

export const unknown = (word: string): SetResult => ({ error: `Unknown argument: \`${word}'`, usage: true });

export const FLAGS = new Set(['counters', 'comment', 'skbinfo', 'forceadd']);

const HASH_OPTIONS = [
  'family',
  'hashsize',
  'maxelem',
  'timeout',
  'netmask',
  'bitmask',
  'markmask',
  'bucketsize',
  'initval',
  'probes',
  'resize',
  'gc',
];

export const OPTIONS: Record<SetType['method'], string[]> = {
  hash: HASH_OPTIONS,
  bitmap: ['range', 'timeout', 'netmask', 'from', 'to'],
  list: ['size', 'timeout'],
};

export function number(text: string | undefined): number | string {
  const n = parseUint(text ?? '');
  if (n !== null) return n;
  return /^\d+$/.test(text ?? '') ? `Syntax error: '${text}' is out of range 0-4294967295` : `Syntax error: '${text}' is invalid as number`;
}

const power2 = (n: number) => 2 ** Math.ceil(Math.log2(Math.max(n, 64)));

function blankSet(name: string, type: SetType, initval: number): IpSet {
  return {
    name,
    type: type.name,
    family: 4,
    hashsize: 1024,
    maxelem: 65_536,
    extra: '',
    timeout: null,
    counters: false,
    comment: false,
    skbinfo: false,
    bucketsize: 12,
    initval,
    netmask: 128,
    range: null,
    entries: new Map(),
    prefixes: type.parts.filter(p => p === 'net').map(() => new Map()),
  };
}

/** IPSET_MAX_TIMEOUT: milliseconds have to fit a number of 31 bits. */
const LONGEST_SECONDS = 2_147_483;

const WITH_NETMASK = ['hash:ip', 'hash:ip,port', 'hash:net,net', 'bitmap:ip'];

/** One `name value` option of `create`. */
function createOption(set: IpSet, type: SetType, name: string, value: string): SetResult {
  if (name === 'family') {
    if (value !== 'inet' && value !== 'inet6' && value !== '-4' && value !== '-6') return err(`Syntax error: unknown inet family ${value}`);
    set.family = value === 'inet6' || value === '-6' ? 6 : 4;
    return null;
  }
  if (name === 'range') return rangeOption(set, type, value);
  const n = number(value);
  if (name === 'timeout' && /^\d+$/.test(value) && Number(value) > LONGEST_SECONDS)
    return err(`Syntax error: '${value}' is out of range 0-${LONGEST_SECONDS}`);
  if (typeof n === 'string') return err(n);
  if (name === 'hashsize') set.hashsize = power2(n);
  else if (name === 'maxelem') set.maxelem = n;
  else if (name === 'timeout') set.timeout = n;
  else if (name === 'bucketsize') set.bucketsize = Math.min(12, Math.max(2, n + (n % 2)));
  else if (name === 'initval') set.initval = n >>> 0;
  else if (name === 'netmask') {
    set.netmask = n;
    set.extra += ` netmask ${n}`;
  } else if (name === 'size') set.extra = `size ${n}`;
  else if (name === 'markmask') set.extra += ` markmask 0x${n.toString(16).padStart(8, '0')}`;
  return null;
}

/** IPSET_BITMAP_MAX_RANGE + 1 */
const MOST_ADDRESSES = 65_536;

function rangeOption(set: IpSet, type: SetType, value: string): SetResult {
  if (type.name === 'bitmap:port') {
    const m = /^(?:\w+:)?(\d+)(?:-(\d+))?$/.exec(value);
    if (!m) return err(`Syntax error: cannot parse '${value}' as a tcp port`);
    if (m[2] === undefined) return { error: "Mandatory option `to' is missing", usage: true };
    set.range = [Number(m[1]), Number(m[2])];
    set.extra = `range ${set.range[0]}-${set.range[1]}`;
    return null;
  }
  const [a, b] = value.split('-');
  const c = parseCidr(a);
  const last = b === undefined ? null : parseIp(b);
  if (c?.ip.length !== 4 || (b !== undefined && !last)) return err(`Syntax error: cannot parse ${value}: resolving to IPv4 address failed`);
  const num = (ip: Uint8Array) => ip.reduce((n, x) => n * 256 + x, 0);
  const low = num(network(c).ip);
  const high = last ? num(last) : low + 2 ** (32 - c.bits) - 1;
  if (high - low + 1 > MOST_ADDRESSES) return err('The range you specified exceeds the size limit of the set type');
  set.range = [low, high];
  const text = (n: number) => [24, 16, 8, 0].map(s => (n >>> s) & 255).join('.');
  set.extra = `range ${text(low)}-${text(high)}`;
  return null;
}

/** The arguments of `create` after the type. */
function parseCreate(ns: Netns, name: string, type: SetType, words: string[]): IpSet | SetResult {
  const set = blankSet(name, type, nextU32(ns.kernel.sim.random));
  if (type.method === 'list') set.extra = 'size 8';
  for (let i = 0; i < words.length; i++) {
    const word = words[i].replace(/^--/, '');
    if (FLAGS.has(word)) {
      if (word === 'counters') set.counters = true;
      else if (word === 'comment') set.comment = true;
      else if (word === 'skbinfo') set.skbinfo = true;
      continue;
    }
    if (
      !OPTIONS[type.method].includes(word) ||
      (word === 'netmask' && !WITH_NETMASK.includes(type.name)) ||
      (word === 'markmask' && type.name !== 'hash:ip,mark')
    )
      return unknown(words[i]);
    const value = words[++i];
    if (value === undefined) return { error: `Missing mandatory argument of option \`${word}'`, usage: true };
    const bad = createOption(set, type, word, value);
    if (bad) return bad;
  }
  if (type.method === 'bitmap' && !set.range) return { error: "Mandatory option `range' is missing", usage: true };
  return set;
}

/** `exist`: a set of this name and type may be there already. */
export function createSet(ns: Netns, name: string, typeName: string, words: string[] = [], exist = false): SetResult {
  const bad = nameProblem(name);
  if (bad) return bad;
  const type = setType(typeName);
  if (!type) return err(`Syntax error: typename '${typeName}' is unknown`);
  const made = parseCreate(ns, name, type, words);
  if (made === null || 'error' in made) return made;
  const old = ns.netfilter.ipsets.get(name);
  if (old) {
    const same = old.type === made.type && old.family === made.family && old.extra === made.extra;
    return exist && same ? null : err('Set cannot be created: set with the same name already exists');
  }
  ns.netfilter.ipsets.set(name, made);
  return null;
}

// plugin/cache (coredns 1.14.2, setup.go): what its block says.
import { argumentError, ONCE, plainError, type Setup } from '../types.ts';
import { needDuration, needInteger } from '../values.ts';
import { zoneName, zonesOf } from '../zones.ts';

/** The two caches, as metrics name them. */
export type Kind = 'success' | 'denial';

export interface Options {
  zones: string[];
  capacity: Record<Kind, number>;
  /** Seconds. */
  most: Record<Kind, number>;
  least: Record<Kind, number>;
  failureMs: number;
  /** Names that one of the caches takes nothing for. */
  except: Record<Kind, string[]>;
  /** So many queries, none further apart than `withinMs`, have an answer fetched again in its last percents. */
  prefetch: { amount: number; withinMs: number; percentage: number };
  /** How long an answer may be given whose time is over; 0: not. `verify`: only when there is no new one. */
  stale: { forMs: number; verify: boolean };
  keepTtl: boolean;
}

const CAPACITY = 10_000;
/** dnsutil.MinimalDefaultTTL: of what says nothing about its time, and the shortest that anything is kept. */
export const SHORT_SECONDS = 5;
export const LONG_SECONDS = 3600;
const MOST_FAILURE_MS = 300_000;

type Rule = (o: Options, args: string[], property: Setup['directive']) => void;

const some: Rule = (_, args, d) => {
  if (!args.length) throw argumentError(d);
};

const sizes =
  (kind: Kind): Rule =>
  (o, args, d) => {
    some(o, args, d);
    const [capacity, most, least] = args.slice(0, 3).map(needInteger);
    o.capacity[kind] = capacity;
    if (most !== undefined && most <= 0) throw plainError(`cache TTL can not be zero or negative: ${most}`);
    if (least !== undefined && least < 0) throw plainError(`cache min TTL can not be negative: ${least}`);
    o.most[kind] = most ?? o.most[kind];
    o.least[kind] = least ?? o.least[kind];
  };

const RULES: Record<string, Rule> = {
  success: sizes('success'),
  denial: sizes('denial'),
  prefetch: (o, args, d) => {
    some(o, args, d);
    if (args.length > 3) throw argumentError(d);
    const amount = needInteger(args[0]);
    if (amount < 0) throw plainError(`prefetch amount should be positive: ${amount}`);
    o.prefetch.amount = amount;
    if (args.length > 1) o.prefetch.withinMs = needDuration(args[1]);
    if (args.length < 3) return;
    const [, , percent] = args;
    if (!percent.endsWith('%')) throw plainError(`last character of percentage should be \`%\`, but is: '${percent.slice(-1)}'`);
    o.prefetch.percentage = needInteger(percent.slice(0, -1));
    if (o.prefetch.percentage < 10 || o.prefetch.percentage > 90)
      throw plainError(`percentage should fall in range [10, 90]: ${o.prefetch.percentage}`);
  },
  serve_stale: (o, args, d) => {
    if (args.length > 2) throw argumentError(d);
    const [time, mode = 'immediate'] = args;
    o.stale.forMs = time === undefined ? LONG_SECONDS * 1000 : needDuration(time);
    if (o.stale.forMs < 0) throw plainError('invalid negative duration for serve_stale');
    if (!['immediate', 'verify'].includes(mode.toLowerCase()))
      throw plainError(`invalid value for serve_stale refresh mode: ${mode.toLowerCase()}`);
    o.stale.verify = mode.toLowerCase() === 'verify';
  },
  servfail: (o, args, d) => {
    if (args.length !== 1) throw argumentError(d);
    o.failureMs = needDuration(args[0]);
    if (o.failureMs < 0) throw plainError('invalid negative ttl for servfail');
    if (o.failureMs > MOST_FAILURE_MS) throw plainError('caching SERVFAIL responses over 5 minutes is not permitted');
  },
  disable: (o, args, d) => {
    some(o, args, d);
    const [kind, ...zones] = args;
    if (kind !== 'success' && kind !== 'denial') throw plainError('cache type for disable must be "success" or "denial"');
    o.except[kind] = zones.length ? zones.map(zoneName) : ['.'];
  },
  keepttl: (o, args, d) => {
    if (args.length) throw argumentError(d);
    o.keepTtl = true;
  },
};

export function cacheOptions({ directive, all, block }: Setup): Options {
  if (all.length > 1) throw plainError(ONCE);
  const [first] = directive.args;
  const max = first !== undefined && /^[-+]?\d+$/.test(first) ? Number(first) : null;
  if (max !== null && max <= 0) throw plainError(`cache TTL can not be zero or negative: ${max}`);
  const o: Options = {
    zones: zonesOf(directive.args.slice(max === null ? 0 : 1), block.zones),
    capacity: { success: CAPACITY, denial: CAPACITY },
    most: { success: max ?? LONG_SECONDS, denial: max ?? LONG_SECONDS / 2 },
    least: { success: SHORT_SECONDS, denial: SHORT_SECONDS },
    failureMs: SHORT_SECONDS * 1000,
    except: { success: [], denial: [] },
    prefetch: { amount: 0, withinMs: 60_000, percentage: 10 },
    stale: { forMs: 0, verify: false },
    keepTtl: false,
  };
  for (const d of directive.body) {
    if (!Object.hasOwn(RULES, d.name)) throw argumentError({ ...d, args: [] });
    RULES[d.name](o, d.args, d);
  }
  return o;
}

// limit, hashlimit, statistic, recent (libxt_limit.c, libxt_hashlimit.c, libxt_statistic.c, libxt_recent.c 1.8.9; xt_*.c of Linux 6.18).
import { formatIp, type Ip, ipKey, parseIp } from '../../../wire/ip.ts';
import type { Skb } from '../../types.ts';
import { badNumber, badRange, needsAlso, notTogether } from '../problems.ts';
import type { HookContext } from '../types.ts';
import { kernelRefuses, masked, maskOf, type Option, type ParseContext, type Problem, parseUint, usage } from '../values.ts';
import { always, type Built, bang, last, type MatchRow } from './row.ts';

const UNITS: [string, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['min', 60],
  ['sec', 1],
];
const NAMES: [string, number][] = [
  ['second', 1],
  ['minute', 60],
  ['hour', 3600],
  ['day', 86_400],
];
const SCALE = 10_000;

/** `5/min` -> the time one packet costs, in 1/10000 s. */
function parseRate(text: string): number | null {
  const m = /^(\d+)(?:\/([a-z]+))?$/i.exec(text);
  if (!m) return null;
  const unit = m[2] === undefined ? NAMES[0] : NAMES.find(([name]) => name.startsWith(m[2].toLowerCase()));
  const n = Number(m[1]);
  if (!unit || n === 0) return null;
  const cost = Math.floor((SCALE * unit[1]) / n);
  return cost === 0 ? null : cost;
}

function rateText(cost: number): string {
  let i = 1;
  for (; i < UNITS.length; i++) {
    const mult = UNITS[i][1] * SCALE;
    if (cost > mult || Math.floor(mult / cost) < mult % cost) break;
  }
  return `${Math.floor((UNITS[i - 1][1] * SCALE) / cost)}/${UNITS[i - 1][0]}`;
}

interface Bucket {
  credit: number;
  atMs: number;
}

/** A token bucket in 1/10000 s: full at first, refilled by the clock. */
function take(bucket: Bucket, nowMs: number, cost: number, burst: number): boolean {
  bucket.credit = Math.min(cost * burst, bucket.credit + (nowMs - bucket.atMs) * (SCALE / 1000));
  bucket.atMs = nowMs;
  if (bucket.credit < cost) return false;
  bucket.credit -= cost;
  return true;
}

function buildLimit(options: Option[]): Built | Problem {
  const o = last(options, '--limit');
  const b = last(options, '--limit-burst');
  const cost = o ? parseRate(o.value) : (SCALE * 3600) / 3;
  if (cost === null) return usage(`bad rate "${o?.value}"'`);
  const burst = b ? parseUint(b.value, 0, 10_000) : 5;
  if (burst === null) return badRange('limit', '--limit-burst', 0, 10_000);
  let bucket: Bucket | null = null;
  return {
    test: (_skb, ctx) => {
      const now = ctx.netns.kernel.sim.nowMs;
      bucket ??= { credit: cost * burst, atMs: now };
      return take(bucket, now, cost, burst);
    },
    save: ` --limit ${rateText(cost)}${burst === 5 ? '' : ` --limit-burst ${burst}`}`,
    list: always(` limit: avg ${rateText(cost)} burst ${burst}`),
  };
}

const MODES = ['srcip', 'srcport', 'dstip', 'dstport'];

function hashKey(skb: Skb, modes: string[], srcBits: number, dstBits: number): string {
  const p = skb.packet;
  const b = p.body;
  const ported = b.kind === 'tcp' || b.kind === 'udp' || b.kind === 'sctp' ? b : null;
  return modes
    .map(m => {
      if (m === 'srcip') return ipKey(masked(p.src, maskOf(srcBits, p.family)));
      if (m === 'dstip') return ipKey(masked(p.dst, maskOf(dstBits, p.family)));
      return String(m === 'srcport' ? (ported?.sport ?? 0) : (ported?.dport ?? 0));
    })
    .join('|');
}

function buildHashlimit(options: Option[], c: ParseContext): Built | Problem {
  const upto = last(options, '--hashlimit-upto') ?? last(options, '--hashlimit');
  const above = last(options, '--hashlimit-above');
  const o = upto ?? above;
  if (!o) return usage('You have to specify --hashlimit');
  const cost = parseRate(o.value);
  if (cost === null) return usage(`bad rate "${o.value}"'`);
  const name = last(options, '--hashlimit-name')?.value;
  if (!name) return usage('hashlimit: option "--hashlimit-name" must be specified');
  const burst = parseUint(last(options, '--hashlimit-burst')?.value ?? '5', 1, 10_000);
  if (burst === null) return badRange('hashlimit', '--hashlimit-burst', 1, 10_000);
  const given = last(options, '--hashlimit-mode')?.value.split(',') ?? [];
  const bad = given.find(m => !MODES.includes(m));
  if (bad !== undefined) return usage(`hashlimit: Bad value for "--hashlimit-mode" option: "${given.join(',')}"`);
  const modes = ['dstip', 'srcip', 'srcport', 'dstport'].filter(m => given.includes(m));
  const printed = ['srcip', 'srcport', 'dstip', 'dstport'].filter(m => given.includes(m)).join(',');
  const full = c.family === 4 ? 32 : 128;
  const srcBits = parseUint(last(options, '--hashlimit-srcmask')?.value ?? String(full), 0, full) ?? full;
  const dstBits = parseUint(last(options, '--hashlimit-dstmask')?.value ?? String(full), 0, full) ?? full;
  const expire = last(options, '--hashlimit-htable-expire')?.value;
  const isAbove = (above !== undefined && !upto) !== o.invert;
  const buckets = new Map<string, Bucket>();
  const masks = (srcBits === full ? '' : ` --hashlimit-srcmask ${srcBits}`) + (dstBits === full ? '' : ` --hashlimit-dstmask ${dstBits}`);
  return {
    test: (skb, ctx) => {
      const now = ctx.netns.kernel.sim.nowMs;
      const key = hashKey(skb, modes, srcBits, dstBits);
      let bucket = buckets.get(key);
      if (!bucket) buckets.set(key, (bucket = { credit: cost * burst, atMs: now }));
      return take(bucket, now, cost, burst) !== isAbove;
    },
    save:
      ` --hashlimit-${isAbove ? 'above' : 'upto'} ${rateText(cost)} --hashlimit-burst ${burst}` +
      `${printed ? ` --hashlimit-mode ${printed}` : ''} --hashlimit-name ${name}${expire ? ` --hashlimit-htable-expire ${expire}` : ''}${masks}`,
    list: always(
      ` limit: ${isAbove ? 'above' : 'up to'} ${rateText(cost)} burst ${burst}${printed ? ` mode ${printed.replaceAll(',', '-')}` : ''}` +
        (expire ? ` htable-expire ${expire}` : '') +
        (srcBits === full ? '' : ` srcmask ${srcBits}`) +
        (dstBits === full ? '' : ` dstmask ${dstBits}`),
    ),
  };
}

function buildStatistic(options: Option[]): Built | Problem {
  const mode = last(options, '--mode')?.value ?? 'random';
  if (mode !== 'random' && mode !== 'nth') return usage(`Bad mode "${mode}"`);
  const p = last(options, '--probability');
  const every = last(options, '--every');
  const packet = last(options, '--packet');
  if (mode === 'random') {
    if (!p) return usage('--probability must be specified when using random mode');
    const probability = Number(p.value);
    if (!/^[\d.eE+-]+$/.test(p.value) || !(probability >= 0 && probability <= 1)) return badRange('statistic', '--probability', 0, 1);
    const stored = Math.round(probability * 0x80000000);
    const text = (dashes: string) => ` ${dashes}mode random${bang(p)} ${dashes}probability ${(stored / 0x80000000).toFixed(11)}`;
    return {
      test: (_skb, ctx) => ctx.netns.kernel.sim.chance(stored / 0x80000000) !== p.invert,
      save: text('--'),
      list: always(` statistic${text('')}`),
    };
  }
  if (!every) return usage('--every must be specified when using nth mode');
  if (!packet) return needsAlso('statistic', '--every', '--packet');
  const n = parseUint(every.value, 1);
  if (n === null) return badRange('statistic', '--every', 1, 0xffffffff);
  const first = parseUint(packet.value);
  if (first === null) return badNumber('statistic', '--packet');
  if (first >= n) return usage('the --packet p must be 0 <= p <= n-1');
  // xt_statistic.c: the counter runs from 0 to every - 1 and hits when it is at its end.
  let count = n - first - 1;
  return {
    test: () => {
      const hit = count === n - 1;
      count = hit ? 0 : count + 1;
      return hit !== every.invert;
    },
    save: ` --mode nth${bang(every)} --every ${n} --packet ${first}`,
    list: always(` statistic mode nth${bang(every)} every ${n}${first ? ` packet ${first}` : ''}`),
  };
}

const RECENT_MODES: Record<string, string> = { '--set': 'SET', '--rcheck': 'CHECK', '--update': 'UPDATE', '--remove': 'REMOVE' };
/** ip_list_tot and ip_pkt_list_tot, the module's parameters. */
const RECENT_ADDRESSES = 100;
const RECENT_STAMPS = 20;

interface Recent {
  mode: string;
  invert: boolean;
  seconds: number;
  reap: boolean;
  hits: number;
  name: string;
  mask: Ip;
  side: 'src' | 'dst';
}

function recentTest(r: Recent, skb: Skb, ctx: HookContext): boolean {
  const tables = ctx.netns.netfilter.recent;
  let table = tables.get(r.name);
  if (!table) tables.set(r.name, (table = new Map()));
  const key = ipKey(masked(skb.packet[r.side], r.mask));
  const now = ctx.netns.kernel.sim.nowMs;
  const stamps = table.get(key);
  let result = r.invert;
  if (!stamps) {
    if (r.mode !== '--set') return result;
    if (table.size >= RECENT_ADDRESSES) table.delete(table.keys().next().value as string);
    table.set(key, [now]);
    return !result;
  }
  const since = now - r.seconds * 1000;
  if (r.mode === '--set') result = !result;
  else if (r.mode === '--remove') {
    table.delete(key);
    return !result;
  } else {
    let hits = 0;
    for (const at of stamps) {
      if (r.seconds && at < since) continue;
      if (!r.hits || ++hits >= r.hits) {
        result = !result;
        break;
      }
    }
    if (r.reap) reap(table, since);
  }
  if (r.mode === '--set' || (r.mode === '--update' && result)) {
    stamps.push(now);
    if (stamps.length > RECENT_STAMPS) stamps.shift();
    table.delete(key); // moves to the end: the least recently seen is the first to go
    table.set(key, stamps);
  }
  return result;
}

/** recent_entry_reap: only the oldest one is looked at. */
function reap(table: Map<string, number[]>, since: number): void {
  const oldest = table.entries().next().value;
  if (oldest && oldest[1][oldest[1].length - 1] < since) table.delete(oldest[0]);
}

function buildRecent(options: Option[], c: ParseContext): Built | Problem {
  const modes = options.filter(o => o.name in RECENT_MODES);
  if (!modes.length) return usage("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'");
  if (modes.length > 1) return notTogether('recent', modes[0].name, modes[1].name);
  const seconds = last(options, '--seconds');
  const hitcount = last(options, '--hitcount');
  const reaping = last(options, '--reap');
  const s = seconds ? parseUint(seconds.value, 1) : 0;
  if (s === null) return badRange('recent', '--seconds', 1, 0xffffffff);
  const h = hitcount ? parseUint(hitcount.value, 1) : 0;
  if (h === null) return badRange('recent', '--hitcount', 1, 0xffffffff);
  if (reaping && !seconds) return needsAlso('recent', '--reap', '--seconds');
  const mode = modes[0].name;
  if ((seconds || hitcount || reaping) && (mode === '--set' || mode === '--remove')) return kernelRefuses();
  if (h > 255) return kernelRefuses();
  const rdest = last(options, '--rdest') !== undefined;
  const maskGiven = last(options, '--mask');
  const mask = maskGiven ? parseMask(maskGiven.value, c) : maskOf(c.family === 4 ? 32 : 128, c.family);
  if (!mask) return usage(`recent: Bad value for "--mask" option: "${maskGiven?.value}"`);
  const r: Recent = {
    mode,
    invert: modes[0].invert,
    seconds: s,
    reap: reaping !== undefined,
    hits: h,
    name: last(options, '--name')?.value ?? 'DEFAULT',
    mask,
    side: rdest ? 'dst' : 'src',
  };
  const ttl = last(options, '--rttl') !== undefined;
  return {
    test: (skb, ctx) => recentTest(r, skb, ctx),
    save:
      `${bang(r)} ${mode}${s ? ` --seconds ${s}` : ''}${r.reap ? ' --reap' : ''}${h ? ` --hitcount ${h}` : ''}${ttl ? ' --rttl' : ''}` +
      ` --name ${r.name} --mask ${formatIp(mask)} --r${rdest ? 'dest' : 'source'}`,
    list: always(
      `${bang(r)} recent: ${RECENT_MODES[mode]}${s ? ` seconds: ${s}` : ''}${r.reap ? ' reap' : ''}${h ? ` hit_count: ${h}` : ''}` +
        `${ttl ? ' TTL-Match' : ''} name: ${r.name} side: ${rdest ? 'dest' : 'source'} mask: ${formatIp(mask)}`,
    ),
  };
}

function parseMask(text: string, c: ParseContext): Ip | null {
  const ip = parseIp(text);
  return ip && ip.length === (c.family === 4 ? 4 : 16) ? ip : null;
}

export const RATE_MATCHES: MatchRow[] = [
  { name: 'limit', options: { '--limit': 1, '--limit-burst': 1 }, build: buildLimit },
  {
    name: 'hashlimit',
    options: {
      '--hashlimit': 1,
      '--hashlimit-upto': 1,
      '--hashlimit-above': 1,
      '--hashlimit-burst': 1,
      '--hashlimit-mode': 1,
      '--hashlimit-name': 1,
      '--hashlimit-srcmask': 1,
      '--hashlimit-dstmask': 1,
      '--hashlimit-htable-expire': 1,
    },
    build: buildHashlimit,
  },
  { name: 'statistic', options: { '--mode': 1, '--probability': 1, '--every': 1, '--packet': 1 }, build: buildStatistic },
  {
    name: 'recent',
    options: {
      '--set': 0,
      '--rcheck': 0,
      '--update': 0,
      '--remove': 0,
      '--seconds': 1,
      '--reap': 0,
      '--hitcount': 1,
      '--rttl': 0,
      '--name': 1,
      '--mask': 1,
      '--rsource': 0,
      '--rdest': 0,
    },
    build: buildRecent,
  },
];

// conntrack, state, mark, connmark, connlimit (libxt_conntrack.c, libxt_mark.c, libxt_connmark.c, libxt_connlimit.c 1.8.9).
import { formatIp, type Ip } from '../../../wire/ip.ts';
import { entriesFrom } from '../conntrack.ts';
import { badNumber, needsOption, repeated } from '../problems.ts';
import type { CtEntry, CtRef, CtTuple } from '../types.ts';
import {
  isProblem,
  markText,
  maskSuffix,
  matchesMask,
  type Option,
  type ParseContext,
  type Problem,
  parseAddress,
  parseMark,
  parsePort,
  parseUint,
  protocolNumber,
  usage,
} from '../values.ts';
import { always, type Built, bang, last, type MatchRow } from './row.ts';

const STATES = ['INVALID', 'NEW', 'RELATED', 'ESTABLISHED', 'UNTRACKED', 'SNAT', 'DNAT'] as const;
const STATUSES = ['NONE', 'EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED'] as const;

function words(text: string, known: readonly string[], complaint: string): Set<string> | Problem {
  const out = new Set<string>();
  for (const word of text.split(',')) {
    const upper = word.toUpperCase();
    if (!known.includes(upper)) return usage(`${complaint} "${text}"`);
    out.add(upper);
  }
  return out;
}

const inOrder = (set: Set<string>, order: readonly string[]) => order.filter(w => set.has(w)).join(',');

function hasState(states: Set<string>, ct: CtRef | null): boolean {
  if (!ct) return states.has('INVALID');
  if (states.has(ct.info)) return true;
  if (ct.info === 'UNTRACKED' || ct.info === 'INVALID') return false;
  return (states.has('SNAT') && ct.entry.snat) || (states.has('DNAT') && ct.entry.dnat);
}

/** Any of the bits; NONE is a mask without any, which no flow meets (conntrack_mt in xt_conntrack.c). */
function hasStatus(statuses: Set<string>, e: CtEntry): boolean {
  return (
    (statuses.has('EXPECTED') && e.master !== null) ||
    (statuses.has('SEEN_REPLY') && e.seenReply) ||
    (statuses.has('ASSURED') && e.assured) ||
    (statuses.has('CONFIRMED') && e.confirmed)
  );
}

const TUPLES: Record<string, [(e: CtEntry) => CtTuple, 'src' | 'dst']> = {
  '--ctorigsrc': [e => e.original, 'src'],
  '--ctorigdst': [e => e.original, 'dst'],
  '--ctreplsrc': [e => e.reply, 'src'],
  '--ctrepldst': [e => e.reply, 'dst'],
};

const PORTS: Record<string, (e: CtEntry) => number> = {
  '--ctorigsrcport': e => e.original.sport,
  '--ctorigdstport': e => e.original.dport,
  '--ctreplsrcport': e => e.reply.sport,
  '--ctrepldstport': e => e.reply.dport,
};

/** The order in which conntrack_dump prints. */
const CT_ORDER = [
  '--ctstate',
  '--ctproto',
  '--ctorigsrc',
  '--ctorigdst',
  '--ctreplsrc',
  '--ctrepldst',
  '--ctorigsrcport',
  '--ctorigdstport',
  '--ctreplsrcport',
  '--ctrepldstport',
  '--ctstatus',
  '--ctexpire',
  '--ctdir',
];

interface CtTest {
  text: string;
  test: (ct: CtRef, nowMs: number) => boolean;
}

function ctTest(o: Option, c: ParseContext): CtTest | Problem {
  if (o.name === '--ctproto') {
    const proto = protocolNumber(o.value);
    return proto === null
      ? usage(`unknown protocol "${o.value}" specified`)
      : { text: String(proto), test: ct => ct.entry.original.proto === proto };
  }
  if (o.name in TUPLES) {
    const a = parseAddress(o.value, c.family);
    if (isProblem(a)) return a;
    const [tuple, side] = TUPLES[o.name];
    return {
      text: formatIp(a.host) + (a.bits < 0 ? '' : maskSuffix(a.mask, a.bits)),
      test: ct => matchesMask(tuple(ct.entry)[side], a.ip, a.mask),
    };
  }
  if (o.name in PORTS) {
    const [a, b] = o.value.split(':');
    const low = parsePort(a, c.proto);
    const high = b === undefined ? low : parsePort(b, c.proto);
    if (low === null || high === null) return usage(`invalid port/service \`${o.value}' specified`);
    const port = PORTS[o.name];
    return { text: low === high ? String(low) : `${low}:${high}`, test: ct => port(ct.entry) >= low && port(ct.entry) <= high };
  }
  if (o.name === '--ctstatus') {
    const set = words(o.value, STATUSES, 'Bad ctstatus');
    return isProblem(set) ? set : { text: inOrder(set, STATUSES), test: ct => hasStatus(set, ct.entry) };
  }
  if (o.name === '--ctexpire') {
    const [a, b] = o.value.split(':');
    const low = parseUint(a);
    const high = b === undefined ? low : parseUint(b);
    if (low === null || high === null) return badNumber('conntrack', o.name);
    const left = (ct: CtRef, nowMs: number) => Math.floor((ct.entry.expiresAtMs - nowMs) / 1000);
    return { text: low === high ? String(low) : `${low}:${high}`, test: (ct, now) => left(ct, now) >= low && left(ct, now) <= high };
  }
  const upper = o.value.toUpperCase();
  if (upper !== 'ORIGINAL' && upper !== 'REPLY') return usage(`conntrack: Bad value for "--ctdir" option: "${o.value}"`);
  return { text: upper, test: ct => ct.direction === upper.toLowerCase() };
}

function buildConntrack(options: Option[], c: ParseContext): Built | Problem {
  if (!options.length) return usage('conntrack: At least one option is required');
  const twice = repeated('conntrack', options);
  if (twice) return twice;
  const state = last(options, '--ctstate');
  const states = state ? words(state.value, STATES, 'Bad ctstate') : null;
  if (isProblem(states)) return states;
  const tests: { name: string; invert: boolean; t: CtTest }[] = [];
  for (const o of options) {
    if (o.name === '--ctstate') continue;
    const t = ctTest(o, c);
    if (isProblem(t)) return t;
    tests.push({ name: o.name, invert: o.invert, t });
  }
  tests.sort((a, b) => CT_ORDER.indexOf(a.name) - CT_ORDER.indexOf(b.name));
  const text = (dashes: string) =>
    (state && states ? `${bang(state)} ${dashes}ctstate ${inOrder(states, STATES)}` : '') +
    tests.map(x => `${bang(x)} ${dashes}${x.name.slice(2)} ${x.t.text}`).join('');
  const onlyState = tests.length === 0 && states && state ? { states, invert: state.invert } : null;
  return {
    test: (skb, ctx) => {
      if (onlyState) return hasState(onlyState.states, skb.ct) !== onlyState.invert;
      if (state && states && hasState(states, skb.ct) === state.invert) return false;
      const ct = skb.ct;
      if (!ct || ct.info === 'UNTRACKED' || ct.info === 'INVALID') return false;
      return tests.every(x => x.t.test(ct, ctx.netns.kernel.sim.nowMs) !== x.invert);
    },
    save: text('--'),
    list: always(text('')),
  };
}

function buildState(options: Option[]): Built | Problem {
  const o = last(options, '--state');
  if (!o) return needsOption('state', '--state');
  const known = STATES.slice(0, 5);
  const states = words(o.value, known, 'Bad state');
  if (isProblem(states)) return states;
  const text = inOrder(states, known);
  return {
    test: skb => hasState(states, skb.ct) !== o.invert,
    save: `${bang(o)} --state ${text}`,
    list: always(`${bang(o)} state ${text}`),
  };
}

function markBuilder(module: 'mark' | 'connmark') {
  return (options: Option[]): Built | Problem => {
    const twice = repeated(module, options);
    if (twice) return twice;
    const o = last(options, '--mark');
    if (!o) return needsOption(module, '--mark');
    const m = parseMark(o.value);
    if (!m) return badNumber(module, '--mark');
    const [value, mask] = m;
    const text = markText(value, mask);
    return {
      test:
        module === 'mark'
          ? skb => ((skb.mark & mask) >>> 0 === value) !== o.invert
          : skb => skb.ct !== null && skb.ct.info !== 'UNTRACKED' && ((skb.ct.entry.mark & mask) >>> 0 === value) !== o.invert,
      save: `${bang(o)} --mark ${text}`,
      list: always(module === 'mark' ? ` mark match${bang(o)} ${text}` : ` connmark match ${o.invert ? '!' : ''} ${text}`),
    };
  };
}

function buildConnlimit(options: Option[], c: ParseContext): Built | Problem {
  const above = last(options, '--connlimit-above');
  const upto = last(options, '--connlimit-upto');
  const o = above ?? upto;
  if (!o) return usage('You must specify "--connlimit-above" or "--connlimit-upto".');
  const limit = parseUint(o.value);
  if (limit === null) return badNumber('connlimit', o.name);
  const maskOption = last(options, '--connlimit-mask');
  const bits = maskOption ? parseUint(maskOption.value, 0, c.family === 4 ? 32 : 128) : c.family === 4 ? 32 : 128;
  if (bits === null) return badNumber('connlimit', '--connlimit-mask');
  const side: 'src' | 'dst' = last(options, '--connlimit-daddr') ? 'dst' : 'src';
  const over = (above !== undefined) !== o.invert;
  return {
    test: (skb, ctx) => {
      const key: Ip = skb.packet[side];
      const n = entriesFrom(ctx.netns, key, bits, side, skb.ct?.entry ?? null);
      return over ? n > limit : n <= limit;
    },
    save: ` --connlimit-${over ? 'above' : 'upto'} ${limit} --connlimit-mask ${bits} --connlimit-${side === 'src' ? 's' : 'd'}addr`,
    list: always(` #conn ${side}/${bits} ${over ? '>' : '<='} ${limit}`),
  };
}

export const CT_MATCHES: MatchRow[] = [
  {
    name: 'conntrack',
    options: Object.fromEntries(CT_ORDER.map(name => [name, 1 as const])),
    build: buildConntrack,
  },
  { name: 'state', options: { '--state': 1 }, build: buildState },
  { name: 'mark', options: { '--mark': 1 }, build: markBuilder('mark') },
  { name: 'connmark', options: { '--mark': 1 }, build: markBuilder('connmark') },
  {
    name: 'connlimit',
    options: { '--connlimit-above': 1, '--connlimit-upto': 1, '--connlimit-mask': 1, '--connlimit-saddr': 0, '--connlimit-daddr': 0 },
    build: buildConnlimit,
  },
];

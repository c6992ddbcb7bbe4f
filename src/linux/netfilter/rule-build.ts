// From a rule's words, taken apart, to rules that packets can be tried on: what is wrong with them is told in do_parse's order (xshared.c 1.8.9).
import type { Netns } from '../types.ts';
import type { MatchRow } from './matches/row.ts';
import { checkTogether } from './option-entries.ts';
import type { TargetRow } from './targets/row.ts';
import { VERDICTS } from './targets.ts';
import type { AddrTest, Rule, Table, Target } from './types.ts';
import { isProblem, kernelRefuses, type Option, type ParseContext, type Problem, parseAddress, usage } from './values.ts';

/** A rule's words, taken apart. `rest` of the command (-A, -t, -n …) is the caller's. */
export interface RuleWords {
  src: { text: string; invert: boolean } | null;
  dst: { text: string; invert: boolean } | null;
  in: { name: string; invert: boolean } | null;
  out: { name: string; invert: boolean } | null;
  proto: number;
  protoInvert: boolean;
  fragment: boolean | null;
  modules: { row: MatchRow; name: string; options: Option[]; closed: boolean }[];
  target: { name: string; row: TargetRow | null; options: Option[] } | null;
  goto: boolean;
  packets: number;
  bytes: number;
  counters: boolean;
}

export const newWords = (): RuleWords => ({
  src: null,
  dst: null,
  in: null,
  out: null,
  proto: 0,
  protoInvert: false,
  fragment: null,
  modules: [],
  target: null,
  goto: false,
  packets: 0,
  bytes: 0,
  counters: false,
});

/** Conntrack's hooks are registered once one of these is in a rule. */
const NEEDS_CONNTRACK = new Set([
  'conntrack',
  'state',
  'connmark',
  'connlimit',
  'DNAT',
  'SNAT',
  'MASQUERADE',
  'REDIRECT',
  'NETMAP',
  'CONNMARK',
]);

/** Whether the kernel tracks flows for the sake of a rule: of CT, only for what is more than --notrack (xt_ct_tg_check). */
export const needsConntrack = (rule: Rule): boolean =>
  rule.matches.some(m => NEEDS_CONNTRACK.has(m.module)) ||
  (!!rule.target?.run && (NEEDS_CONNTRACK.has(rule.target.name) || (rule.target.name === 'CT' && !rule.target.save.includes('--notrack'))));

/**
 * A rule for every pair of the addresses that -s and -d list. What is wrong is told in the order of do_parse: the extensions' options, the
 * addresses, devices that the chain cannot know, chains that are not there, and then what the kernel says.
 */
export function buildRules(
  w: RuleWords,
  table: Table,
  ns: Netns,
  trusted: boolean,
  chainName: string | null = null,
  laterChains = trusted,
): Rule[] | Problem {
  const c: ParseContext = { ns, family: table.family, table: table.name, proto: w.proto, protoInvert: w.protoInvert, trusted, laterChains };
  if (!trusted && table.name === 'nat' && w.target?.name === 'DROP') return natDrop;
  const early = trusted ? null : extensionProblem(w, c);
  if (early) return early;
  const sources = addresses(w.src, table);
  if (isProblem(sources)) return sources;
  const destinations = addresses(w.dst, table);
  if (isProblem(destinations)) return destinations;
  if ((w.src?.invert || w.dst?.invert) && (sources.length > 1 || destinations.length > 1))
    return usage('! not allowed with multiple source or destination IP addresses');
  const wrong = trusted ? null : wrongInterface(w, chainName);
  if (wrong) return wrong;
  const jump = jumpProblem(w, c, table);
  if (jump) return jump;
  if (chainName !== null && !laterChains && !table.chains.has(chainName)) return noChain;
  const out: Rule[] = [];
  for (const src of sources) {
    for (const dst of destinations) {
      const rule = buildRule(w, src, dst, c, table, chainName);
      if (isProblem(rule)) return rule;
      out.push(rule);
    }
  }
  return out;
}

/** do_parse, of a rule's target and a chain's policy alike. */
export const natDrop: Problem = usage('\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n');

/** The rule's own chain is not there: what that means is the command's to say. */
export const noChain: Problem = { problem: 'No chain/target/match by that name', kind: 'other' };

/** What is wrong with matches and the target by themselves (xtables_option_mfcall, xtables_option_tfcall). */
function extensionProblem(w: RuleWords, c: ParseContext): Problem | null {
  const all: { row: MatchRow | TargetRow; options: Option[] }[] = [...w.modules];
  if (w.target?.row) all.push({ row: w.target.row, options: w.target.options });
  for (const { row, options } of all) {
    const built = row.build(options, c);
    if (isProblem(built) && built.kind !== 'kernel') return built;
    const bad = checkTogether(row.name, options);
    if (bad) return bad;
  }
  return null;
}

/** A chain that is jumped to has to be there (assert_chain_exists). */
function jumpProblem(w: RuleWords, c: ParseContext, table: Table): Problem | null {
  const t = w.target;
  if (!t || t.row || c.laterChains) return null;
  const there = table.chains.has(t.name) || (!w.goto && VERDICTS.has(t.name));
  return there ? null : usage(`Chain '${t.name}' does not exist`);
}

/** Devices that cannot be known at a hook. */
function wrongInterface(w: RuleWords, chain: string | null): Problem | null {
  if ((chain === 'PREROUTING' || chain === 'INPUT') && w.out) return usage(`Can't use -o with ${chain}\n`);
  if ((chain === 'POSTROUTING' || chain === 'OUTPUT') && w.in) return usage(`Can't use -i with ${chain}\n`);
  return null;
}

function addresses(x: { text: string; invert: boolean } | null, table: Table): (AddrTest | null)[] | Problem {
  if (!x) return [null];
  const out: (AddrTest | null)[] = [];
  for (const text of x.text.split(',')) {
    const a = parseAddress(text, table.family);
    if (isProblem(a)) return a;
    out.push(a.bits === 0 && !x.invert ? null : { ip: a.ip, mask: a.mask, bits: a.bits, invert: x.invert });
  }
  return out;
}

function buildRule(
  w: RuleWords,
  src: AddrTest | null,
  dst: AddrTest | null,
  c: ParseContext,
  table: Table,
  chain: string | null,
): Rule | Problem {
  const rule: Rule = {
    src,
    dst,
    in: w.in?.name === '+' && !w.in.invert ? null : w.in,
    out: w.out?.name === '+' && !w.out.invert ? null : w.out,
    proto: w.proto,
    protoInvert: w.protoInvert,
    fragment: w.fragment,
    matches: [],
    target: null,
    goto: w.goto,
    packets: w.packets,
    bytes: w.bytes,
  };
  const hook = chain !== null && table.chains.get(chain)?.policy ? chain : null;
  for (const m of w.modules) {
    const built = m.row.build(m.options, c);
    if (isProblem(built)) return built;
    if (hook !== null && m.row.hooks && !(m.row.hooks as string[]).includes(hook)) return kernelRefuses();
    rule.matches.push({ module: m.name, ...built });
  }
  // `! -s 0.0.0.0/0` can match nothing, and the kernel says so.
  if ((src?.invert && src.bits === 0) || (dst?.invert && dst.bits === 0)) return kernelRefuses();
  const target = w.target ? buildTarget(w, c, table, chain) : null;
  if (isProblem(target)) return target;
  rule.target = target;
  return rule;
}

const NONE = () => '';

function buildTarget(w: RuleWords, c: ParseContext, table: Table, chain: string | null): Target | null | Problem {
  const t = w.target;
  if (!t) return null;
  if (!t.row) return { name: t.name, run: null, save: '', list: NONE };
  if (t.row.tables && !t.row.tables.includes(table.name)) return kernelRefuses();
  if (chain && t.row.hooks && table.chains.get(chain)?.policy && !t.row.hooks.includes(chain as never)) return kernelRefuses();
  const built = t.row.build(t.options, c);
  if (isProblem(built)) return built;
  return { name: t.name, ...built };
}

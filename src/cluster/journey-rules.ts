// Which of the rules that a traced packet matched decided what became of it. A packet matches dozens that only mark it, or that lead through
// chains which leave it as it is; what a person wants to read is the rule with the verdict, the way to it, and where its marks came from.
import type { TraceStep } from '../linux/types.ts';

/** A matched rule, and the jumps that led to it, outermost first. */
interface Matched {
  at: number;
  step: TraceStep;
  way: Matched[];
}

const TRANSLATIONS = /^(DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP)$/;
const REFUSALS = /^(DROP|REJECT|drop)$/;

const target = (s: TraceStep): string => String(s.detail?.target ?? '');
const chain = (s: TraceStep): string => String(s.detail?.chain ?? '');

export const refuses = (s: TraceStep): boolean => s.kind === 'rule' && (REFUSALS.test(target(s)) || /: policy (DROP|drop)$/.test(s.text));

const translates = (s: TraceStep): boolean =>
  TRANSLATIONS.test(target(s)) || (target(s) === 'accept' && /\b(dnat|snat|masquerade|redirect)\b/.test(s.text));

const accepts = (s: TraceStep): boolean => /^accept$/i.test(target(s));

/** The rules of one stay of a packet on a machine, each with the way to it: a rule's chain is what an earlier one jumped to. */
function matchedIn(steps: TraceStep[], from: number, to: number): Matched[] {
  const out: Matched[] = [];
  let way: Matched[] = [];
  for (let at = from; at < to; at++) {
    const step = steps[at];
    if (step.kind !== 'rule') continue;
    const last = out[out.length - 1];
    const same = last && last.step.detail?.table === step.detail?.table && last.step.detail?.hook === step.detail?.hook;
    if (same && target(last.step) === chain(step)) way = [...last.way, last];
    else {
      const level = same ? way.findIndex(w => chain(w.step) === chain(step)) : 0;
      if (level >= 0) way = way.slice(0, level);
    }
    out.push({ at, step, way });
  }
  return out;
}

interface Bits {
  value: number;
  mask: number;
}

const bits = (m: RegExpExecArray | null): Bits | null => m && { value: Number(m[1]), mask: m[2] === undefined ? 0xffffffff : Number(m[2]) };

/** Bits of the mark that the rule wants set. */
function wants(s: TraceStep): number {
  const b = bits(/--mark (0x[0-9a-f]+)(?:\/(0x[0-9a-f]+))?/.exec(s.text.replace(/! --mark \S+/, '')));
  if (b) return b.value & b.mask;
  const nft = /mark (?:and|&) (0x[0-9a-f]+) (?:!= 0x0+|== (0x[0-9a-f]*[1-9a-f][0-9a-f]*))\b/.exec(s.text);
  return nft ? Number(nft[1]) : 0;
}

/** Bits of the mark that it sets. */
function sets(s: TraceStep): number {
  const b = bits(/--set-(?:x)?mark (0x[0-9a-f]+)(?:\/(0x[0-9a-f]+))?/.exec(s.text));
  if (b) return b.value;
  return Number(/mark set (?:meta )?mark (?:or|\|) (0x[0-9a-f]+)/.exec(s.text)?.[1] ?? 0);
}

/** It asks nothing of the packet: the way from a hook into somebody's chain. */
function isDoor(m: Matched): boolean {
  if (m.way.length) return false;
  const asked = m.step.text
    .replace(/^.*?: -A \S+ ?/, '')
    .replace(/-m comment --comment ("[^"]*"|\S+) ?/g, '')
    .replace(/-m conntrack --ctstate NEW ?/, '');
  return /^-[jg] \S+$/.test(asked) || /^\S+ \S+ \S+: (ct state new )?jump \S+/.test(m.step.text);
}

/**
 * Indexes of the rules worth telling, of the steps [from, to) that a packet took on one machine: translations, refusals and, where marks
 * decided, acceptances; the conditional jumps to each; what set the marks; and the chains that a refusal comes at the end of.
 */
export function decidingRules(steps: TraceStep[], from: number, to: number): Set<number> {
  const all = matchedIn(steps, from, to);
  const told = new Set<number>();
  const tell = (m: Matched): void => {
    if (told.has(m.at)) return;
    told.add(m.at);
    for (const w of m.way) if (!isDoor(w)) tell(w);
    because(m);
  };
  /** Who set the bits that this rule asked for. */
  const because = (m: Matched): boolean => {
    const wanted = wants(m.step);
    const setter = wanted ? all.filter(x => x.at < m.at && sets(x.step) & wanted).pop() : undefined;
    if (setter) tell(setter);
    return !!setter;
  };
  for (const m of all) {
    if (translates(m.step)) tell(m);
    else if (refuses(m.step)) {
      tell(m);
      // A chain that refuses at its end asked others before.
      const asked = all.filter(x => x.at < m.at && m.way.length && chain(x.step) === chain(m.step) && x.way.at(-1) === m.way.at(-1));
      for (const x of asked) if (all.some(y => y.way.includes(x)) || isJump(x.step)) told.add(x.at);
    } else if (accepts(m.step) && because(m)) tell(m);
  }
  return told;
}

const isJump = (s: TraceStep): boolean =>
  !/^(MARK|RETURN|ACCEPT|CONNMARK|LOG|NFLOG|return|accept|continue)$/.test(target(s)) && !refuses(s);

export interface Ending {
  at: string;
  text: string;
  /** The rule, route or policy that decided so; absent: none did. */
  rule?: string;
}

/** Here a packet was stopped. */
export const isEnd = (s: TraceStep): boolean =>
  s.kind === 'drop' || s.kind === 'reject' || (s.kind === 'reply' && /^(RST|ABORT)/.test(s.text));

/** Why a connection came to nothing, from the first thing that stopped one of its packets. null: nothing on the way did. */
export function endingOf(steps: TraceStep[]): Ending | null {
  const at = steps.findIndex(isEnd);
  if (at < 0) return null;
  const { at: place, text } = steps[at];
  const rule = steps[at].kind === 'reply' ? undefined : steps.slice(0, at).findLast(s => s.kind === 'rule' && s.at === place);
  if (rule && refuses(rule)) return { at: place, text, rule: rule.text };
  // Who answers with an error before he drops says why at the drop.
  const why = steps.slice(at + 1).find(s => s.at === place && s.kind === 'drop' && !s.detail?.hook);
  return { at: place, text: steps[at].kind === 'reject' && why ? why.text : text };
}

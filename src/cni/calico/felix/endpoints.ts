// Chains of endpoints and the dispatch to them: felix/rules/{endpoints,dispatch}.go v3.32.
import { compareBytes, stringToBytes } from '../../../sim/bytes.ts';
import { sha3_224 } from '../../../sim/sha3.ts';
import type { FelixConfig } from './config.ts';
import { policyChainName, profileChainName } from './policy.ts';
import { action, base64url, type Chain, limitedName, match, type Rule, rule } from './rules.ts';

export interface PolicyRef {
  /** `knp/NS/NAME`, `np/NS/NAME`, `gnp/NAME`, `kcnp/NAME` */
  id: string;
  name: string;
  namespace: string;
  kind: string;
  /** Canonical text; policies that stand together and select alike share a chain. */
  selector: string;
  staged: boolean;
}

export interface TierPolicies {
  name: string;
  /** What happens at its end to packets that no policy decided. */
  defaultPass: boolean;
  ingress: PolicyRef[];
  egress: PolicyRef[];
}

type Direction = 'ingress' | 'egress';

const CHAIN_HASH = 20;

/** PolicyGroup.UniqueID */
function groupName(direction: Direction, group: PolicyRef[]): string {
  const lines = [group[0].selector, direction === 'ingress' ? 'inbound' : 'outbound', String(group.length)];
  for (const p of group) lines.push(`{Name: ${p.name}, Namespace: ${p.namespace}, Kind: ${p.kind}}`);
  const hash = base64url(sha3_224(stringToBytes(lines.map(l => `${l}\n`).join(''))));
  return (direction === 'ingress' ? 'cali-gi-' : 'cali-go-') + hash.slice(0, CHAIN_HASH);
}

function groups(policies: PolicyRef[]): PolicyRef[][] {
  const out: PolicyRef[][] = [];
  for (const p of policies) {
    const last = out[out.length - 1];
    if (last && last[0].selector === p.selector) last.push(p);
    else out.push([p]);
  }
  return out;
}

/** To keep the rules few, a group looks at its verdict only every so many policies. */
const RETURN_STRIDE = 5;

function groupChain(direction: Direction, group: PolicyRef[], c: FelixConfig): Chain {
  const verdict = (c.pass | c.accept) >>> 0;
  const rules: Rule[] = [];
  group.forEach((p, i) => {
    if (i && i % RETURN_STRIDE === 0) rules.push(rule([match.markNotClear(verdict)], action.return, 'Return on verdict'));
    const parts = i % RETURN_STRIDE === 0 ? [] : [match.markClear(verdict)];
    rules.push(rule(parts, action.jump(policyChainName(direction, p.id, c))));
  });
  return { name: groupName(direction, group), rules };
}

export interface EndpointChain {
  name: string;
  direction: Direction;
  type: 'normal' | 'forward' | 'untracked' | 'preDNAT';
  allow: string;
  failsafe: string | null;
  tiers: TierPolicies[];
  profiles: string[];
  /** Workloads may not wrap their traffic to get round their policy. */
  dropEncapsulated: boolean;
}

/** The chain and those of its policy groups. */
export function endpointChains(e: EndpointChain, c: FelixConfig): Chain[] {
  const rules: Rule[] = [];
  if (e.type !== 'untracked') {
    const established = match.ctstate('RELATED,ESTABLISHED');
    if (e.allow !== action.accept) rules.push(rule([established], action.setMark(c.accept)));
    rules.push(rule([established], e.allow));
    if (c.dropInvalid) rules.push(rule([match.ctstate('INVALID')], c.filterDeny));
  }
  if (e.failsafe) rules.push(rule([], action.jump(e.failsafe)));
  rules.push(rule([], action.clearMark((c.accept | c.pass) >>> 0)));
  if (e.dropEncapsulated && !c.allowVxlanFromWorkloads) {
    const vxlan = [match.protocol(17), match.ports('dst', String(c.vxlanPort))];
    rules.push(rule(vxlan, c.filterDeny, `${c.denyWord} VXLAN encapped packets originating in workloads`));
  }
  if (e.dropEncapsulated && !c.allowIpipFromWorkloads) {
    rules.push(rule([match.protocol(4)], c.filterDeny, `${c.denyWord} IPinIP encapped packets originating in workloads`));
  }
  const chains: Chain[] = [];
  for (const tier of e.tiers) tierRules(e, tier, c, rules, chains);
  if (!e.tiers.length && e.type === 'forward') {
    rules.push(
      rule([], action.setMark(c.accept), 'Allow forwarded traffic by default'),
      rule([], action.return, 'Return for accepted forward traffic'),
    );
  }
  if (e.type === 'normal') {
    for (const profile of e.profiles) {
      rules.push(
        rule([], action.jump(profileChainName(e.direction, profile, c))),
        rule([match.markSet(c.accept)], action.return, 'Return if profile accepted'),
      );
    }
    rules.push(rule([], c.filterDeny, `${c.denyWord} if no profiles matched`));
  }
  return [{ name: e.name, rules }, ...chains];
}

function tierRules(e: EndpointChain, tier: TierPolicies, c: FelixConfig, rules: Rule[], chains: Chain[]): void {
  const policies = tier[e.direction];
  if (!policies.length) return;
  rules.push(rule([], action.clearMark(c.pass), `Start of tier ${tier.name}`));
  const enforced = policies.filter(p => !p.staged);
  for (const group of groups(enforced)) {
    let target = policyChainName(e.direction, group[0].id, c);
    if (group.length > 1) {
      const chain = groupChain(e.direction, group, c);
      chains.push(chain);
      target = chain.name;
    }
    rules.push(rule([match.markClear(c.pass)], action.jump(target)));
    if (e.type === 'untracked') rules.push(rule([match.markSet(c.accept)], action.notrack));
    rules.push(rule([match.markSet(c.accept)], action.return, 'Return if policy accepted'));
  }
  const ends = e.type === 'normal' || e.type === 'forward';
  if (ends && enforced.length && !tier.defaultPass) {
    rules.push(rule([match.markClear(c.pass)], c.filterDeny, `End of tier ${tier.name}. ${c.denyWord} if no policies passed packet`));
  }
}

// -- dispatch: by interface name, through a shallow tree of prefixes

function commonPrefix(names: string[]): string {
  if (!names.length) return '';
  let n = 0;
  while (n < names[0].length && names.every(x => x[n] === names[0][n])) n++;
  return names[0].slice(0, n);
}

export function dispatchChains(root: string, names: string[], endpointPrefix: string, side: 'in' | 'out', end: Rule[]): Chain[] {
  const sorted = [...new Set(names)].sort(compareBytes);
  const common = commonPrefix(sorted);
  const byPrefix = new Map<string, string[]>();
  for (const name of sorted) {
    const prefix = name.length > common.length ? name.slice(0, common.length + 1) : common;
    const list = byPrefix.get(prefix);
    if (list) list.push(name);
    else byPrefix.set(prefix, [name]);
  }
  const to = (name: string) => rule([match[side](name)], action.goto(limitedName(endpointPrefix, name)));
  const rules: Rule[] = [];
  const chains: Chain[] = [];
  for (const [prefix, group] of byPrefix) {
    if (group.length === 1) {
      rules.push(to(group[0]));
      continue;
    }
    const child = `${root}-${prefix.slice(common.length)}`;
    rules.push(rule([match[side](`${prefix}+`)], action.goto(child)));
    chains.push({ name: child, rules: [...group.map(to), ...end] });
  }
  return [{ name: root, rules: [...rules, ...end] }, ...chains];
}

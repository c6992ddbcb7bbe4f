// From the model to a node's chains: endpoints with their tiers, the policies and profiles that they lead to, and dispatch.
import type { Family } from '../../../wire/ip.ts';
import type { FelixConfig } from './config.ts';
import { dispatchChains, endpointChains, type PolicyRef, type TierPolicies } from './endpoints.ts';
import type { ApiRule } from './kubernetes.ts';
import { type Endpoint, type Model, type Policy, policiesFor, type Tier } from './model.ts';
import { policyChainName, policyRules, profileChainName, type RuleOwner } from './policy.ts';
import { action, type Chain, limitedName, match, type Rule, rule } from './rules.ts';
import { protoRule, type SetSpec } from './scanner.ts';
import type { TableChains } from './static.ts';

const DIRECTIONS = ['ingress', 'egress'] as const;

const ref = (p: Policy): PolicyRef => ({
  id: p.id,
  name: p.name,
  namespace: p.namespace,
  kind: p.kind,
  selector: p.selectorText,
  staged: p.staged,
});

function tiersFor(tiers: Tier[], policies: Policy[]): TierPolicies[] {
  const out: TierPolicies[] = [];
  for (const t of tiers) {
    const own = policies.filter(p => p.tier === t.name);
    if (!own.length) continue;
    const of = (d: 'ingress' | 'egress') => own.filter(p => p[d] !== null).map(ref);
    out.push({ name: t.name, defaultPass: t.defaultPass, ingress: of('ingress'), egress: of('egress') });
  }
  return out;
}

const toRules = (rules: ApiRule[], namespace: string, specs: Map<string, SetSpec>) => rules.map(r => protoRule(r, namespace, specs));

function policyChains(p: Policy, c: FelixConfig, family: Family, specs: Map<string, SetSpec>): Chain[] {
  const owner: RuleOwner = { kind: 'policy', shortKind: p.shortKind, name: p.name, namespace: p.namespace, tier: p.tier };
  const path = p.namespace ? `${p.namespace}/${p.name}` : p.name;
  return DIRECTIONS.map(d => ({
    name: policyChainName(d, p.id, c),
    rules: policyRules(toRules(p[d] ?? [], p.namespace, specs), family, c, owner, `${p.kind} ${path} ${d}`),
  }));
}

/** Kubernetes' profiles: a namespace's lets everything pass, a service account's decides nothing. */
function profileChains(name: string, c: FelixConfig, family: Family, specs: Map<string, SetSpec>): Chain[] {
  const owner: RuleOwner = { kind: 'profile', shortKind: 'pro', name, namespace: '', tier: '' };
  const rules: ApiRule[] = name.startsWith('kns.') ? [{ action: 'Allow' }] : [];
  return DIRECTIONS.map(d => ({
    name: profileChainName(d, name, c),
    rules: policyRules(toRules(rules, '', specs), family, c, owner, `Profile ${name} ${d}`),
  }));
}

const UNKNOWN = (c: FelixConfig): Rule[] => [rule([], c.filterDeny, 'Unknown interface')];

/** The name that stands for a HostEndpoint of all interfaces (felix/dataplane/linux/endpoint_mgr.go). */
const ANY_INTERFACE = 'any-interface-at-all';

export function workloadChains(
  nodeName: string,
  model: Model,
  c: FelixConfig,
  family: Family,
  specs: Map<string, SetSpec>,
  tables: TableChains,
): void {
  const local = model.endpoints.filter(e => e.kind === 'workload' && e.node === nodeName);
  const hosts = model.endpoints.filter(e => e.kind === 'host' && e.node === nodeName && e.interfaceName);
  const active = new Map<string, Policy>();
  const profiles = new Set<string>();
  const filter: Chain[] = [];
  for (const e of local) {
    const policies = policiesFor(model, e).filter(p => !p.preDNAT && !p.untracked);
    note(e, policies, active, profiles);
    const tiers = tiersFor(model.tiers, policies);
    const shared = { type: 'normal' as const, allow: c.filterAllow, failsafe: null, tiers, profiles: e.profiles };
    filter.push(
      ...endpointChains({ ...shared, name: limitedName('cali-tw-', e.interfaceName), direction: 'ingress', dropEncapsulated: false }, c),
      ...endpointChains({ ...shared, name: limitedName('cali-fw-', e.interfaceName), direction: 'egress', dropEncapsulated: true }, c),
    );
  }
  const names = local.map(e => e.interfaceName);
  filter.push(...dispatchChains('cali-to-wl-dispatch', names, 'cali-tw-', 'out', UNKNOWN(c)));
  filter.push(...dispatchChains('cali-from-wl-dispatch', names, 'cali-fw-', 'in', UNKNOWN(c)));
  hostChains(model, hosts, c, tables, filter, active, profiles);
  for (const p of active.values()) if (!p.staged) filter.push(...policyChains(p, c, family, specs));
  for (const p of profiles) filter.push(...profileChains(p, c, family, specs));
  addAll(tables.filter, filter);
  // raw and mangle have chains of the same names for host endpoints' policies.
  const policy = filter.filter(x => /^cali-(?:p[io]|pr[io]|g[io])-/.test(x.name));
  addAll(tables.raw, policy);
  addAll(tables.mangle, policy);
}

function note(e: Endpoint, policies: Policy[], active: Map<string, Policy>, profiles: Set<string>): void {
  for (const p of policies) active.set(p.id, p);
  for (const p of e.profiles) profiles.add(p);
}

function addAll(to: Chain[], chains: Chain[]): void {
  const there = new Set(to.map(x => x.name));
  for (const chain of chains) {
    if (there.has(chain.name)) continue;
    there.add(chain.name);
    to.push(chain);
  }
}

interface HostDispatch {
  from: string[];
  to: string[];
}

function hostChains(
  model: Model,
  hosts: Endpoint[],
  c: FelixConfig,
  tables: TableChains,
  filter: Chain[],
  active: Map<string, Policy>,
  profiles: Set<string>,
): void {
  const raw: HostDispatch = { from: [], to: [] };
  const mangle: HostDispatch = { from: [], to: [] };
  const normal: string[] = [];
  for (const e of hosts) {
    const policies = policiesFor(model, e);
    note(e, policies, active, profiles);
    const name = e.interfaceName === '*' ? ANY_INTERFACE : e.interfaceName;
    normal.push(name);
    const tiers = (want: (p: Policy) => boolean) => tiersFor(model.tiers, policies.filter(want));
    const tracked = tiers(p => !p.preDNAT && !p.untracked);
    const forward = tiers(p => !p.preDNAT && !p.untracked && p.applyOnForward);
    const base = { profiles: e.profiles, dropEncapsulated: false };
    const inChain = {
      ...base,
      name: limitedName('cali-fh-', name, c.maxChainName),
      direction: 'ingress' as const,
      failsafe: 'cali-failsafe-in',
    };
    const outChain = {
      ...base,
      name: limitedName('cali-th-', name, c.maxChainName),
      direction: 'egress' as const,
      failsafe: 'cali-failsafe-out',
    };
    filter.push(
      ...endpointChains({ ...outChain, type: 'normal', allow: c.filterAllow, tiers: tracked }, c),
      ...endpointChains({ ...inChain, type: 'normal', allow: c.filterAllow, tiers: tracked }, c),
      ...endpointChains(
        {
          ...outChain,
          name: limitedName('cali-thfw-', name, c.maxChainName),
          failsafe: null,
          type: 'forward',
          allow: c.filterAllow,
          tiers: forward,
        },
        c,
      ),
      ...endpointChains(
        {
          ...inChain,
          name: limitedName('cali-fhfw-', name, c.maxChainName),
          failsafe: null,
          type: 'forward',
          allow: c.filterAllow,
          tiers: forward,
        },
        c,
      ),
    );
    mangle.to.push(name);
    addAll(tables.mangle, endpointChains({ ...outChain, type: 'normal', allow: action.return, tiers: tracked }, c));
    const preDNAT = tiers(p => p.preDNAT);
    if (preDNAT.length) {
      mangle.from.push(name);
      addAll(tables.mangle, endpointChains({ ...inChain, type: 'preDNAT', allow: c.mangleAllow, tiers: preDNAT, profiles: [] }, c));
    }
    const untracked = tiers(p => p.untracked);
    if (untracked.length) {
      raw.from.push(name);
      raw.to.push(name);
      const plain = { type: 'untracked' as const, allow: action.accept, tiers: untracked, profiles: [] };
      addAll(tables.raw, [...endpointChains({ ...outChain, ...plain }, c), ...endpointChains({ ...inChain, ...plain }, c)]);
    }
  }
  filter.push(
    ...hostDispatch('cali-from-host-endpoint', normal, 'cali-fh-', 'in', c),
    ...hostDispatch('cali-to-host-endpoint', normal, 'cali-th-', 'out', c),
  );
  filter.push(
    ...hostDispatch('cali-from-hep-forward', normal, 'cali-fhfw-', 'in', c),
    ...hostDispatch('cali-to-hep-forward', normal, 'cali-thfw-', 'out', c),
  );
  for (const [table, d] of [
    ['raw', raw],
    ['mangle', mangle],
  ] as const) {
    addAll(tables[table], hostDispatch('cali-from-host-endpoint', d.from, 'cali-fh-', 'in', c));
    addAll(tables[table], hostDispatch('cali-to-host-endpoint', d.to, 'cali-th-', 'out', c));
  }
}

/** A HostEndpoint of all interfaces takes what no other one has; it never polices the host's traffic to its own workloads. */
function hostDispatch(root: string, names: string[], prefix: string, side: 'in' | 'out', c: FelixConfig): Chain[] {
  const end: Rule[] = [];
  if (names.includes(ANY_INTERFACE)) {
    if (prefix === 'cali-th-') end.push(rule([match.out('cali+')], action.return, 'Skip egress WHEP policy for traffic to local workload'));
    end.push(rule([], action.goto(limitedName(prefix, ANY_INTERFACE, c.maxChainName))));
  }
  const named = names.filter(n => n !== ANY_INTERFACE);
  return dispatchChains(root, named, prefix, side, end);
}

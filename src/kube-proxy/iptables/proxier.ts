// One family's iptables proxier: full and partial syncs (k8s.io/kubernetes v1.36.3 pkg/proxy/iptables/proxier.go).
import { sameJson } from '../../apiserver/json.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { restore } from '../../linux/netfilter/restore.ts';
import { rulesOf } from '../../linux/netfilter/rules.ts';
import type { TableName } from '../../linux/netfilter/types.ts';
import type { Netns } from '../../linux/types.ts';
import type { Family } from '../../wire/ip.ts';
import { isServiceChainName } from '../names.ts';
import { type Endpoint, endpointsOfSlices, servicePorts } from '../serviceport.ts';
import type { RuleSettings } from '../settings.ts';
import type { FamilyProxier, ProxiedService } from '../types.ts';
import { writeDispatch } from './dispatch.ts';
import { CANARY_TABLES, JUMPS, type Jump, kubeletText, restoreText } from './restore-text.ts';
import { type Section, serviceSection } from './service-rules.ts';

/** From here on comments of endpoint rules are left out. */
const LARGE_CLUSTER_ENDPOINTS = 1000;
const SYNC_PERIOD_MS = 30_000;

export function newFamilyProxier(family: Family, settings: RuleSettings, nowMs: number): FamilyProxier {
  return {
    family,
    settings,
    services: new Map(),
    endpointCount: 0,
    arrivals: 0,
    healthChecks: new Map(),
    dirty: null,
    largeCluster: false,
    udpChanged: false,
    cleanedAtMs: Number.NEGATIVE_INFINITY,
    syncedAtMs: nowMs,
    due: null,
    own: { written: new Map(), gone: new Set(), count: null },
    staleChains: new Map(),
    nft: { known: false, services: new Map(), claims: new Map() },
  };
}

/** Take a Service and its slices as they are now. A Service that is gone or not proxied leaves nothing. -> whether rules depend on the change */
export function updateService(p: FamilyProxier, key: string, service: KubeObject | undefined, slices: Iterable<KubeObject>): boolean {
  const before = p.services.get(key);
  const ports = service ? servicePorts(service, p.family, p.settings.externalIPs) : [];
  const byPort = ports.length ? endpointsOfSlices(slices, p.family) : new Map<string, Endpoint[]>();
  const endpoints = ports.map(port => byPort.get(`${port.portName}/${port.protocol}`) ?? []);
  const order = before?.order ?? p.arrivals++;
  const after: ProxiedService = { order, ports, endpoints, sections: null, nft: null };
  // A heartbeat or a status that no rule depends on must not cause a sync.
  if (before && sameJson(before.ports, ports) && sameJson(before.endpoints, endpoints)) return false;
  if (!before && !ports.length) return false;
  if (ports.length) p.services.set(key, after);
  else p.services.delete(key);
  p.endpointCount += countEndpoints(endpoints) - countEndpoints(before?.endpoints ?? []);
  const checked = ports.find(port => port.healthCheckNodePort);
  if (checked) p.healthChecks.set(key, checked);
  else p.healthChecks.delete(key);
  if (p.due && !p.due.before.has(key)) p.due.before.set(key, before ?? null);
  p.dirty?.add(key);
  if ([...(before?.ports ?? []), ...ports].some(port => port.protocol === 'UDP')) p.udpChanged = true;
  return true;
}

const countEndpoints = (ofPorts: Endpoint[][]): number => ofPorts.reduce((n, list) => n + list.length, 0);

function sectionsOf(p: FamilyProxier, s: ProxiedService): Section[] {
  return (s.sections ??= s.ports.map((port, i) => serviceSection(port, s.endpoints[i], p.settings, p.largeCluster)));
}

function hasJump(ns: Netns, family: Family, table: string, chain: string, target: string): boolean {
  const t = ns.netfilter.xt[family].get(table as TableName);
  const c = t?.chains.get(chain);
  return t && c ? rulesOf(ns, t, c).some(r => r.target?.name === target) : false;
}

interface Wanted {
  chains: (readonly [table: string, chain: string])[];
  jumps: Jump[];
}

const OWN: Wanted = {
  chains: [...CANARY_TABLES.map(t => [t, 'KUBE-PROXY-CANARY'] as const), ...JUMPS.map(j => [j.table, j.to] as const)],
  jumps: JUMPS,
};

/** EnsureChain and EnsureRule(Prepend): only what is missing. */
export function ensureJumps(ns: Netns, family: Family, wanted: Wanted = OWN): void {
  const xt = ns.netfilter.xt[family];
  const hasChain = (table: TableName, chain: string) => xt.get(table)?.chains.has(chain) ?? false;
  let text = '';
  for (const table of CANARY_TABLES) {
    const jumps = wanted.jumps.filter(j => j.table === table);
    const chains = new Set(wanted.chains.filter(([t]) => t === table).map(([, chain]) => chain));
    text += `*${table}\n`;
    for (const chain of chains) if (!hasChain(table, chain)) text += `:${chain} - [0:0]\n`;
    for (const j of jumps) if (!hasJump(ns, family, table, j.from, j.to)) text += `-I ${j.from} ${j.match}-j ${j.to}\n`;
    text += 'COMMIT\n';
  }
  apply(ns, family, text);
}

function apply(ns: Netns, family: Family, text: string): boolean {
  return restore(ns, family, text, { noflush: true }) === null;
}

/** Write what changed (or, in a full sync, everything) to the kernel. -> false: iptables-restore failed */
export function syncFamily(ns: Netns, p: FamilyProxier, nowMs: number): boolean {
  const large = p.endpointCount > LARGE_CLUSTER_ENDPOINTS;
  if (large !== p.largeCluster) {
    p.largeCluster = large;
    p.dirty = null;
  }
  const full = p.dirty === null;
  if (full) ensureJumps(ns, p.family);
  const written = full ? [...p.services.keys()] : [...(p.dirty ?? [])];
  const changed = written.flatMap(key => takeSections(p, key));
  if (full || ns.netfilter.xt[p.family].get('nat')?.chains.size !== p.own.count) p.own.count = null;
  // Upstream looks for a large cluster's stale chains now and then only.
  const sweeps = !large || nowMs - p.cleanedAtMs > SYNC_PERIOD_MS;
  const stale = sweeps ? staleChains(ns, p) : [];
  if (sweeps) p.cleanedAtMs = nowMs;
  const ok = apply(ns, p.family, restoreText(p.settings, changed, stale));
  for (const section of changed) section.rules = '';
  if (ok) writeDispatch(ns, p, full ? null : written, key => sectionsAt(p, key));
  if (!ok) p.own.count = null;
  else if (sweeps || p.own.count !== null) p.own.count = ns.netfilter.xt[p.family].get('nat')?.chains.size ?? null;
  p.dirty = ok ? new Set() : null;
  if (ok) p.syncedAtMs = nowMs;
  return ok;
}

/** `again`: with the rules of their own, which are not kept when they have been written. */
function sectionsAt(p: FamilyProxier, key: string, again = false): Section[] {
  const service = p.services.get(key);
  if (service && again) service.sections = null;
  return service ? sectionsOf(p, service) : [];
}

/** What is written now of a Service, instead of what was. */
function takeSections(p: FamilyProxier, key: string): Section[] {
  const { written, gone } = p.own;
  const sections = sectionsAt(p, key, true);
  for (const section of written.get(key) ?? []) for (const chain of section.chains) gone.add(chain);
  for (const section of sections) for (const chain of section.chains) gone.delete(chain);
  if (sections.length) written.set(key, sections);
  else written.delete(key);
  return sections;
}

/** Chains in nat that no Service needs any more. */
function staleChains(ns: Netns, p: FamilyProxier): string[] {
  const known = [...p.own.gone];
  p.own.gone.clear();
  if (p.own.count !== null) return known.filter(chain => ns.netfilter.xt[p.family].get('nat')?.chains.has(chain));
  const active = new Set<string>();
  for (const service of p.services.values())
    for (const section of sectionsOf(p, service)) for (const chain of section.chains) active.add(chain);
  const chains = ns.netfilter.xt[p.family].get('nat')?.chains.keys() ?? [];
  return [...chains].filter(chain => isServiceChainName(chain) && !active.has(chain));
}

/** utiliptables.Monitor: someone flushed the tables when the canary is gone. */
export function canaryGone(ns: Netns, family: Family): boolean {
  return CANARY_TABLES.some(table => !ns.netfilter.xt[family].get(table)?.chains.has('KUBE-PROXY-CANARY'));
}

/** The chains that kubelet makes on a node at its start. */
export function writeKubeletChains(ns: Netns): void {
  for (const family of [4, 6] as const) {
    apply(
      ns,
      family,
      kubeletText(family, (table, chain, target) => hasJump(ns, family, table, chain, target)),
    );
  }
}

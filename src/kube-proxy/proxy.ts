// kube-proxy of one node: watches Services, EndpointSlices and its Node, and keeps the kernel's rules in step.
import { getObject, listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject, WatchEvent } from '../apiserver/types.ts';
import { putOff } from '../linux/due.ts';
import { setSysctl, sysctl } from '../linux/sysctl.ts';
import type { Netns } from '../linux/types.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { sha256 } from '../sim/sha256.ts';
import { cancel, schedule } from '../sim/sim.ts';
import type { KubeProxyConfiguration } from './configuration.ts';
import { cleanStaleEntries } from './conntrack.ts';
import { startHealthServers, syncHealthServers } from './health.ts';
import { canaryGone, newFamilyProxier, syncFamily, updateService } from './iptables/proxier.ts';
import { dropIdleDests, setIpvsSysctls, syncFamilyIpvs } from './ipvs/proxier.ts';
import { leaveEmptied, proxyTable, serviceChains, syncFamilyNft } from './nftables/proxier.ts';
import { serviceOfSlice } from './serviceport.ts';
import { ruleSettings } from './settings.ts';
import type { DueSync, FamilyProxier, KubeProxy, ProxiedService } from './types.ts';

const SLICES = 'endpointslices.discovery.k8s.io';
const SERVICE_CIDRS = 'servicecidrs.networking.k8s.io';
const FAMILIES = [4, 6] as const;

/** Go's duration text ("1s", "1m30s", "250ms") or nanoseconds, in milliseconds. */
export function durationMs(value: string | number | undefined, otherwise: number): number {
  if (value === undefined || value === '' || value === null) return otherwise;
  if (typeof value === 'number') return value / 1e6;
  const units: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 1e-6 };
  let ms = 0;
  for (const [, n, unit] of value.matchAll(/([\d.]+)(ms|us|µs|ns|h|m|s)/g)) ms += Number(n) * units[unit];
  return ms;
}

/** cmd/kube-proxy/app/server_linux.go: platformSetup and NewProxier set these before the first rule is written. */
function setSysctls(ns: Netns, proxy: KubeProxy): void {
  const c = proxy.config;
  setSysctl(ns, 'net.netfilter.nf_conntrack_tcp_timeout_established', '86400');
  setSysctl(ns, 'net.netfilter.nf_conntrack_tcp_timeout_close_wait', '3600');
  if (c.linux?.conntrack?.tcpBeLiberal ?? c.conntrack?.tcpBeLiberal) setSysctl(ns, 'net.netfilter.nf_conntrack_tcp_be_liberal', '1');
  if (proxy.proxiers.some(p => p.settings.localhostNodePorts)) setSysctl(ns, 'net.ipv4.conf.all.route_localnet', '1');
}

function serviceCIDRs(server: ApiServer): string[] {
  const listed = listObjects(server, SERVICE_CIDRS).flatMap(o => (o.spec?.cidrs ?? []) as string[]);
  return listed.length ? listed : server.config.serviceCIDRs;
}

function settingsOf(proxy: KubeProxy, family: 4 | 6) {
  const c = proxy.config;
  const asked = c.linux?.conntrack?.tcpBeLiberal ?? c.conntrack?.tcpBeLiberal ?? false;
  const liberal = asked || sysctl(proxy.netns, 'net.netfilter.nf_conntrack_tcp_be_liberal') !== '0';
  return ruleSettings(c, proxy.node, proxy.nodeName, family, liberal, serviceCIDRs(proxy.server));
}

const nftables = (proxy: KubeProxy): boolean => proxy.config.mode === 'nftables';

/** BoundedFrequencyRunner: at once when the last sync is minSyncPeriod ago, else when it will be. */
function requestSync(proxy: KubeProxy): void {
  if (proxy.stopped) return;
  const { sim } = proxy.server;
  proxy.queuedAtMs ??= sim.nowMs;
  if (proxy.pending?.run) return;
  const min = durationMs(proxy.config.minSyncPeriod ?? proxy.config.iptables?.minSyncPeriod, 1000);
  const wait = proxy.lastSyncAtMs === null ? 0 : Math.max(0, proxy.lastSyncAtMs + min - sim.nowMs);
  proxy.pending = schedule(sim, wait, () => syncProxyRules(proxy));
}

function syncOne(proxy: KubeProxy, p: FamilyProxier, nowMs: number): boolean {
  if (proxy.config.mode === 'nftables') return syncFamilyNft(proxy.netns, p, nowMs);
  if (proxy.config.mode === 'ipvs') return syncFamilyIpvs(proxy.netns, p, nowMs, proxy.config);
  return syncFamily(proxy.netns, p, nowMs);
}

/** Bring the kernel to what the Services and EndpointSlices say now; in iptables mode, as soon as anybody looks. */
export function syncProxyRules(proxy: KubeProxy): void {
  if (proxy.stopped) return;
  cancel(proxy.server.sim, proxy.pending);
  proxy.pending = null;
  const { nowMs } = proxy.server.sim;
  proxy.lastSyncAtMs = nowMs;
  proxy.queuedAtMs = null;
  for (const p of proxy.proxiers) becomeDue(p, nowMs);
  syncHealthServers(proxy);
  // A chain of the nftables mode and a destination of the ipvs mode go a while after the sync that emptied them: each sync counts.
  if (proxy.config.mode === 'nftables' || proxy.config.mode === 'ipvs') writeRules(proxy);
  else putOff(proxy.netns, proxy.write);
}

function becomeDue(p: FamilyProxier, nowMs: number): void {
  const { due } = p;
  const dirty = p.dirty === null || due?.dirty === null ? null : new Set([...(due?.dirty ?? []), ...p.dirty]);
  const udpChanged = p.udpChanged || !!due?.udpChanged;
  const { settings, endpointCount } = p;
  p.due = { before: new Map(), endpointCount, settings, dirty, udpChanged, atMs: nowMs, monitored: !!due?.monitored };
  p.dirty = new Set();
  p.udpChanged = false;
}

/** The Services as they were when the sync became due. */
function servicesAt(p: FamilyProxier, { before }: DueSync): Map<string, ProxiedService> {
  if (!before.size) return p.services;
  const now = [...p.services].filter(([key]) => !before.has(key));
  const then = [...before].filter((e): e is [string, ProxiedService] => e[1] !== null);
  return new Map([...now, ...then].sort(([, a], [, b]) => a.order - b.order));
}

/** The syncs that are due. */
function writeRules(proxy: KubeProxy): void {
  for (const p of proxy.proxiers) {
    const { due } = p;
    if (!due) continue;
    p.due = null;
    const dirty = due.monitored && canaryGone(proxy.netns, p.family) ? null : due.dirty;
    const then = { ...p, services: servicesAt(p, due), endpointCount: due.endpointCount, settings: due.settings, dirty };
    const ok = syncOne(proxy, then, due.atMs);
    p.largeCluster = then.largeCluster;
    p.cleanedAtMs = then.cleanedAtMs;
    p.syncedAtMs = then.syncedAtMs;
    p.nft = then.nft;
    if (then.dirty === null) p.dirty = null;
    if (ok && due.udpChanged) cleanStaleEntries(proxy.netns, then);
    if (ok) continue;
    p.udpChanged ||= due.udpChanged;
    proxy.queuedAtMs ??= due.atMs;
    proxy.pending ??= schedule(proxy.server.sim, 30_000, () => syncProxyRules(proxy), true);
  }
}

function refresh(proxy: KubeProxy, key: string): void {
  const slices = [...(proxy.slices.get(key)?.values() ?? [])];
  const slash = key.indexOf('/');
  const service = getObject(proxy.server, 'services', key.slice(0, slash), key.slice(slash + 1));
  let changed = false;
  for (const p of proxy.proxiers) changed = updateService(p, key, service, slices) || changed;
  if (changed) requestSync(proxy);
}

function onSlice(proxy: KubeProxy, e: WatchEvent): void {
  const { name } = e.object.metadata;
  const [before, after] = [e.old ? serviceOfSlice(e.old) : null, e.type === 'DELETED' ? null : serviceOfSlice(e.object)];
  if (before) proxy.slices.get(before)?.delete(name);
  if (after) keepSlice(proxy, after, e.object);
  for (const key of new Set([before, after])) if (key) refresh(proxy, key);
}

function keepSlice(proxy: KubeProxy, key: string, slice: KubeObject): void {
  let set = proxy.slices.get(key);
  if (!set) proxy.slices.set(key, (set = new Map()));
  set.set(slice.metadata.name, slice);
}

function onNode(proxy: KubeProxy, e: WatchEvent): void {
  if (e.object.metadata.name !== proxy.nodeName) return;
  proxy.node = e.type === 'DELETED' ? null : e.object;
  if (proxy.node) refreshSettings(proxy);
}

function refreshSettings(proxy: KubeProxy): void {
  for (const p of proxy.proxiers) {
    const settings = settingsOf(proxy, p.family);
    if (JSON.stringify(settings) === JSON.stringify(p.settings)) continue;
    p.settings = settings;
    p.dirty = null;
    requestSync(proxy);
  }
}

/** What the rules in the kernel were made of: per family the settings and, by Service, its ports and endpoints, as digests. */
export interface KubeProxySnapshot {
  families: {
    settings: string;
    services: [key: string, digest: string][];
    /** nftables mode: Services' chains, with the time since when nothing leads to them, or null. */
    chains?: [name: string, sinceMs: number | null][];
  }[];
}

export interface KubeProxyOptions {
  /** The kernel already holds this proxy's rules (a session reload): only what changed since then is written. */
  adopt?: KubeProxySnapshot;
  /** What an earlier process of it had written, of which the kernel holds nothing any more. */
  before?: KubeProxySnapshot;
}

/** Start kube-proxy on a node. The first sync happens before this returns. */
export function newKubeProxy(
  server: ApiServer,
  nodeName: string,
  netns: Netns,
  config: KubeProxyConfiguration = {},
  options: KubeProxyOptions = {},
): KubeProxy {
  const node = listObjects(server, 'nodes').find(n => n.metadata.name === nodeName) ?? null;
  const { nowMs } = server.sim;
  const proxy: KubeProxy = {
    server,
    nodeName,
    netns,
    config,
    node,
    slices: new Map(),
    proxiers: [],
    queuedAtMs: null,
    startedAtMs: nowMs,
    lastSyncAtMs: null,
    pending: null,
    stopped: false,
    stops: [],
    health: null,
    write: () => writeRules(proxy),
  };
  proxy.proxiers = FAMILIES.map(family => newFamilyProxier(family, settingsOf(proxy, family), nowMs));
  setSysctls(netns, proxy);
  if (config.mode === 'ipvs') setIpvsSysctls(netns, config);
  for (const slice of listObjects(server, SLICES)) {
    const key = serviceOfSlice(slice);
    if (key) keepSlice(proxy, key, slice);
  }
  for (const service of listObjects(server, 'services')) {
    const key = `${service.metadata.namespace}/${service.metadata.name}`;
    for (const p of proxy.proxiers) updateService(p, key, service, proxy.slices.get(key)?.values() ?? []);
  }
  proxy.stops.push(
    watchBucket(server, 'services', e => refresh(proxy, `${e.object.metadata.namespace}/${e.object.metadata.name}`)),
    watchBucket(server, SLICES, e => onSlice(proxy, e)),
    watchBucket(server, 'nodes', e => onNode(proxy, e)),
    watchBucket(server, SERVICE_CIDRS, () => refreshSettings(proxy)),
  );
  startHealthServers(proxy);
  // What the IPVS mode wrote beside its rules is not kept from session to session: it is written again.
  if (options.adopt && config.mode !== 'ipvs') {
    proxy.proxiers.forEach((p, i) => {
      if (!nftables(proxy) || proxyTable(netns, p)) adopt(p, options.adopt?.families[i]);
    });
  }
  // At once: the packet that woke this node must already meet the rules.
  if (proxy.proxiers.some(p => !p.dirty || p.dirty.size)) syncProxyRules(proxy);
  if (nftables(proxy) && !options.adopt)
    proxy.proxiers.forEach((p, i) => {
      const written = options.before?.families[i];
      if (written?.chains) leaveEmptied(netns, p, chainsNotDeletedSince(p, written), hasSyncedSince(p, written), nowMs);
    });
  monitor(proxy);
  return proxy;
}

const digestOf = (value: unknown): string =>
  sha256(stringToBytes(JSON.stringify(value)))
    .subarray(0, 9)
    .join('.');

/** UDP ones say so: when they are gone, flows to them have to go too. */
const serviceDigest = (s: ProxiedService): string =>
  `${s.ports.some(port => port.protocol === 'UDP') ? 'udp ' : ''}${digestOf([s.ports, s.endpoints])}`;

export function snapshotKubeProxy(proxy: KubeProxy): KubeProxySnapshot {
  const families = proxy.proxiers.map(p => {
    const all = p.dirty === null || p.due?.dirty === null;
    const waiting = new Set(all ? p.services.keys() : [...(p.dirty ?? []), ...(p.due?.dirty ?? [])]);
    const services = [...p.services].filter(([key]) => !waiting.has(key)).map(([key, s]): [string, string] => [key, serviceDigest(s)]);
    // Not written yet, or written and gone since: different from whatever is there later.
    for (const key of waiting) services.push([key, 'udp ?']);
    const chains = nftables(proxy) ? serviceChains(proxy.netns, p) : undefined;
    return { settings: all ? '' : digestOf((p.due ?? p).settings), services, chains };
  });
  return { families };
}

type Written = KubeProxySnapshot['families'][number];

/** Services whose ports or endpoints are others than those that were written; `udp`: flows may lead to ones that are gone. */
function changedSince(p: FamilyProxier, written: Written): { keys: Set<string>; udp: boolean } {
  const before = new Map(written.services);
  const out = { keys: new Set<string>(), udp: false };
  for (const key of new Set([...before.keys(), ...p.services.keys()])) {
    const service = p.services.get(key);
    const now = service && serviceDigest(service);
    const was = before.get(key);
    if (now === was) continue;
    out.keys.add(key);
    out.udp ||= !!now?.startsWith('udp ') || !!was?.startsWith('udp ');
  }
  return out;
}

/** Would a kube-proxy that ran all the time have written anything since? */
const hasSyncedSince = (p: FamilyProxier, written: Written): boolean =>
  written.settings !== digestOf(p.settings) || changedSince(p, written).keys.size > 0;

/** Where a Service is new, those that are gone had a sync of their own before: it emptied their chains, the new one's deleted them. */
function chainsNotDeletedSince(p: FamilyProxier, { services, chains = [] }: Written): [string, number | null][] {
  const known = new Set(services.map(([key]) => key));
  if (![...p.services.keys()].some(key => !known.has(key))) return chains;
  const kept = [...p.services.keys()];
  return chains.filter(([name]) => kept.some(key => name.includes(`-${key}/`)));
}

function adopt(p: FamilyProxier, written: Written | undefined): void {
  if (written?.settings !== digestOf(p.settings)) return;
  const { keys, udp } = changedSince(p, written);
  p.dirty = keys;
  p.udpChanged = udp;
}

/** Flows that an earlier process left are there again: those that a running kube-proxy would have deleted since then go now. */
export function cleanFlowsSince(proxy: KubeProxy, written: KubeProxySnapshot): void {
  proxy.proxiers.forEach((p, i) => {
    const family = written.families[i];
    if (family && changedSince(p, family).udp) cleanStaleEntries(proxy.netns, p);
  });
}

/** Every syncPeriod: when the canary chain is gone, someone flushed the tables and everything is written again. */
function monitor(proxy: KubeProxy): void {
  const period = durationMs(proxy.config.syncPeriod as string | undefined, 30_000);
  let next = schedule(proxy.server.sim, period, tick, true);
  function tick(): void {
    if (proxy.stopped) return;
    if (proxy.config.mode === 'ipvs') dropIdleDests(proxy.netns);
    for (const p of proxy.proxiers) {
      if (proxy.config.mode === 'ipvs') requestSync(proxy);
      if (p.due) p.due.monitored = true;
      if (proxy.config.mode === 'ipvs' || nftables(proxy) || p.due || !canaryGone(proxy.netns, p.family)) continue;
      p.dirty = null;
      requestSync(proxy);
    }
    next = schedule(proxy.server.sim, period, tick, true);
  }
  proxy.stops.push(() => cancel(proxy.server.sim, next));
}

/** Stop the process: its rules stay in the kernel, its listeners close. */
export function stopKubeProxy(proxy: KubeProxy): void {
  writeRules(proxy);
  proxy.stopped = true;
  cancel(proxy.server.sim, proxy.pending);
  proxy.pending = null;
  for (const undo of proxy.stops) undo();
  proxy.stops = [];
}

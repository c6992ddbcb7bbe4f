// One family's IPVS proxier (k8s.io/kubernetes v1.36.3 pkg/proxy/ipvs/proxier.go, graceful_termination.go).
import { addressText, deleteDest, deleteService, findDest, ipvsOf, putDest, putService, serviceKey } from '../../linux/ipvs/table.ts';
import { type IpvsService, SCHEDULERS, type Scheduler } from '../../linux/ipvs/types.ts';
import { addAddress, addLink, linkByName, removeAddress } from '../../linux/link.ts';
import { restore } from '../../linux/netfilter/restore.ts';
import { setSysctl } from '../../linux/sysctl.ts';
import type { Link, Netns } from '../../linux/types.ts';
import { formatIp, inCidr, parseCidr, parseIp } from '../../wire/ip.ts';
import type { KubeProxyConfiguration } from '../configuration.ts';
import { selectedAddresses } from '../iptables/addresses.ts';
import { ensureJumps } from '../iptables/proxier.ts';
import { type Endpoint, rangeText, type ServicePort } from '../serviceport.ts';
import { categorizeEndpoints } from '../topology.ts';
import type { FamilyProxier } from '../types.ts';
import { FILTER_CHAINS, JUMPS, NAT_CHAINS, type NoNodeAccess, rulesText, type SetEntries, type SetId, syncSets } from './sets.ts';

const DUMMY = 'kube-ipvs0';

const schedulerOf = (c: KubeProxyConfiguration): Scheduler =>
  SCHEDULERS.find(s => s === (c.ipvs as { scheduler?: string } | undefined)?.scheduler) ?? 'rr';

/** NewProxier's kernel settings. */
export function setIpvsSysctls(ns: Netns, c: KubeProxyConfiguration): void {
  ipvsOf(ns);
  for (const [key, value] of Object.entries({ conntrack: 1, expire_nodest_conn: 1, expire_quiescent_template: 1 }))
    setSysctl(ns, `net.ipv4.vs.${key}`, String(value));
  setSysctl(ns, 'net.ipv4.ip_forward', '1');
  if ((c.ipvs as { strictARP?: boolean } | undefined)?.strictARP) {
    setSysctl(ns, 'net.ipv4.conf.all.arp_ignore', '1');
    setSysctl(ns, 'net.ipv4.conf.all.arp_announce', '2');
  }
}

interface Plan {
  entries: SetEntries;
  closed: NoNodeAccess[];
  /** Addresses that belong on the dummy device. */
  bound: Set<string>;
  /** Keys of virtual services. */
  active: Set<string>;
}

interface Sync {
  ns: Netns;
  p: FamilyProxier;
  scheduler: Scheduler;
  plan: Plan;
  /** Addresses of the node's other devices. */
  own: Set<string>;
  /** Where nodePorts answer. */
  nodeIPs: string[];
}

function put(plan: Plan, id: SetId, entry: string): void {
  let set = plan.entries.get(id);
  if (!set) plan.entries.set(id, (set = new Set()));
  set.add(entry);
}

/** syncService and syncEndpoint. */
function virtualService(
  s: Sync,
  port: ServicePort,
  ip: string,
  number: number,
  local: boolean,
  endpoints: Endpoint[],
  bind: boolean,
): void {
  const spec = {
    protocol: port.protocol,
    ip: parseIp(ip)!,
    port: number,
    scheduler: s.scheduler,
    persistentSeconds: port.clientIPAffinity ? port.stickyMaxAgeSeconds : 0,
  };
  const key = serviceKey(spec);
  s.plan.active.add(key);
  const there = ipvsOf(s.ns).services.get(key);
  if (!there || there.scheduler !== spec.scheduler || there.persistentSeconds !== spec.persistentSeconds) putService(s.ns, spec, !there);
  if (bind) s.plan.bound.add(ip);
  const c = categorizeEndpoints(endpoints, port, s.p.settings.nodeName, s.p.settings.zone);
  // Without a local one those elsewhere serve, so that at least this node's own pods are served (pull request 97081).
  const wanted = local && c.local.length ? c.local : c.cluster;
  syncDests(ipvsOf(s.ns).services.get(key) as IpvsService, wanted);
}

function syncDests(service: IpvsService, wanted: Endpoint[]): void {
  const texts = new Set(wanted.map(e => e.text));
  for (const e of wanted) {
    const there = findDest(service, e.text);
    if (!there) putDest(service, parseIp(e.ip)!, e.port, 1, true);
    else if (there.weight !== 1) there.weight = 1;
  }
  for (const d of [...service.dests]) {
    const text = addressText(d.ip, d.port);
    if (texts.has(text)) continue;
    // GracefulDeleteRS: one with connections gets no new ones, and goes with the last.
    if (service.protocol !== 'UDP' && d.activeConns + d.inactiveConns > 0) d.weight = 0;
    else deleteDest(service, text);
  }
}

function clusterIP(s: Sync, port: ServicePort, endpoints: Endpoint[], protocol: string): void {
  for (const e of endpoints) if (e.node === s.p.settings.nodeName) put(s.plan, 'loopBack', `${e.ip},${protocol}:${e.port},${e.ip}`);
  put(s.plan, 'clusterIP', `${port.clusterIP},${protocol}:${port.port}`);
  virtualService(s, port, port.clusterIP, port.port, port.internalLocal, endpoints, true);
}

function externalIPs(s: Sync, port: ServicePort, endpoints: Endpoint[], protocol: string): void {
  for (const ip of port.externalIPs) {
    put(s.plan, port.externalLocal ? 'externalIPLocal' : 'externalIP', `${ip},${protocol}:${port.port}`);
    virtualService(s, port, ip, port.port, port.externalLocal, endpoints, !s.own.has(ip));
  }
}

function loadBalancers(s: Sync, port: ServicePort, endpoints: Endpoint[], protocol: string): void {
  const nodeIP = s.p.settings.nodeIP ? parseIp(s.p.settings.nodeIP) : null;
  for (const ip of port.loadBalancerVIPs) {
    const entry = `${ip},${protocol}:${port.port}`;
    put(s.plan, 'loadBalancer', entry);
    if (port.externalLocal) put(s.plan, 'loadBalancerLocal', entry);
    if (port.sourceRanges.length) {
      put(s.plan, 'loadBalancerFW', entry);
      for (const range of port.sourceRanges) put(s.plan, 'sourceCIDR', `${entry},${rangeText(range)}`);
      if (nodeIP && port.sourceRanges.some(r => inCidr(r, nodeIP))) put(s.plan, 'sourceIP', `${entry},${ip}`);
      else s.plan.closed.push({ ip, protocol, port: port.port });
    }
    virtualService(s, port, ip, port.port, port.externalLocal, endpoints, !s.own.has(ip));
  }
}

function nodePorts(s: Sync, port: ServicePort, endpoints: Endpoint[]): void {
  if (!port.nodePort || !s.nodeIPs.length) return;
  const entries = port.protocol === 'SCTP' ? s.nodeIPs.map(ip => `${ip},sctp:${port.nodePort}`) : [String(port.nodePort)];
  for (const e of entries) {
    put(s.plan, `nodePort${port.protocol}`, e);
    if (port.externalLocal) put(s.plan, `nodePortLocal${port.protocol}`, e);
  }
  for (const ip of s.nodeIPs) virtualService(s, port, ip, port.nodePort, port.externalLocal, endpoints, false);
}

function dummyDevice(ns: Netns): Link {
  return linkByName(ns, DUMMY) ?? addLink(ns, { name: DUMMY, kind: 'dummy' });
}

/** The device holds each Service address, so that packets to it are for this machine; it stays down, and answers no ARP. */
function syncAddresses(ns: Netns, family: 4 | 6, bound: Set<string>): void {
  const link = dummyDevice(ns);
  const bits = family === 4 ? 32 : 128;
  for (const a of [...link.addresses])
    if (a.ip.length === bits / 8 && a.scope === 'global' && !bound.has(formatIp(a.ip))) removeAddress(link, a.ip, a.bits);
  for (const text of bound) addAddress(link, parseIp(text)!, bits);
}

function addressesElsewhere(ns: Netns, family: 4 | 6): string[] {
  const out: string[] = [];
  for (const link of ns.links.values()) {
    if (link.name === DUMMY) continue;
    for (const a of link.addresses) if (a.ip.length === (family === 4 ? 4 : 16) && a.scope !== 'link') out.push(formatIp(a.ip));
  }
  return out;
}

/** Everything is written at each sync: the rules are few, and the table of services is compared with what it should be. */
export function syncFamilyIpvs(ns: Netns, p: FamilyProxier, nowMs: number, config: KubeProxyConfiguration): boolean {
  const own = addressesElsewhere(ns, p.family);
  const selected = p.settings.nodePortCIDRs === null ? own : selectedAddresses(ns, p.settings);
  const plan: Plan = { entries: new Map(), closed: [], bound: new Set(), active: new Set() };
  const isLoopback = (ip: string) => ip.startsWith('127.') || ip === '::1';
  const nodeIPs = selected.filter(ip => !isLoopback(ip));
  const s: Sync = { ns, p, scheduler: schedulerOf(config), plan, own: new Set(own), nodeIPs };
  ensureJumps(ns, p.family, {
    chains: [...NAT_CHAINS.map(c => ['nat', c] as const), ...FILTER_CHAINS.map(c => ['filter', c] as const)],
    jumps: JUMPS.map(([table, from, to, comment]) => ({ table, from, to, match: `-m comment --comment "${comment}" ` })),
  });
  dummyDevice(ns);
  for (const service of p.services.values()) {
    service.ports.forEach((port, i) => {
      const protocol = port.protocol.toLowerCase();
      for (const part of [clusterIP, externalIPs, loadBalancers, nodePorts]) part(s, port, service.endpoints[i], protocol);
      if (port.healthCheckNodePort) put(plan, 'healthCheck', String(port.healthCheckNodePort));
    });
  }
  plan.entries.set('bound', plan.bound);
  syncSets(ns, p.family, plan.entries);
  const ok = restore(ns, p.family, rulesText(p.settings, plan.entries, plan.closed), { noflush: true }) === null;
  syncAddresses(ns, p.family, plan.bound);
  const excluded = ((config.ipvs as { excludeCIDRs?: string[] } | undefined)?.excludeCIDRs ?? []).flatMap(c => parseCidr(c) ?? []);
  for (const [key, service] of [...ipvsOf(ns).services]) {
    if (service.ip.length !== (p.family === 4 ? 4 : 16) || excluded.some(c => inCidr(c, service.ip))) continue;
    if (!plan.active.has(key)) deleteService(ns, key);
  }
  p.dirty = ok ? new Set() : null;
  if (ok) p.syncedAtMs = nowMs;
  return ok;
}

/** Once a minute: destinations that wait for their last connection. */
export function dropIdleDests(ns: Netns): void {
  for (const service of ipvsOf(ns).services.values())
    for (const d of [...service.dests])
      if (d.weight === 0 && d.activeConns + d.inactiveConns === 0) deleteDest(service, addressText(d.ip, d.port));
}

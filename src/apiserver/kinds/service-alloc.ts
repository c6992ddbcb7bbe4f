// Cluster IPs and node ports (k8s.io/kubernetes/pkg/registry/core/service/storage/{alloc,storage}.go,
// ipallocator and portallocator v1.36.3). What is taken is derived from the Services themselves.

import { below, uuid } from '../../sim/random.ts';
import { rfc3339 } from '../../sim/time.ts';
import { addToIp, type Cidr, cidrSize, formatIp, isHostOf, network, parseCidr, parseIp } from '../../wire/ip.ts';
import { type FieldError, invalidField } from '../field.ts';
import { sameJson } from '../json.ts';
import { internalError, invalid } from '../status.ts';
import { bucketOf, commit, getObject, keyOf, listObjects, watchBucket } from '../store.ts';
import type { WriteContext } from '../strategy.ts';
import type { ApiServer, KubeObject, Status } from '../types.ts';

type Family = 'IPv4' | 'IPv6';

interface Taken {
  ips: Set<string>;
  nodePorts: Set<number>;
}

const takenOf = new WeakMap<ApiServer, Taken>();

/** Derived once from the stored Services, then kept by their events. */
export function taken(server: ApiServer): Taken {
  let t = takenOf.get(server);
  if (t) return t;
  t = { ips: new Set(), nodePorts: new Set() };
  takenOf.set(server, t);
  for (const s of bucketOf(server, 'services').objects.values()) hold(t, s);
  const mine = t;
  watchBucket(server, 'services', e => {
    if (e.old) release(mine, e.old);
    if (e.type !== 'DELETED') hold(mine, e.object);
  });
  return t;
}

function addressesOf(s: KubeObject): string[] {
  return (s.spec?.clusterIPs ?? [s.spec?.clusterIP]).filter((ip: string) => ip && ip !== 'None');
}

function nodePortsOf(s: KubeObject): number[] {
  const ports = (s.spec?.ports ?? []).map((p: any) => p.nodePort).filter(Boolean);
  return s.spec?.healthCheckNodePort ? [...ports, s.spec.healthCheckNodePort] : ports;
}

function hold(t: Taken, s: KubeObject): void {
  for (const ip of addressesOf(s)) t.ips.add(ip);
  for (const p of nodePortsOf(s)) t.nodePorts.add(p);
}

function release(t: Taken, s: KubeObject): void {
  for (const ip of addressesOf(s)) t.ips.delete(ip);
  for (const p of nodePortsOf(s)) t.nodePorts.delete(p);
}

export const familyOfText = (ip: string): Family => (ip.includes(':') ? 'IPv6' : 'IPv4');

/** Of the ServiceCIDRs that are not being deleted, the configured ones first; before there are any, the configuration alone. */
function cidrsOf(server: ApiServer, family: Family): Cidr[] {
  const objects = listObjects(server, 'servicecidrs.networking.k8s.io');
  const live: string[] = objects.filter(o => !o.metadata.deletionTimestamp).flatMap(o => o.spec?.cidrs ?? []);
  const configured = server.config.serviceCIDRs.filter(text => !objects.length || live.includes(text));
  const texts = [...new Set([...configured, ...live])];
  return texts.map(parseCidr).filter((c): c is Cidr => c !== null && (c.ip.length === 4 ? 'IPv4' : 'IPv6') === family);
}

const clusterFamilies = (server: ApiServer): Family[] => [...new Set(server.config.serviceCIDRs.map(familyOfText))];

/** Upstream's share of a range for addresses that are asked for (KEP-3070): min(max(16, size/16), 256). */
function staticBand(usable: number): number {
  return usable <= 16 ? 0 : Math.min(256, Math.max(16, Math.floor(usable / 16)));
}

/** The range from the band's end first, then the band, each from a random offset. */
function allocateNextIp(server: ApiServer, family: Family, t: Taken): string | null {
  for (const c of cidrsOf(server, family)) {
    const base = network(c).ip;
    const size = Math.min(cidrSize(c), 2 ** 16 * 256);
    const usable = family === 'IPv4' ? size - 2 : size - 1;
    const band = staticBand(usable);
    const tryFrom = (first: number, count: number): string | null => {
      if (count <= 0) return null;
      const start = below(server.random, count);
      for (let i = 0; i < count; i++) {
        const ip = formatIp(addToIp(base, first + ((start + i) % count)));
        if (!inUse(server, ip, t)) return ip;
      }
      return null;
    };
    const ip = tryFrom(1 + band, usable - band) ?? tryFrom(1, band);
    if (ip) return ip;
  }
  return null;
}

/** A dry run asks the configured range only, and not whether the address is free. */
function allocateIp(c: WriteContext, text: string, t: Taken): string | null {
  const ip = parseIp(text);
  if (!ip) return `failed to parse service IP ${text}`;
  const ranges = cidrsOf(c.server, familyOfText(text));
  if (c.dryRun) {
    const range = ranges[0];
    if (range && isHostOf(range, ip)) return null;
    const valid = range ? `${formatIp(network(range).ip)}/${range.bits}` : '';
    return `the provided IP (${formatIp(ip)}) is not in the valid range. The range of valid IPs is ${valid}`;
  }
  if (!ranges.some(r => isHostOf(r, ip))) return 'the provided network does not match the current range';
  return inUse(c.server, formatIp(ip), t) ? 'provided IP is already allocated' : null;
}

const inUse = (server: ApiServer, ip: string, t: Taken): boolean =>
  t.ips.has(ip) || getObject(server, 'ipaddresses.networking.k8s.io', '', ip) != null;

/** The IPAddress objects that say who holds an address: made and taken away with the Service. */
export function syncIpAddresses(server: ApiServer, s: KubeObject | null, old: KubeObject | null): void {
  const now = s ? addressesOf(s) : [];
  const bucket = 'ipaddresses.networking.k8s.io';
  for (const ip of old ? addressesOf(old) : []) {
    if (!now.includes(ip) && getObject(server, bucket, '', ip)) commit(server, bucket, keyOf('', ip), null);
  }
  for (const ip of now) {
    if (s && !getObject(server, bucket, '', ip)) commit(server, bucket, keyOf('', ip), ipAddress(server, s, ip));
  }
}

function ipAddress(server: ApiServer, s: KubeObject, ip: string): KubeObject {
  const labels = { 'ipaddress.kubernetes.io/ip-family': familyOfText(ip), 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: ip, uid: uuid(server.random), creationTimestamp: rfc3339(server.sim.nowMs), labels },
    spec: { parentRef: { resource: 'services', namespace: s.metadata.namespace, name: s.metadata.name } },
  };
}

const invalidService = (s: KubeObject, errors: FieldError[]): Status => invalid('', 'Service', s.metadata.name ?? '', errors);

/** Before validation: ip families, cluster IPs, node ports, health check port. */
export function allocate(c: WriteContext, s: KubeObject, old: KubeObject | null): Status | null {
  const t = taken(c.server);
  if (old) patchAllocated(s, old);
  normalizeClusterIps(s, old);
  if (s.spec.type === 'ExternalName') return null;
  if (isMatchingPreferDual(s, old)) return nodePorts(c, s, old, t);
  const bad = initFamilies(c.server, s, old);
  if (bad) return bad;
  return clusterIps(c, s, old, t) ?? nodePorts(c, s, old, t);
}

const needsIp = (s: KubeObject) => s.spec.type !== 'ExternalName';
const isNodePort = (s: KubeObject) =>
  s.spec.type === 'NodePort' || (s.spec.type === 'LoadBalancer' && s.spec.allocateLoadBalancerNodePorts !== false);
const needsHealthPort = (s: KubeObject) => s.spec.type === 'LoadBalancer' && s.spec.externalTrafficPolicy === 'Local';

/** A client that sends its manifest again keeps what was allocated for it. */
function patchAllocated(s: KubeObject, old: KubeObject): void {
  if (needsIp(old) && needsIp(s)) {
    if (!s.spec.clusterIP && old.spec.clusterIP) s.spec.clusterIP = old.spec.clusterIP;
    if (!s.spec.clusterIPs?.length && old.spec.clusterIPs?.length) s.spec.clusterIPs = [...old.spec.clusterIPs];
  }
  if (isNodePort(old) && isNodePort(s)) {
    const ports = (x: KubeObject): number[] => (x.spec.ports ?? []).map((p: any) => p.nodePort).filter(Boolean);
    const used = ports(old).filter(p => ports(s).includes(p));
    const byName = new Map<string, number>((old.spec.ports ?? []).map((p: any) => [p.name ?? '', p.nodePort ?? 0]));
    for (const p of s.spec.ports ?? []) {
      const was = byName.get(p.name ?? '');
      if (!p.nodePort && was && !used.includes(was)) p.nodePort = was;
    }
  }
  if (needsHealthPort(old) && needsHealthPort(s) && !s.spec.healthCheckNodePort && old.spec.healthCheckNodePort) {
    s.spec.healthCheckNodePort = old.spec.healthCheckNodePort;
  }
}

const sameIps = (a: KubeObject, b: KubeObject) => sameJson(a.spec.clusterIPs ?? [], b.spec.clusterIPs ?? []);

/** clusterIP and clusterIPs[0] are one value. */
function normalizeClusterIps(s: KubeObject, old: KubeObject | null): void {
  const { spec } = s;
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const before = old.spec;
  if (before.clusterIPs?.length && !spec.clusterIPs?.length && (before.clusterIP ?? '') === (spec.clusterIP ?? ''))
    spec.clusterIPs = [...before.clusterIPs];
  if ((before.clusterIP ?? '') === (spec.clusterIP ?? '')) return;
  if (!sameIps(s, old)) return;
  if (before.clusterIP && !spec.clusterIP) delete spec.clusterIPs;
  else spec.clusterIPs = [spec.clusterIP];
}

function isMatchingPreferDual(s: KubeObject, old: KubeObject | null): boolean {
  if (!old || !s.spec.ipFamilyPolicy || old.spec.type !== s.spec.type || !needsIp(s)) return false;
  if (s.spec.ipFamilyPolicy !== 'PreferDualStack') return false;
  if (old.spec.ipFamilyPolicy && old.spec.ipFamilyPolicy !== 'PreferDualStack') return false;
  return sameIps(s, old) && sameJson(s.spec.ipFamilies ?? [], old.spec.ipFamilies ?? []);
}

let relatedFields: ((s: KubeObject, old: KubeObject | null) => FieldError[]) | null = null;

/** ValidateServiceClusterIPsRelatedFields runs in the middle of the allocation; the Service's own module gives it. */
export function setClusterIpValidation(f: (s: KubeObject, old: KubeObject | null) => FieldError[]): void {
  relatedFields = f;
}

function initFamilies(server: ApiServer, s: KubeObject, old: KubeObject | null): Status | null {
  const { spec } = s;
  const selectorless = spec.clusterIP === 'None' && !Object.keys(spec.selector ?? {}).length;
  if (!spec.ipFamilyPolicy) {
    spec.ipFamilyPolicy = old?.spec.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack');
  }
  const related = relatedFields?.(s, old) ?? [];
  if (related.length) return invalidService(s, related);
  const errors = old ? familyChanges(s, old) : [];
  const policy = spec.ipFamilyPolicy;
  const families = clusterFamilies(server);
  const many = (what: string) => `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`;
  if (policy === 'SingleStack') {
    if (spec.clusterIPs?.length === 2) errors.push(invalidField('spec.ipFamilyPolicy', policy, many('cluster IPs')));
    if (spec.ipFamilies?.length === 2) errors.push(invalidField('spec.ipFamilyPolicy', policy, many('IP families')));
  }
  inferFamilies(s, families, errors);
  if (errors.length) return invalidService(s, errors);
  const other = (f: Family): Family => (f === 'IPv4' ? 'IPv6' : 'IPv4');
  if (selectorless) {
    if (!spec.ipFamilies?.length) spec.ipFamilies = [families[0]];
    if (spec.ipFamilies.length < 2 && policy !== 'SingleStack') spec.ipFamilies.push(other(spec.ipFamilies[0]));
    return null;
  }
  if (policy === 'RequireDualStack' && families.length < 2) {
    errors.push(invalidField('spec.ipFamilyPolicy', policy, 'this cluster is not configured for dual-stack services'));
  }
  (spec.ipFamilies ?? []).forEach((f: Family, i: number) => {
    if (!families.includes(f)) errors.push(invalidField(`spec.ipFamilies[${i}]`, f, 'not configured on this cluster'));
  });
  if (errors.length) return invalidService(s, errors);
  if (!spec.ipFamilies?.length) spec.ipFamilies = [families[0]];
  if (policy !== 'SingleStack' && spec.ipFamilies.length === 1 && families.length === 2) spec.ipFamilies.push(other(spec.ipFamilies[0]));
  return null;
}

function familyChanges(s: KubeObject, old: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = s;
  const sameFamilies = sameJson(spec.ipFamilies ?? [], old.spec.ipFamilies ?? []);
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (sameIps(s, old) && spec.clusterIPs?.length > 1) spec.clusterIPs = spec.clusterIPs.slice(0, 1);
    if (sameFamilies && spec.ipFamilies?.length > 1) spec.ipFamilies = spec.ipFamilies.slice(0, 1);
    return errors;
  }
  const reduced = (k: string) => spec[k]?.length > 0 && spec[k].length < (old.spec[k]?.length ?? 0);
  if (reduced('clusterIPs')) {
    errors.push(invalidField('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"));
  }
  if (reduced('ipFamilies')) {
    errors.push(invalidField('spec.ipFamilyPolicy', spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"));
  }
  return errors;
}

function inferFamilies(s: KubeObject, families: Family[], errors: FieldError[]): void {
  const { spec } = s;
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') return;
    if (i < (spec.ipFamilies?.length ?? 0)) continue;
    const family = familyOfText(ip);
    if (!families.includes(family)) {
      errors.push(invalidField(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`));
    } else spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
  }
}

/** A dry run allocates nothing: it shows the range's own address. */
function dryRunIp(server: ApiServer, family: Family): string | null {
  const range = cidrsOf(server, family)[0];
  return range ? formatIp(network(range).ip) : null;
}

function clusterIps(c: WriteContext, s: KubeObject, old: KubeObject | null, t: Taken): Status | null {
  const { spec } = s;
  if (spec.clusterIPs?.[0] === 'None' || old?.spec.clusterIPs?.[0] === 'None') return null;
  const fresh = !old || old.spec.type === 'ExternalName';
  const upgraded = !fresh && (old?.spec.ipFamilies?.length ?? 0) === 1 && spec.ipFamilies.length === 2;
  if (!fresh && !upgraded) return null;
  const ips: string[] = [...(spec.clusterIPs ?? [])];
  for (let i = upgraded ? 1 : 0; i < spec.ipFamilies.length; i++) {
    if (!ips[i]) {
      const next = c.dryRun ? dryRunIp(c.server, spec.ipFamilies[i]) : allocateNextIp(c.server, spec.ipFamilies[i], t);
      if (!next) return internalError(`failed to allocate a serviceIP for Service "${s.metadata.name}": range is full`);
      ips[i] = next;
      continue;
    }
    const why = allocateIp(c, ips[i], t);
    if (why) return invalidService(s, [invalidField('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${ips[i]}: ${why}`)]);
  }
  spec.clusterIPs = ips;
  spec.clusterIP = ips[0];
  return null;
}

function nodePorts(c: WriteContext, s: KubeObject, old: KubeObject | null, t: Taken): Status | null {
  const held = new Set<number>(old ? nodePortsOf(old) : []);
  const mine = new Set<number>();
  const { spec } = s;
  const claim = (port: number): string | null => {
    const [lo, hi] = c.server.config.nodePortRange;
    // A dry run asks only for what is taken.
    if (!c.dryRun && (port < lo || port > hi)) return `provided port is not in the valid range. The range of valid ports is ${lo}-${hi}`;
    if ((t.nodePorts.has(port) && !held.has(port)) || mine.has(port)) return 'provided port is already allocated';
    mine.add(port);
    return null;
  };
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
    const bad = old ? updateNodePorts(c, s, t, held, mine, claim) : createNodePorts(c, s, t, mine, claim);
    if (bad) return bad;
  }
  if (needsHealthPort(s) && !(old && needsHealthPort(old))) {
    if (spec.healthCheckNodePort) {
      const why = claim(spec.healthCheckNodePort);
      if (why) return internalError(`failed to allocate requested HealthCheck NodePort ${spec.healthCheckNodePort}: ${why}`);
    } else {
      const port = nextNodePort(c, t, mine);
      if (!port) return internalError('failed to allocate a HealthCheck NodePort 0: range is full');
      spec.healthCheckNodePort = port;
    }
  }
  return null;
}

type Claim = (port: number) => string | null;

const portError = (s: KubeObject, i: number, port: number, why: string): Status =>
  invalidService(s, [invalidField(`spec.ports[${i}].nodePort`, port, why)]);

/** TCP and UDP of one port number share a node port. */
function createNodePorts(c: WriteContext, s: KubeObject, t: Taken, mine: Set<number>, claim: Claim): Status | null {
  const byPort = new Map<number, number>();
  const ports: any[] = s.spec.ports ?? [];
  for (const [i, p] of ports.entries()) {
    if (!p.nodePort && !isNodePort(s)) continue;
    const shared = byPort.get(p.port);
    if (!shared) {
      const asked = ports.find(q => q.port === p.port && q.nodePort)?.nodePort;
      if (asked) {
        const why = claim(asked);
        if (why) return portError(s, i, asked, why);
        p.nodePort = asked;
      } else {
        const next = nextNodePort(c, t, mine);
        if (!next) return internalError('failed to allocate a nodePort: range is full');
        p.nodePort = next;
      }
      byPort.set(p.port, p.nodePort);
    } else if (p.nodePort !== shared) {
      if (!p.nodePort) p.nodePort = shared;
      else {
        const why = claim(p.nodePort);
        if (why) return portError(s, i, p.nodePort, why);
      }
    }
  }
  return null;
}

function updateNodePorts(c: WriteContext, s: KubeObject, t: Taken, held: Set<number>, mine: Set<number>, claim: Claim): Status | null {
  const seen = new Set<string>();
  for (const [i, p] of (s.spec.ports ?? []).entries()) {
    if (!p.nodePort && !isNodePort(s)) continue;
    if (p.nodePort) {
      if (!held.has(p.nodePort) && !mine.has(p.nodePort)) {
        const why = claim(p.nodePort);
        if (why) return portError(s, i, p.nodePort, why);
      }
    } else {
      const next = nextNodePort(c, t, mine);
      if (!next) return internalError('failed to allocate a nodePort: range is full');
      p.nodePort = next;
    }
    const key = `${p.protocol}/${p.nodePort}`;
    if (seen.has(key)) return internalError(`duplicate nodePort: {${p.protocol} ${p.nodePort}}`);
    seen.add(key);
  }
  return null;
}

/** Random within the upper band, then the lower one (KEP-3668). */
function nextNodePort(c: WriteContext, t: Taken, mine: Set<number>): number {
  const [lo, hi] = c.server.config.nodePortRange;
  if (c.dryRun) {
    // A number to show: no range has it (portallocator/operation.go).
    const dummy = (mine.size ? Math.max(...mine) : 32768) + 1;
    mine.add(dummy);
    return dummy;
  }
  const size = hi - lo + 1;
  const band = size <= 16 ? 0 : Math.min(128, Math.max(16, Math.floor(size / 32)));
  const tryFrom = (first: number, count: number): number => {
    const start = count > 0 ? below(c.server.random, count) : 0;
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (!t.nodePorts.has(port) && !mine.has(port)) return port;
    }
    return 0;
  };
  const port = tryFrom(lo + band, size - band) || tryFrom(lo, band);
  if (port) mine.add(port);
  return port;
}

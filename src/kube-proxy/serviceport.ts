// What kube-proxy keeps of Services and EndpointSlices: k8s.io/kubernetes v1.36.3 pkg/proxy/serviceport.go, endpointslicecache.go.
import type { KubeObject } from '../apiserver/types.ts';
import { compareBytes } from '../sim/bytes.ts';
import { type Cidr, type Family, familyOf, formatCidr, formatIp, network, parseCidr, parseIp } from '../wire/ip.ts';
import { hostPort } from './names.ts';

export interface ServicePort {
  namespace: string;
  service: string;
  portName: string;
  /** `ns/name` or `ns/name:port` */
  name: string;
  protocol: 'TCP' | 'UDP' | 'SCTP';
  clusterIP: string;
  port: number;
  nodePort: number;
  externalIPs: string[];
  /** Also true with AllowServiceExternalIPs off: the chain is made although nothing leads to it (v1.36.3 ExternallyAccessible). */
  hasExternalIPs: boolean;
  loadBalancerVIPs: string[];
  sourceRanges: Cidr[];
  /** Everybody was named: the same as nobody, but going from one to the other is a change (reflect.DeepEqual of empty and nil). */
  anySource: boolean;
  clientIPAffinity: boolean;
  stickyMaxAgeSeconds: number;
  healthCheckNodePort: number;
  externalLocal: boolean;
  internalLocal: boolean;
}

export interface Endpoint {
  ip: string;
  port: number;
  /** `10.244.1.2:80` */
  text: string;
  /** '': it says of no node. */
  node: string;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  zoneHints: string[];
  nodeHints: string[];
}

const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Text of an address in its canonical form; leading zeros are let through as Go's ParseIPSloppy does. */
function sloppy(text: string): string | null {
  const ip = parseIp(text.includes(':') ? text : text.replace(/\b0+(?=\d)/g, ''));
  return ip ? formatIp(ip) : null;
}

export const ofFamily = (text: string, family: Family): boolean => text.includes(':') === (family === 6);

function clusterIPOf(spec: any, family: Family): string | null {
  const all: string[] = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP];
  return all.find(ip => ip && ofFamily(ip, family)) ?? null;
}

/** What is computed of an object is the same for every node: stored objects never change. */
function remember<T>(memory: WeakMap<KubeObject, Map<string, T>>, o: KubeObject, key: string, compute: () => T): T {
  let known = memory.get(o);
  if (!known) memory.set(o, (known = new Map()));
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = compute()));
  return value;
}

const portsOf = new WeakMap<KubeObject, Map<string, ServicePort[]>>();
const endpointsOf = new WeakMap<KubeObject, Map<string, Map<string, Endpoint[]>>>();

/** The Service's ports as this family sees them; empty for one that is not proxied. */
export const servicePorts = (service: KubeObject, family: Family, externalIPsAllowed: boolean): ServicePort[] =>
  remember(portsOf, service, `${family} ${externalIPsAllowed}`, () => readPorts(service, family, externalIPsAllowed));

function readPorts(service: KubeObject, family: Family, externalIPsAllowed: boolean): ServicePort[] {
  const spec = service.spec ?? {};
  const labels = service.metadata.labels ?? {};
  if (PROXY_NAME_LABEL in labels || HEADLESS_LABEL in labels) return [];
  if (!spec.clusterIP || spec.clusterIP === 'None' || spec.type === 'ExternalName') return [];
  const clusterIP = clusterIPOf(spec, family);
  if (!clusterIP) return [];
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || (spec.type === 'ClusterIP' && spec.externalIPs?.length > 0);
  const externalLocal = external && spec.externalTrafficPolicy === 'Local';
  const mine = (texts: string[] | undefined) => (texts ?? []).filter(t => ofFamily(t, family)).flatMap(t => sloppy(t) ?? []);
  const ranges = ((spec.loadBalancerSourceRanges ?? []) as string[]).flatMap(text => {
    const range = parseCidr(text.trim());
    return range && familyOf(range.ip) === family ? [network(range)] : [];
  });
  const ingress = ((service.status?.loadBalancer?.ingress ?? []) as any[]).filter(i => i.ip && (i.ipMode ?? 'VIP') === 'VIP');
  const shared = {
    namespace: service.metadata.namespace ?? '',
    service: service.metadata.name,
    clusterIP: sloppy(clusterIP) ?? clusterIP,
    externalIPs: externalIPsAllowed ? mine(spec.externalIPs) : [],
    hasExternalIPs: mine(spec.externalIPs).length > 0,
    loadBalancerVIPs: mine(ingress.map(i => i.ip)),
    sourceRanges: ranges.some(r => r.bits === 0) ? [] : ranges,
    anySource: ranges.some(r => r.bits === 0),
    clientIPAffinity: spec.sessionAffinity === 'ClientIP',
    stickyMaxAgeSeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800,
    healthCheckNodePort: spec.type === 'LoadBalancer' && externalLocal ? (spec.healthCheckNodePort ?? 0) : 0,
    externalLocal,
    internalLocal: spec.internalTrafficPolicy === 'Local',
  };
  const base = `${shared.namespace}/${shared.service}`;
  // A map by name and protocol upstream: of two equal ones the last wins.
  const byName = new Map<string, ServicePort>();
  for (const p of spec.ports ?? []) {
    const portName = p.name ?? '';
    const protocol = p.protocol ?? 'TCP';
    const name = portName ? `${base}:${portName}` : base;
    byName.set(`${portName}/${protocol}`, { ...shared, portName, name, protocol, port: p.port, nodePort: p.nodePort ?? 0 });
  }
  return [...byName.values()];
}

export const externallyAccessible = (p: ServicePort): boolean => p.nodePort !== 0 || p.loadBalancerVIPs.length !== 0 || p.hasExternalIPs;
export const usesClusterEndpoints = (p: ServicePort): boolean => !p.internalLocal || externallyAccessible(p);
export const usesLocalEndpoints = (p: ServicePort): boolean => p.internalLocal || (p.externalLocal && externallyAccessible(p));

export const rangeText = formatCidr;

/** The Service that a slice belongs to, or null: not one that kube-proxy watches. */
export function serviceOfSlice(slice: KubeObject): string | null {
  const labels = slice.metadata.labels ?? {};
  if (PROXY_NAME_LABEL in labels || HEADLESS_LABEL in labels || !labels[SERVICE_NAME_LABEL]) return null;
  return `${slice.metadata.namespace}/${labels[SERVICE_NAME_LABEL]}`;
}

function endpointOf(e: any, port: number): Endpoint | null {
  const ip = e.addresses?.length ? sloppy(e.addresses[0]) : null;
  if (ip === null) return null;
  const c = e.conditions ?? {};
  return {
    ip,
    port,
    text: hostPort(ip, port),
    node: e.nodeName ?? '',
    ready: c.ready ?? true,
    serving: c.serving ?? true,
    terminating: c.terminating ?? false,
    zoneHints: (e.hints?.forZones ?? []).map((z: any) => z.name),
    nodeHints: (e.hints?.forNodes ?? []).map((n: any) => n.name),
  };
}

/** Endpoints by `portName/PROTOCOL`, each list sorted as text: "10.244.1.10:80" before "10.244.1.9:80". */
export function endpointsOfSlices(slices: Iterable<KubeObject>, family: Family): Map<string, Endpoint[]> {
  const all = [...slices];
  return all.length === 1 ? remember(endpointsOf, all[0], String(family), () => readEndpoints(all, family)) : readEndpoints(all, family);
}

function readEndpoints(slices: KubeObject[], family: Family): Map<string, Endpoint[]> {
  const byPort = new Map<string, Map<string, Endpoint>>();
  for (const slice of slices) {
    if (slice.addressType !== `IPv${family}`) continue;
    for (const port of slice.ports ?? []) {
      if (!port.port) continue;
      const key = `${port.name ?? ''}/${port.protocol ?? 'TCP'}`;
      let set = byPort.get(key);
      if (!set) byPort.set(key, (set = new Map()));
      for (const e of slice.endpoints ?? []) {
        const endpoint = endpointOf(e, port.port);
        // An address that a terminating pod still has belongs to the running one.
        if (endpoint && (!set.has(endpoint.text) || !endpoint.terminating)) set.set(endpoint.text, endpoint);
      }
    }
  }
  const out = new Map<string, Endpoint[]>();
  for (const [key, set] of byPort)
    out.set(
      key,
      [...set.values()].sort((a, b) => compareBytes(a.text, b.text)),
    );
  return out;
}

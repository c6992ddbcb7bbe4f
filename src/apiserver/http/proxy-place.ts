// Where services/NAME/proxy, pods/NAME/proxy and nodes/NAME/proxy lead (k8s.io/kubernetes v1.36.3, ResourceLocation in
// pkg/registry/core/service/storage/storage.go, …/pod/strategy.go and …/node/strategy.go).
import { goQuote } from '../../sim/quote.ts';
import { below } from '../../sim/random.ts';
import { type Ip, parseIp } from '../../wire/ip.ts';
import { badRequest, failure, notFound } from '../status.ts';
import { getObject } from '../store.ts';
import type { ApiServer, KubeObject, ProxyPlace, Status } from '../types.ts';

/** `name`, `name:port` or `scheme:name:port` (apimachinery v0.36.3, pkg/util/net/port_split.go); null: none of them. */
function splitSchemeNamePort(id: string): { scheme: string; name: string; port: string } | null {
  const parts = id.split(':');
  if (parts.length > 3) return null;
  const [scheme, name, port = ''] = parts.length === 3 ? parts : ['', ...parts];
  return name && /^(https?)?$/.test(scheme) ? { scheme, name, port } : null;
}

const unavailable = (message: string): Status => failure(503, 'ServiceUnavailable', message);
const schemeOf = (scheme: string): ProxyPlace['scheme'] => (scheme === 'https' ? 'https' : 'http');

/** -> where the request goes on to, or why it cannot; 'panic': the server's handler does. `id`: the name as the path has it. */
export function proxyPlace(server: ApiServer, resource: string, namespace: string, id: string): ProxyPlace | Status | 'panic' {
  const split = splitSchemeNamePort(id);
  if (!split) return badRequest(`invalid ${resource.slice(0, -1)} request ${goQuote(id)}`);
  if (resource === 'services') return servicePlace(server, namespace, id, split);
  return resource === 'pods' ? podPlace(server, namespace, split) : nodePlace(server, split);
}

type Split = NonNullable<ReturnType<typeof splitSchemeNamePort>>;

function servicePlace(server: ApiServer, namespace: string, id: string, { scheme, name, port }: Split): ProxyPlace | Status {
  let portName = port;
  if (/^[+-]?\d+$/.test(port)) {
    const service = getObject(server, 'services', namespace, name);
    if (!service) return notFound('', 'services', name);
    const found = (service.spec.ports ?? []).find((p: { port: number }) => p.port === Number(port));
    if (!found) return unavailable(`no service port ${Number(port)} found for service ${goQuote(name)}`);
    portName = found.name ?? '';
  }
  const endpoints = getObject(server, 'endpoints', namespace, name);
  // Its storage says so of the Service.
  if (!endpoints) return notFound('', 'services', name);
  const subsets: any[] = endpoints.subsets ?? [];
  if (!subsets.length) return unavailable(`no endpoints available for service ${goQuote(name)}`);
  for (const subset of fromAnywhere(server, subsets)) {
    const addresses: any[] = subset.addresses ?? [];
    const target = addresses.length ? (subset.ports ?? []).find((p: any) => (p.name ?? '') === portName) : null;
    if (!target) continue;
    const valid = fromAnywhere(server, addresses).find(a => isPodsOwn(server, namespace, a));
    if (valid) return placeAt(schemeOf(scheme), valid.ip, target.port);
  }
  return unavailable(`no endpoints available for service ${goQuote(id)}`);
}

/** All of them, beginning with one that the dice choose. */
function fromAnywhere<T>(server: ApiServer, list: T[]): T[] {
  const first = list.length > 1 ? below(server.random, list.length) : 0;
  return [...list.slice(first), ...list.slice(0, first)];
}

/** Only what is the address of a pod of the namespace is gone to. */
function isPodsOwn(server: ApiServer, namespace: string, address: any): boolean {
  const { targetRef } = address;
  if (!targetRef || targetRef.namespace !== namespace) return false;
  const pod = getObject(server, 'pods', namespace, targetRef.name);
  return (pod?.status?.podIPs ?? []).some((x: { ip: string }) => x.ip === address.ip);
}

function podPlace(server: ApiServer, namespace: string, { scheme, name, port }: Split): ProxyPlace | Status | 'panic' {
  const pod = getObject(server, 'pods', namespace, name);
  if (!pod) return notFound('', 'pods', name);
  const declared = (pod.spec.containers ?? []).find((c: any) => c.ports?.length)?.ports[0].containerPort;
  const address: string = pod.status?.podIPs?.[0]?.ip ?? '';
  const ip = parseIp(address);
  if (!ip || !isGlobalUnicast(ip)) return badRequest('address not allowed');
  return numbered(schemeOf(scheme), address, port || String(declared ?? ''));
}

const ADDRESS_TYPES = ['InternalIP', 'ExternalIP', 'Hostname'];

function nodePlace(server: ApiServer, { scheme, name, port }: Split): ProxyPlace | Status | 'panic' {
  const info = kubeletPlace(server, name);
  if ('kind' in info) return info;
  const ip = parseIp(info.address);
  if (!ip || !isGlobalUnicast(ip)) return badRequest('address not allowed');
  return !port || port === String(info.port) ? info : numbered(schemeOf(scheme), info.address, port);
}

/** The kubelet of a node (pkg/kubelet/client/kubelet_client.go, NodeConnectionInfoGetter; kubeadm's preferred address types). */
export function kubeletPlace(server: ApiServer, name: string): ProxyPlace | Status {
  const node = getObject(server, 'nodes', '', name);
  if (!node) return notFound('', 'nodes', name);
  const address = preferredAddress(node);
  if (address === undefined) {
    const known = (node.status?.addresses ?? []).map((a: any) => `{${a.type} ${a.address}}`).join(' ');
    return { ...failure(500, '', `no preferred addresses found; known addresses: [${known}]`), reason: undefined };
  }
  return { ...placeAt('https', address, node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250), kubelet: true };
}

const preferredAddress = (node: KubeObject): string | undefined =>
  ADDRESS_TYPES.map(type => (node.status?.addresses ?? []).find((a: any) => a.type === type)?.address).find(Boolean);

/** The URL's port is a number; upstream's handler panics at any other (apimachinery pkg/util/proxy, normalizeLocation). */
const numbered = (scheme: ProxyPlace['scheme'], address: string, port: string): ProxyPlace | 'panic' =>
  /^\d*$/.test(port) ? placeAt(scheme, address, port ? Number(port) : null) : 'panic';

/** Without a port it is the scheme's own, and the URL names none. */
function placeAt(scheme: ProxyPlace['scheme'], address: string, port: number | null): ProxyPlace {
  const host = address.includes(':') ? `[${address}]` : address;
  return {
    scheme,
    address,
    port: port ?? (scheme === 'https' ? 443 : 80),
    host: port === null ? host : `${host}:${port}`,
    kubelet: false,
  };
}

/** net.IP.IsGlobalUnicast */
function isGlobalUnicast(ip: Ip): boolean {
  if (ip.length === 4) {
    const [a, b] = ip;
    const linkLocal = a === 169 && b === 254;
    const special = a === 127 || linkLocal || (a >= 224 && a < 240);
    return !special && !ip.every(x => x === 0) && !ip.every(x => x === 255);
  }
  const unspecifiedOrLoopback = ip.subarray(0, 15).every(x => x === 0) && ip[15] < 2;
  return !unspecifiedOrLoopback && ip[0] !== 0xff && !(ip[0] === 0xfe && (ip[1] & 0xc0) === 0x80);
}

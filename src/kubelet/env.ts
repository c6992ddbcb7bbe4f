// A container's environment: Services, the spec's own variables, references (pkg/kubelet/envvars, kubelet_pods.go makeEnvironmentVariables v1.36).

import { quantity } from '../apiserver/quantity.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { bytesToString, unbase64 } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import type { Kubelet, PodRuntime } from './types.ts';

const upper = (name: string) => name.toUpperCase().replace(/-/g, '_');

interface ServiceLayer {
  services: (KubeObject | undefined)[];
  env: ReadonlyMap<string, string>;
}

/** By server and namespace: the same for all pods until a Service changes. */
const layers = new WeakMap<object, Map<string, ServiceLayer>>();

/**
 * The variables of Services: those of the pod's namespace, and `kubernetes` of default for every pod.
 * `startedAt`, `revision`: a container that runs already keeps what it was born with, so later Services are none of its; of those from the
 * same second the API's revision tells.
 */
function serviceEnv(k: Kubelet, pod: KubeObject, startedAt?: string, revision = 0): ReadonlyMap<string, string> {
  const links: boolean = pod.spec.enableServiceLinks ?? true;
  const namespace = links ? (pod.metadata.namespace as string) : '';
  const api = getObject(k.server, 'services', 'default', 'kubernetes');
  const all = [api, ...(links ? listObjects(k.server, 'services', namespace) : [])];
  const isEarlier = (s: KubeObject | undefined): boolean => {
    const created = s?.metadata.creationTimestamp ?? '';
    if (created !== startedAt || !revision) return !startedAt || created <= startedAt;
    return Number(s?.metadata.resourceVersion) <= revision;
  };
  const services = startedAt ? all.filter(isEarlier) : all;
  if (services.length < all.length) return variablesOf(services);
  let known = layers.get(k.server);
  if (!known) layers.set(k.server, (known = new Map()));
  const old = known.get(namespace);
  if (old && old.services.length === services.length && old.services.every((s, i) => s === services[i])) return old.env;
  const env = variablesOf(services);
  known.set(namespace, { services, env });
  return env;
}

function variablesOf(services: (KubeObject | undefined)[]): Map<string, string> {
  const byName = new Map<string, KubeObject>();
  for (const s of services) if (s?.spec?.clusterIP && s.spec.clusterIP !== 'None') byName.set(s.metadata.name, s);
  const env = new Map<string, string>();
  for (const s of byName.values()) for (const [name, value] of oneService(s)) env.set(name, value);
  return env;
}

function oneService(s: KubeObject): [string, string][] {
  const prefix = upper(s.metadata.name);
  const ip = s.spec.clusterIP;
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const ports: any[] = s.spec.ports ?? [];
  if (!ports.length) return [];
  const out: [string, string][] = [
    [`${prefix}_SERVICE_HOST`, ip],
    [`${prefix}_SERVICE_PORT`, String(ports[0].port)],
  ];
  for (const p of ports) if (p.name) out.push([`${prefix}_SERVICE_PORT_${upper(p.name)}`, String(p.port)]);
  ports.forEach((p, i) => {
    const protocol: string = p.protocol ?? 'TCP';
    const url = `${protocol.toLowerCase()}://${host}:${p.port}`;
    const port = `${prefix}_PORT_${p.port}_${protocol}`;
    if (i === 0) out.push([`${prefix}_PORT`, url]);
    out.push([port, url], [`${port}_PROTO`, protocol.toLowerCase()], [`${port}_PORT`, String(p.port)], [`${port}_ADDR`, ip]);
  });
  return out;
}

/** `$(NAME)` by the variables so far; `$$` is a dollar (third_party/forked/golang/expansion). */
export function expand(text: string, vars: ReadonlyMap<string, string>, more?: ReadonlyMap<string, string>): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (all, name) => (all === '$$' ? '$' : (vars.get(name) ?? more?.get(name) ?? all)));
}

/** A field of the pod for the downward API; null: no such field. */
export function fieldValue(k: Kubelet, pod: KubeObject, rt: PodRuntime | null, path: string): string | null {
  const m = /^metadata\.(labels|annotations)\['([^']*)'\]$/.exec(path);
  if (m) return pod.metadata[m[1] as 'labels' | 'annotations']?.[m[2]] ?? '';
  const map = (o: Record<string, string> | undefined) =>
    Object.entries(o ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([a, b]) => `${a}=${goQuote(b)}`)
      .join('\n');
  const hostIPs = pod.status?.hostIPs?.map((x: any) => x.ip) ?? k.deps.node.addresses;
  const ips = rt?.ips.length ? rt.ips : (pod.status?.podIPs ?? []).map((x: any) => x.ip);
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace as string;
    case 'metadata.uid':
      return pod.metadata.uid as string;
    case 'metadata.labels':
      return map(pod.metadata.labels);
    case 'metadata.annotations':
      return map(pod.metadata.annotations);
    case 'spec.nodeName':
      return k.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? 'default';
    case 'status.hostIP':
      return hostIPs[0] ?? '';
    case 'status.hostIPs':
      return hostIPs.join(',');
    case 'status.podIP':
      return ips[0] ?? '';
    case 'status.podIPs':
      return ips.join(',');
    default:
      return null;
  }
}

/** limits.cpu, requests.memory …: in units of the divisor, rounded up; limits default to what the node has. */
export function resourceValue(k: Kubelet, pod: KubeObject, ref: any, containerName: string): string {
  const name = ref.containerName || containerName;
  const c = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].find((x: any) => x.name === name);
  const [kind, resource] = ref.resource.split(/\.(.*)/);
  const node = getObject(k.server, 'nodes', '', k.nodeName);
  const text = c?.resources?.[kind]?.[resource] ?? (kind === 'limits' ? node?.status?.allocatable?.[resource] : '0') ?? '0';
  const divisor = ref.divisor && ref.divisor !== '0' ? String(ref.divisor) : '1';
  const d = quantity(divisor).nano || 1n;
  const n = quantity(String(text)).nano;
  return String((n + d - 1n) / d);
}

export interface EnvResult {
  /** Of the spec itself. */
  env: Map<string, string>;
  /** Of Services: whatever the spec does not set. */
  services: ReadonlyMap<string, string>;
  /** CreateContainerConfigError's text. */
  error: string | null;
}

const secretText = (value: string) => bytesToString(unbase64(value) ?? new Uint8Array(0));

export function containerEnv(k: Kubelet, pod: KubeObject, rt: PodRuntime | null, container: any): EnvResult {
  const namespace = pod.metadata.namespace as string;
  const env = new Map<string, string>();
  const status = (pod.status?.containerStatuses ?? []).find((c: any) => c.name === container.name);
  const services = serviceEnv(k, pod, status?.state?.running?.startedAt, rt?.containers.get(container.name)?.bornRevision);
  for (const from of container.envFrom ?? []) {
    const ref = from.configMapRef ?? from.secretRef;
    const secret = !!from.secretRef;
    const source = ref && getObject(k.server, secret ? 'secrets' : 'configmaps', namespace, ref.name);
    if (!source) {
      if (ref?.optional) continue;
      return { env, services, error: `${secret ? 'secret' : 'configmap'} "${ref?.name}" not found` };
    }
    for (const [key, value] of Object.entries(source.data ?? {})) {
      env.set(`${from.prefix ?? ''}${key}`, secret ? secretText(value as string) : (value as string));
    }
  }
  for (const e of container.env ?? []) {
    if (!e.valueFrom) {
      env.set(e.name, expand(e.value ?? '', env, services));
      continue;
    }
    const value = referenced(k, pod, rt, container, e.valueFrom);
    if (value === undefined) continue;
    if (typeof value !== 'string') return { env, services, error: value.error };
    env.set(e.name, value);
  }
  return { env, services, error: null };
}

function referenced(k: Kubelet, pod: KubeObject, rt: PodRuntime | null, container: any, from: any): string | undefined | { error: string } {
  const namespace = pod.metadata.namespace as string;
  if (from.fieldRef)
    return fieldValue(k, pod, rt, from.fieldRef.fieldPath) ?? { error: `unsupported fieldPath: ${from.fieldRef.fieldPath}` };
  if (from.resourceFieldRef) return resourceValue(k, pod, from.resourceFieldRef, container.name);
  const ref = from.configMapKeyRef ?? from.secretKeyRef;
  if (!ref) return undefined;
  const secret = !!from.secretKeyRef;
  const source = getObject(k.server, secret ? 'secrets' : 'configmaps', namespace, ref.name);
  if (!source) return ref.optional ? undefined : { error: `${secret ? 'secret' : 'configmap'} "${ref.name}" not found` };
  const value = source.data?.[ref.key];
  if (value === undefined) {
    if (ref.optional) return undefined;
    return { error: `couldn't find key ${ref.key} in ${secret ? 'Secret' : 'ConfigMap'} ${namespace}/${ref.name}` };
  }
  return secret ? secretText(value) : value;
}

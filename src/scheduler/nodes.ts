// What the scheduler knows of each node: its pods and what they ask for (pkg/scheduler/framework/types.go NodeInfo v1.36).
import { listObjects, watchBucket } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { type Amounts, addAmounts, amountsOf, requestsOf } from './resources.ts';

export interface NodeInfo {
  name: string;
  /** undefined: pods are there before their node. */
  node: KubeObject | undefined;
  pods: Map<string, KubeObject>;
  requested: Amounts;
  /** With 100m and 200 MiB for containers that ask for nothing: for scores only. */
  nonZero: { cpu: number; memory: number };
  allocatable: Amounts;
  /** `TCP 0.0.0.0 80` -> how many pods */
  ports: Map<string, number>;
  /** Pods by their controller's uid: for the default spreading. */
  byOwner: Map<string, number>;
  antiAffinity: Set<string>;
}

export interface Cache {
  server: ApiServer;
  nodes: Map<string, NodeInfo>;
  built: boolean;
  stops: (() => void)[];
}

const key = (p: KubeObject) => `${p.metadata.namespace}/${p.metadata.name}`;
const assigned = (p: KubeObject) => !!p.spec?.nodeName && p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed';

export function newCache(server: ApiServer): Cache {
  const cache: Cache = { server, nodes: new Map(), built: false, stops: [] };
  cache.stops.push(
    watchBucket(server, 'nodes', e => {
      if (!cache.built) return;
      const info = infoOf(cache, e.object.metadata.name);
      if (e.type === 'DELETED') {
        info.node = undefined;
        if (!info.pods.size) cache.nodes.delete(info.name);
      } else setNode(info, e.object);
    }),
    watchBucket(server, 'pods', e => {
      if (!cache.built) return;
      if (e.old && assigned(e.old)) removePod(cache, e.old);
      if (e.type !== 'DELETED' && assigned(e.object)) addPod(cache, e.object);
    }),
  );
  return cache;
}

export function build(cache: Cache): void {
  if (cache.built) return;
  cache.built = true;
  for (const n of listObjects(cache.server, 'nodes')) setNode(infoOf(cache, n.metadata.name), n);
  for (const p of listObjects(cache.server, 'pods')) if (assigned(p)) addPod(cache, p);
}

function infoOf(cache: Cache, name: string): NodeInfo {
  let info = cache.nodes.get(name);
  if (!info) {
    info = {
      name,
      node: undefined,
      pods: new Map(),
      requested: {},
      nonZero: { cpu: 0, memory: 0 },
      allocatable: {},
      ports: new Map(),
      byOwner: new Map(),
      antiAffinity: new Set(),
    };
    cache.nodes.set(name, info);
  }
  return info;
}

function setNode(info: NodeInfo, node: KubeObject): void {
  if (info.node?.status?.allocatable !== node.status?.allocatable || !info.node) info.allocatable = amountsOf(node.status?.allocatable);
  info.node = node;
}

/** The host ports a pod takes: hostNetwork pods' container ports too (defaulting writes them into hostPort). */
export function hostPorts(p: KubeObject): string[] {
  const out: string[] = [];
  const containers = [...(p.spec.containers ?? []), ...(p.spec.initContainers ?? []).filter((c: any) => c.restartPolicy === 'Always')];
  for (const c of containers)
    for (const port of c.ports ?? []) if (port.hostPort) out.push(`${port.protocol ?? 'TCP'} ${port.hostIP || '0.0.0.0'} ${port.hostPort}`);
  return out;
}

function count(map: Map<string, number>, k: string, n: number): void {
  const now = (map.get(k) ?? 0) + n;
  if (now > 0) map.set(k, now);
  else map.delete(k);
}

const controllerUid = (p: KubeObject) => p.metadata.ownerReferences?.find(r => r.controller)?.uid;

function account(info: NodeInfo, p: KubeObject, sign: 1 | -1): void {
  const r = requestsOf(p);
  addAmounts(info.requested, r.requests, sign);
  info.nonZero.cpu += sign * r.nonZero.cpu;
  info.nonZero.memory += sign * r.nonZero.memory;
  for (const port of hostPorts(p)) count(info.ports, port, sign);
  const owner = controllerUid(p);
  if (owner) count(info.byOwner, owner, sign);
}

function addPod(cache: Cache, p: KubeObject): void {
  const info = infoOf(cache, p.spec.nodeName);
  info.pods.set(key(p), p);
  account(info, p, 1);
  if (p.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length) info.antiAffinity.add(key(p));
}

function removePod(cache: Cache, p: KubeObject): void {
  const info = infoOf(cache, p.spec.nodeName);
  if (!info.pods.delete(key(p))) return;
  account(info, p, -1);
  info.antiAffinity.delete(key(p));
  if (!info.node && !info.pods.size) cache.nodes.delete(info.name);
}

/** Nodes in the order of their names, so that the same cluster gives the same answers. */
export const listNodes = (cache: Cache): NodeInfo[] =>
  [...cache.nodes.values()].filter(n => n.node).sort((a, b) => (a.name < b.name ? -1 : 1));

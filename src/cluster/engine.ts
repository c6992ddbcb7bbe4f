// One cluster, composed: the machines and what lies between them, the control plane's components, and on each node kubelet, CNI and
// kube-proxy. The rooms below do the work; this one only hands them to each other.

import { watchesApi } from '../addons/programs.ts';
import { putServerObjects } from '../apiserver/bootstrap-server.ts';
import { createObject } from '../apiserver/client.ts';
import { listObjects } from '../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { writeDefaults } from '../cni/calico/defaults.ts';
import { pluginOf } from '../cni/plugins.ts';
import type { CniCluster, IpamState } from '../cni/types.ts';
import { nodeDueMs } from '../kubelet/due.ts';
import { wakePod } from '../kubelet/kubelet.ts';
import { schedule, settle } from '../sim/sim.ts';
import { proxyTransport } from './api-proxy.ts';
import { bootstrapObjects } from './bootstrap.ts';
import { type InstalledCni, takeCni } from './cni-install.ts';
import type { ClusterConfig } from './config.ts';
import { apiserverUp, startControlPlane } from './control-plane.ts';
import { keepKubernetesService, mendKubernetesService } from './kubernetes-service.ts';
import { addNode, freezeOrphans, saveNode, wakeNode } from './node.ts';
import { caCertificate } from './pki.ts';
import { clusterProxy } from './proxy.ts';
import type { Engine } from './types.ts';
import { webhookCaller } from './webhooks.ts';
import { newWorld } from './world.ts';

const emptyIpam = (): IpamState => ({ blocks: { 4: [], 6: [] } });

/**
 * Build a cluster's machinery over the objects in its store. Nothing runs yet: events do, when the clock moves. `settled`: nothing was under
 * way when `saved` was kept.
 */
export function startEngine(server: ApiServer, config: ClusterConfig, saved: Map<string, unknown> = new Map(), settled = false): Engine {
  const cni: CniCluster = {
    sim: server.sim,
    server,
    config: config.cni,
    ipam: structuredCloneJson((saved.get('ipam') as IpamState) ?? emptyIpam()),
    blocksChanged: new Set(),
  };
  const engine = {
    server,
    config,
    world: newWorld(server, config),
    cni,
    plugin: pluginOf(config.cni.name),
    installedCni: null,
    nodes: new Map(),
    saved,
    settled,
    written: new Map([...saved].map(([k, v]) => [k, JSON.stringify(v)])),
  } as unknown as Engine;
  const installed = saved.get('cni') as InstalledCni | undefined;
  if (installed) takeCni(engine, structuredCloneJson(installed));
  freezeOrphans(engine);
  // Kubelets first: after a pause their heartbeats are what the node controller looks at.
  for (const spec of config.nodes) addNode(engine, spec);
  startControlPlane(engine, settled);
  keepKubernetesService(server, config, () => apiserverUp(engine));
  server.kubelet = clusterProxy(engine);
  server.webhook = webhookCaller(engine);
  server.proxyTransport = proxyTransport(engine);
  wakeAddons(engine);
  // Agents of nodes whose tables are kept must see every change: the tables cannot be derived later.
  for (const node of engine.nodes.values()) if (saved.has(`netns:${node.spec.name}:`)) wakeNode(node);
  return engine;
}

/** Controllers of add-ons that an earlier process ran go on: nobody has to talk to them first. */
function wakeAddons(engine: Engine): void {
  for (const pod of listObjects(engine.server, 'pods')) {
    const node = engine.nodes.get(pod.spec?.nodeName);
    if (node && pod.status?.phase === 'Running' && watchesApi(pod))
      schedule(engine.server.sim, 1, () => wakePod(node.kubelet, pod), engine.settled);
  }
}

const structuredCloneJson = <T>(v: T): T => JSON.parse(JSON.stringify(v));

/** A cluster from nothing: kubeadm's objects, then time until it is quiet. */
export function bootCluster(server: ApiServer, config: ClusterConfig): Engine {
  putServerObjects(server);
  for (const [writer, objects] of bootstrapObjects(config, () => caCertificate(server)))
    for (const o of objects()) must(createObject(server, o, 'kubernetes-admin', writer));
  if (config.cni.name === 'calico') writeDefaults(server, config.cni);
  mendKubernetesService(server, config);
  const engine = startEngine(server, config);
  settle(server.sim, 120_000);
  return engine;
}

function must(o: KubeObject | { kind: string; message?: string }): void {
  if (o.kind === 'Status') throw new Error(`the cluster's own objects are refused: ${(o as { message?: string }).message}`);
}

export { apiserverUp };

/** When a pod will change by itself, at the latest: the next command has to look then. undefined: not by itself. */
export function engineDueMs(engine: Engine): number | undefined {
  const times = [...engine.nodes.values()].map(n => nodeDueMs(n.kubelet)).filter(t => t !== undefined);
  return times.length ? Math.min(...times) : undefined;
}

/** What a session has to keep beside the API objects: key -> JSON value, only what differs from what was loaded. */
export function saveEngine(engine: Engine): Map<string, unknown> {
  const now = new Map<string, unknown>([['ipam', engine.cni.ipam]]);
  if (engine.installedCni) now.set('cni', engine.installedCni);
  for (const node of engine.nodes.values()) for (const [k, v] of saveNode(node)) now.set(k, v);
  const changed = new Map<string, unknown>();
  for (const [key, value] of now) {
    const text = JSON.stringify(value);
    if (engine.written.get(key) === text) continue;
    engine.written.set(key, text);
    changed.set(key, value);
  }
  return changed;
}

/** Every pod the API knows, in the order of their names. */
export const allPods = (engine: Engine): KubeObject[] => listObjects(engine.server, 'pods');

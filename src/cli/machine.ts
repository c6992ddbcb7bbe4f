// One command on one machine: open the session, let the cluster come to rest, run, commit, print. A command that loses the race for its
// commit begins again on the new state; nothing has been printed by then.
import { handleRead } from '../apiserver/read.ts';
import { allResources } from '../apiserver/resources.ts';
import { newApiServer } from '../apiserver/store.ts';
import type { ApiServer, Change, KubeObject, ResourceInfo } from '../apiserver/types.ts';
import type { ClusterConfig } from '../cluster/config.ts';
import type { Engine } from '../cluster/types.ts';
import type { Connection, Kubeconfig } from '../kubectl/host.ts';
import type { Random } from '../sim/random.ts';
import { newSim, type Sim } from '../sim/sim.ts';
import { podnetHome } from './home.ts';
import { keptNotice } from './kept.ts';
import { commit, loadBucket, openSession, replaceAll, type Session, SessionError } from './session.ts';

/** Bucket `podnet`: what the machine itself keeps. */
export interface MachineMeta {
  /** Cluster time minus wall time. */
  offsetMs: number;
  /** Cluster time at the end of the last command that moved it. */
  lastMs: number;
  random: Random;
}

/** Bucket `podnet`, key `cluster:NAME`. */
export interface ClusterRecord {
  config: ClusterConfig;
  random: Random;
  revision: number;
  /** Nothing was left to happen when the last command ended. */
  quiet: boolean;
  /** When a pod will change by itself: from then on the cluster is not quiet any more. */
  dueMs?: number;
  /** No API server answers: its pod is gone or does not run. */
  apiDown?: boolean;
}

export interface ClusterHandle {
  name: string;
  record: ClusterRecord;
  server: ApiServer;
  engine: Engine | null;
}

export interface Machine {
  home: string;
  session: Session;
  meta: MachineMeta;
  sim: Sim;
  /** The clock on the wall: a command that stays commits later than it began. */
  wallNowMs: () => number;
  clusters: Map<string, ClusterHandle>;
  kubeconfig: Kubeconfig;
  kubeconfigChanged: boolean;
  /** By cluster, what kubectl has remembered of it and is not kept yet. */
  discovery: Map<string, ResourceInfo[]>;
  /** What sim and random looked like at the start: nothing to commit when they still do. */
  before: { nowMs: number; random: string };
  /** Nothing is kept (`--with`). */
  throwaway: boolean;
}

/** The wall clock, or PODNET_NOW. */
export function wallClock(env: NodeJS.ProcessEnv): number {
  if (!env.PODNET_NOW) return Date.now();
  const t = Date.parse(env.PODNET_NOW);
  if (Number.isNaN(t)) throw new SessionError(`PODNET_NOW: "${env.PODNET_NOW}" is not an RFC 3339 time`);
  return t;
}

export function seedOf(env: NodeJS.ProcessEnv): number {
  if (env.PODNET_SEED === undefined || env.PODNET_SEED === '') return Math.floor(Math.random() * 2 ** 48);
  const seed = Number(env.PODNET_SEED);
  if (!Number.isSafeInteger(seed)) throw new SessionError(`PODNET_SEED: "${env.PODNET_SEED}" is not an integer`);
  return seed;
}

export function defaultKubeconfig(config: ClusterConfig): Kubeconfig {
  return { apiVersion: 'v1', kind: 'Config', preferences: {}, ...kubeconfigEntries(config) };
}

export function kubeconfigEntries(config: ClusterConfig): Pick<Kubeconfig, 'clusters' | 'users' | 'contexts' | 'current-context'> {
  const main = config.name === 'kubernetes';
  const user = main ? 'kubernetes-admin' : `${config.name}-admin`;
  const context = main ? 'kubernetes-admin@kubernetes' : config.name;
  const ip = config.nodes.find(n => n.role === 'control-plane')?.ips[0] ?? config.nodes[0]?.ips[0] ?? '127.0.0.1';
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return {
    clusters: [{ name: config.name, cluster: { 'certificate-authority-data': 'cG9kbmV0', server: `https://${host}:6443` } }],
    users: [{ name: user, user: { 'client-certificate-data': 'cG9kbmV0', 'client-key-data': 'cG9kbmV0' } }],
    contexts: [{ name: context, context: { cluster: config.name, user } }],
    'current-context': context,
  };
}

const get = <T>(session: Session, key: string): T | undefined => loadBucket(session, 'podnet').get(key) as T | undefined;

export async function openMachine(env: NodeJS.ProcessEnv): Promise<Machine> {
  const home = podnetHome(env);
  const wallMs = wallClock(env);
  let first: Change[] | null = null;
  const make = () => {
    if (!first) throw new NoSession();
    return first;
  };
  let session: Session;
  try {
    session = openSession(home, make);
  } catch (e) {
    if (!(e instanceof NoSession)) throw e;
    const { newMachineChanges } = await import('./create.ts');
    first = newMachineChanges(wallMs, seedOf(env));
    session = openSession(home, make);
  }
  return machineOf(home, session, () => wallClock(env));
}

class NoSession extends Error {}

export const sessionGone = () => new SessionError('the clusters were deleted meanwhile');

/** The machine as other commands have left it by now. */
export function reopenMachine(machine: Machine, env: NodeJS.ProcessEnv): Machine {
  const none = () => {
    throw sessionGone();
  };
  return machineOf(machine.home, openSession(machine.home, none), () => wallClock(env));
}

function machineOf(home: string, session: Session, wallNowMs: () => number): Machine {
  const meta = get<MachineMeta>(session, 'meta');
  const kubeconfig = get<Kubeconfig>(session, 'kubeconfig');
  if (!meta || !kubeconfig) throw new SessionError(`${session.dir} is damaged (no machine in it); "podnet cluster reset" starts afresh`);
  const random = { ...meta.random };
  const sim = newSim(Math.max(wallNowMs() + meta.offsetMs, meta.lastMs), random);
  const machine: Machine = {
    home,
    session,
    meta,
    sim,
    wallNowMs,
    clusters: new Map(),
    kubeconfig,
    kubeconfigChanged: false,
    discovery: new Map(),
    before: { nowMs: sim.nowMs, random: JSON.stringify(random) },
    throwaway: false,
  };
  for (const key of loadBucket(session, 'podnet').keys()) {
    if (key.startsWith('cluster:')) machine.clusters.set(key.slice(8), openCluster(machine, key.slice(8)));
  }
  return machine;
}

function openCluster(machine: Machine, name: string): ClusterHandle {
  const kept = get<ClusterRecord>(machine.session, `cluster:${name}`) as ClusterRecord;
  const record = { ...kept, quiet: kept.quiet && (kept.dueMs === undefined || kept.dueMs > machine.sim.nowMs) };
  const server = newServer(machine.sim, record.config, { ...record.random });
  server.store.revision = record.revision;
  server.store.load = bucket => [...loadBucket(machine.session, `${name}/${bucket}`).values()] as KubeObject[];
  return { name, record, server, engine: null };
}

/** The CNIs whose agents act on NetworkPolicies. */
const ENFORCES_POLICIES = ['calico'];

export function newServer(sim: Sim, config: ClusterConfig, random: Random): ApiServer {
  const { serviceCIDRs, podCIDRs, version, cni } = config;
  const notice = (info: ResourceInfo, o: KubeObject): string | null => {
    if (info.resource !== 'networkpolicies') return keptNotice(info, o);
    if (ENFORCES_POLICIES.includes(cni.name)) return null;
    return `podnet: the CNI of this cluster (${cni.name}) enforces no NetworkPolicies: they are kept and shown, and change nothing`;
  };
  return newApiServer(sim, random, { serviceCIDRs, podCIDRs, version, notice });
}

/** The engine of a cluster, built when it is first needed; its code must have been loaded (loadEngine). */
export function engineOf(machine: Machine, cluster: ClusterHandle): Engine {
  if (!cluster.engine) {
    if (!engineCode) throw new Error('the engine was not loaded');
    const saved = new Map(loadBucket(machine.session, `${cluster.name}:engine`));
    cluster.engine = engineCode.startEngine(
      cluster.server,
      cluster.record.config,
      saved,
      cluster.record.quiet && !cluster.server.store.changes.length,
    );
  }
  return cluster.engine;
}

let engineCode: typeof import('../cluster/engine.ts') | null = null;

export async function loadEngine(): Promise<typeof import('../cluster/engine.ts')> {
  await loadApi();
  engineCode ??= await import('../cluster/engine.ts');
  return engineCode;
}

let apiCode: typeof import('../apiserver/server.ts') | null = null;

/** Everything that can be asked of the API; without it only reading works, which is all that `get` needs and a tenth of the code. */
export async function loadApi(): Promise<void> {
  apiCode ??= await import('../apiserver/server.ts');
}

/** An API server as kubectl reaches it; `wake` builds what stands behind pods' subresources. */
export function connectionFor(server: ApiServer, wake: () => void = () => {}, discovery?: Connection['discovery']): Connection {
  return {
    server,
    discovery,
    request: req => (apiCode ? apiCode.handle(server, req) : handleRead(server, req)),
    watch: (req, onEvent) => {
      if (!apiCode) throw new Error('the API server was not loaded');
      return apiCode.watchRequest(server, req, onEvent);
    },
    resources: () => [...allResources(server)],
    get kubelet() {
      wake();
      return server.kubelet;
    },
    version: server.config.version,
  };
}

/** kubectl's connection to one cluster. */
export const connectionTo = (machine: Machine, cluster: ClusterHandle): Connection =>
  connectionFor(cluster.server, () => void engineOf(machine, cluster), {
    // Nothing was kept of a machine that is in no session.
    load: () => {
      const known = machine.discovery.get(cluster.name);
      return known || machine.throwaway ? known : get<ResourceInfo[]>(machine.session, `discovery:${cluster.name}`);
    },
    save: resources => void machine.discovery.set(cluster.name, resources),
  });

export const apiDown = (c: ClusterHandle): boolean => (c.engine && engineCode ? !engineCode.apiserverUp(c.engine) : !!c.record.apiDown);

export const clusterByName = (machine: Machine, name: string): ClusterHandle | null => machine.clusters.get(name) ?? null;

/** The cluster that a kubeconfig's entry means: its address is podnet's own for it, or podnet serve's. Without a name any of that address. */
export function clusterAt(machine: Machine, entry: { name: string; server: string }): ClusterHandle | null {
  const own = (c: ClusterHandle) => kubeconfigEntries(c.record.config).clusters[0].cluster.server === entry.server.replace(/\/$/, '');
  if (!entry.name) return [...machine.clusters.values()].find(own) ?? null;
  const named = clusterByName(machine, entry.name);
  return named && (own(named) || /^https:\/\/127\.0\.0\.1:/.test(entry.server)) ? named : null;
}

/** The cluster of the current context; podnet's own commands act on it. */
export function currentCluster(machine: Machine): ClusterHandle {
  const config = machine.kubeconfig;
  const context = config.contexts.find(c => c.name === config['current-context']);
  const cluster = machine.clusters.get(context?.context.cluster ?? '') ?? machine.clusters.values().next().value;
  if (!cluster) throw new SessionError('there is no cluster; "podnet cluster create" makes one');
  return cluster;
}

export function currentNamespace({ kubeconfig }: Machine): string {
  return kubeconfig.contexts.find(c => c.name === kubeconfig['current-context'])?.context.namespace || 'default';
}

const SETTLE_MS = 30_000;

/** Let every cluster come to rest before a command acts (CONTRACT: until it is quiet, or 30 s have passed). */
export async function settleMachine(machine: Machine, settle: (sim: Sim, limitMs: number) => boolean): Promise<void> {
  if (![...machine.clusters.values()].some(c => !c.record.quiet)) return;
  await loadEngine();
  settleLoaded(machine, settle);
}

/** The same, once the engine's code is there. */
export function settleLoaded(machine: Machine, settle: (sim: Sim, limitMs: number) => boolean): void {
  for (const c of machine.clusters.values()) if (!c.record.quiet || c.server.store.changes.length) engineOf(machine, c);
  settle(machine.sim, SETTLE_MS);
}

/** Everything that changed, as one batch; empty when there is nothing to keep. */
export function pendingChanges(machine: Machine): Change[] {
  const changes: Change[] = [];
  for (const c of machine.clusters.values()) {
    const { store } = c.server;
    const engine = c.engine ? engineCode?.saveEngine(c.engine) : undefined;
    for (const [key, value] of engine ?? []) changes.push({ bucket: `${c.name}:engine`, key, object: value as KubeObject });
    for (const ch of store.changes) changes.push({ ...ch, bucket: `${c.name}/${ch.bucket}` });
    const quiet = c.engine ? machine.sim.foreground === 0 : c.record.quiet && !store.changes.length;
    const random = JSON.stringify(c.server.random);
    const dueMs = c.engine ? engineCode?.engineDueMs(c.engine) : c.record.dueMs;
    const down = apiDown(c) || undefined;
    const { record } = c;
    const known = quiet === record.quiet && dueMs === record.dueMs && down === record.apiDown;
    if (store.changes.length || !known || random !== JSON.stringify(record.random)) {
      c.record = { ...record, random: { ...c.server.random }, revision: store.revision, quiet, dueMs, apiDown: down };
      changes.push({ bucket: 'podnet', key: `cluster:${c.name}`, object: c.record as unknown as KubeObject });
    }
  }
  if (machine.kubeconfigChanged) changes.push({ bucket: 'podnet', key: 'kubeconfig', object: machine.kubeconfig as unknown as KubeObject });
  for (const [name, list] of machine.discovery)
    changes.push({ bucket: 'podnet', key: `discovery:${name}`, object: list as unknown as KubeObject });
  const { sim, before } = machine;
  if (changes.length || sim.nowMs !== before.nowMs || JSON.stringify(sim.random) !== before.random) {
    machine.meta = {
      offsetMs: Math.max(machine.meta.offsetMs, sim.nowMs - machine.wallNowMs()),
      lastMs: sim.nowMs,
      random: { ...sim.random },
    };
    changes.push({ bucket: 'podnet', key: 'meta', object: machine.meta as unknown as KubeObject });
  }
  return changes;
}

/** false: another command was first; begin again. */
export function commitMachine(machine: Machine, known?: Change[]): boolean {
  if (machine.throwaway) return true;
  const changes = known ?? pendingChanges(machine);
  if (!changes.length) return true;
  if (!commit(machine.session, changes)) return false;
  markCommitted(machine);
  return true;
}

/** Replace everything that the machine holds by `changes`. */
export function replaceMachine(machine: Machine, changes: Change[]): boolean {
  return replaceAll(machine.session, changes);
}

export function markCommitted(machine: Machine): void {
  for (const c of machine.clusters.values()) c.server.store.changes = [];
  machine.kubeconfigChanged = false;
  machine.discovery.clear();
  machine.before = { nowMs: machine.sim.nowMs, random: JSON.stringify(machine.sim.random) };
}

/** The starting point of a machine with one cluster in it. */
export function machineChanges(sim: Sim, wallMs: number, handle: ClusterHandle, engine: Map<string, unknown>): Change[] {
  const { server, record, name } = handle;
  const changes: Change[] = [];
  for (const [bucket, b] of server.store.buckets)
    for (const [key, object] of b.objects) changes.push({ bucket: `${name}/${bucket}`, key, object });
  for (const [key, value] of engine) changes.push({ bucket: `${name}:engine`, key, object: value as KubeObject });
  const podnet = (key: string, object: unknown) => changes.push({ bucket: 'podnet', key, object: object as KubeObject });
  podnet(`cluster:${name}`, { ...record, random: { ...server.random }, revision: server.store.revision });
  podnet('kubeconfig', defaultKubeconfig(record.config));
  podnet('meta', { offsetMs: Math.max(0, sim.nowMs - wallMs), lastMs: sim.nowMs, random: { ...sim.random } } satisfies MachineMeta);
  return changes;
}

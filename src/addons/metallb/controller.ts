// MetalLB's controller: gives Services of type LoadBalancer their addresses (metallb v0.15 controller/).

import { createObject, patchObject, updateStatus } from '../../apiserver/client.ts';
import { newRecorder, recordEvent } from '../../apiserver/recorder.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import type { Process, Program } from '../../linux/types.ts';
import { base64, stringToBytes } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import { nextU32 } from '../../sim/random.ts';
import { goServer } from '../../userland/servers/go-http.ts';
import { parseIp } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { reconcileOn, sameJson, untilEnd } from '../reconcile.ts';
import { log, sayStart } from './log.ts';
import {
  addressesIn,
  annotation,
  givenAddresses,
  holds,
  isLoadBalancer,
  POOLS,
  type Pool,
  poolOf,
  poolsOf,
  rank,
  serves,
} from './pools.ts';

const MONITORING = 7472;
const KEY = 'metallb.io/ip-allocated-from-pool';
const COMPONENT = 'metallb-controller';

export const metallbController = ({ server, pod }: AddonContext): Program =>
  function* controller(p) {
    goServer(p, MONITORING, function* () {
      return {
        status: 200,
        body: '# HELP metallb_k8s_client_config_loaded_bool 1 if the MetalLB configuration was successfully loaded at least once.\n',
      };
    });
    const known = (p.memory?.left ?? {}) as Partial<Known>;
    const m: Known = { madeSecret: known.madeSecret ?? false, pools: known.pools ?? '[]' };
    p.memory = { save: () => m };
    sayStart(p, 'controller', 'main.go:187');
    if (memberlistSecret(server, pod.metadata.namespace ?? 'metallb-system')) m.madeSecret = true;
    if (m.madeSecret) log(p, 'info', 'k8s.go:462', { op: 'CreateMlSecret', msg: 'secret successfully created' });
    log(p, 'info', 'k8s.go:485', { op: 'Run', msg: 'Starting Manager' });
    const b: Balancer = { server, recorder: newRecorder(server, COMPONENT), p };
    const look = () => {
      sayPools(b, m);
      sync(b);
    };
    const stop = reconcileOn(server, ['services', POOLS, 'namespaces'], look, {
      delayMs: SYNC_MS,
      concerns: (bucket, e) => bucket !== 'services' || isLoadBalancer(e.object) || !!e.object.metadata.annotations?.[KEY],
    });
    return yield* untilEnd(p, [stop]);
  };

/** Long enough that the first look does not belong to the program's start. */
const SYNC_MS = 120;

/** Kept between commands. */
interface Known {
  madeSecret: boolean;
  /** The pools of the configuration that runs, as JSON. */
  pools: string;
}

interface Balancer {
  server: ApiServer;
  recorder: Recorder;
  p: Process;
}

/** A pool that came, went or changed is a new configuration (internal/k8s/controllers/pool_controller.go). */
function sayPools({ server, p }: Balancer, m: Known): void {
  const now = poolsOf(server).map(x => [`${x.object.metadata.namespace}/${x.name}`, JSON.stringify(x.object.spec)]);
  const then = new Map(JSON.parse(m.pools) as [string, string][]);
  m.pools = JSON.stringify(now);
  const names = new Set([...now.filter(([name, spec]) => then.get(name) !== spec).map(([name]) => name)]);
  for (const name of then.keys()) if (!now.some(([n]) => n === name)) names.add(name);
  for (const name of names) {
    const say = (line: number, fields: object) => log(p, 'info', `pool_controller.go:${line}`, { controller: 'PoolReconciler', ...fields });
    say(52, { 'start reconcile': name });
    say(114, { event: 'force service reload' });
    say(128, { event: 'config reloaded' });
    say(129, { 'end reconcile': name });
  }
}

/** The key that the speakers' member list is sealed with; their pods wait for it. -> it was made now */
function memberlistSecret(server: ApiServer, namespace: string): boolean {
  if (getObject(server, 'secrets', namespace, 'memberlist')) return false;
  const key = Array.from({ length: 16 }, () => nextU32(server.random).toString(16).padStart(8, '0')).join('');
  const data = { secretkey: base64(stringToBytes(key)) };
  createObject(server, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'memberlist', namespace }, type: 'Opaque', data });
  return true;
}

type Recorder = ReturnType<typeof newRecorder>;

function sync(b: Balancer): void {
  const { server } = b;
  const pools = poolsOf(server).sort((a, b) => rank(a) - rank(b));
  const services = listObjects(server, 'services');
  for (const s of services) if (!isLoadBalancer(s) && s.metadata.annotations?.[KEY]) clear(server, s);
  for (const s of services) if (isLoadBalancer(s) && !s.metadata.deletionTimestamp) converge(b, pools, s);
  for (const pool of pools) writeStatus(server, pool);
}

function clear(server: ApiServer, s: KubeObject): void {
  const { namespace, name } = s.metadata;
  const patched = patchObject(server, 'services', namespace, name, 'merge', { metadata: { annotations: { [KEY]: null } } });
  const now = patched.kind === 'Status' ? s : (patched as KubeObject);
  if (givenAddresses(now).length) updateStatus(server, { ...now, status: { ...now.status, loadBalancer: {} } });
}

/** The addresses that a Service asks for by name. */
function asked(s: KubeObject): string[] {
  const text = annotation(s, 'loadBalancerIPs') ?? s.spec.loadBalancerIP ?? '';
  return text
    .split(',')
    .map((x: string) => x.trim())
    .filter(Boolean);
}

function converge(b: Balancer, pools: Pool[], s: KubeObject): void {
  const { server, recorder, p } = b;
  const has = givenAddresses(s);
  const wanted = asked(s);
  const wantedPool = annotation(s, 'address-pool');
  // Without any pool there is nothing to say (convergeBalancer).
  if (!pools.length) {
    if (s.metadata.annotations?.[KEY]) clear(server, s);
    return;
  }
  if (has.length) {
    const from = poolOf(pools, has[0]);
    const right = !wanted.length || sameJson([...has].sort(), [...wanted].sort());
    if (from && right && (!wantedPool || wantedPool === from.name) && s.metadata.annotations?.[KEY]) return;
    if (!from && !s.metadata.annotations?.[KEY]) return; // another provider's
  }
  const got = allocate(server, pools, s, wanted, wantedPool);
  if (typeof got === 'string') {
    log(p, 'error', 'service.go:179', { op: 'allocateIPs', error: got, msg: 'IP allocation failed' });
    if (has.length) clear(server, s);
    recordEvent(recorder, s, 'Warning', 'AllocationFailed', `Failed to allocate IP for ${goQuote(keyOf(s))}: ${got}`);
    return;
  }
  log(p, 'info', 'service.go:186', { event: 'ipAllocated', ip: got.ips, msg: 'IP address assigned by controller' });
  const { namespace, name } = s.metadata;
  const patched = patchObject(server, 'services', namespace, name, 'merge', { metadata: { annotations: { [KEY]: got.pool } } });
  const now = patched.kind === 'Status' ? s : (patched as KubeObject);
  const ingress = got.ips.map(ip => ({ ip, ipMode: 'VIP' }));
  updateStatus(server, { ...now, status: { ...now.status, loadBalancer: { ingress } } });
  log(p, 'info', 'main.go:136', { event: 'serviceUpdated', msg: 'updated service object' });
  recordEvent(recorder, s, 'Normal', 'IPAllocated', `Assigned IP [${got.ips.map(ip => goQuote(ip)).join(' ')}]`);
}

const keyOf = (s: KubeObject) => `${s.metadata.namespace}/${s.metadata.name}`;

/** Taken by others, unless both share by the same key and their ports differ. */
function takenBy(server: ApiServer, s: KubeObject): Set<string> {
  const key = annotation(s, 'allow-shared-ip');
  const ports = new Set<string>((s.spec.ports ?? []).map((p: any) => `${p.protocol ?? 'TCP'} ${p.port}`));
  const taken = new Set<string>();
  for (const other of listObjects(server, 'services')) {
    if (other.metadata.uid === s.metadata.uid || other.spec?.type !== 'LoadBalancer') continue;
    const shares = key && annotation(other, 'allow-shared-ip') === key;
    const clash = (other.spec.ports ?? []).some((p: any) => ports.has(`${p.protocol ?? 'TCP'} ${p.port}`));
    if (!shares || clash) for (const ip of givenAddresses(other)) taken.add(ip);
  }
  return taken;
}

function allocate(
  server: ApiServer,
  pools: Pool[],
  s: KubeObject,
  wanted: string[],
  wantedPool: string | undefined,
): { ips: string[]; pool: string } | string {
  const taken = takenBy(server, s);
  if (wanted.length) {
    for (const text of wanted) {
      const ip = parseIp(text);
      if (!ip) return `invalid spec.loadBalancerIP "${text}"`;
      const pool = pools.find(p => holds(p, ip));
      if (!pool) return `["${text}"] is not allowed in config`;
      if (taken.has(text)) return `can't change sharing key for "${keyOf(s)}", address also in use by ${ownerOf(server, s, text)}`;
    }
    return { ips: wanted, pool: poolOf(pools, wanted[0])?.name ?? '' };
  }
  const families: string[] = s.spec.ipFamilies ?? ['IPv4'];
  const usable = wantedPool ? pools.filter(p => p.name === wantedPool) : pools.filter(p => p.autoAssign && serves(server, p, s));
  if (wantedPool && !usable.length) return `unknown pool "${wantedPool}"`;
  for (const pool of usable) {
    const ips = families.map(f => first(pool, f === 'IPv6', taken)).filter(x => x !== undefined);
    if (ips.length === families.length || (ips.length && s.spec.ipFamilyPolicy === 'PreferDualStack')) return { ips, pool: pool.name };
  }
  return wantedPool ? `no available IPs in pool "${wantedPool}" for ${families.join(',').toLowerCase()} IPFamily` : 'no available IPs';
}

function first(pool: Pool, six: boolean, taken: Set<string>): string | undefined {
  for (const ip of addressesIn(pool, six)) if (!taken.has(ip)) return ip;
  return undefined;
}

function ownerOf(server: ApiServer, s: KubeObject, ip: string): string {
  const other = listObjects(server, 'services').find(o => o.metadata.uid !== s.metadata.uid && givenAddresses(o).includes(ip));
  return other ? keyOf(other) : '';
}

function writeStatus(server: ApiServer, pool: Pool): void {
  const given = new Set(listObjects(server, 'services').filter(isLoadBalancer).flatMap(givenAddresses));
  const count = (six: boolean) => {
    const all = [...addressesIn(pool, six)];
    const assigned = all.filter(ip => given.has(ip)).length;
    return { assigned, available: all.length - assigned };
  };
  const [four, six] = [count(false), count(true)];
  const status = { assignedIPv4: four.assigned, assignedIPv6: six.assigned, availableIPv4: four.available, availableIPv6: six.available };
  const now = getObject(server, POOLS, pool.object.metadata.namespace, pool.name);
  if (now && !sameJson(now.status, status)) updateStatus(server, { ...now, status });
}

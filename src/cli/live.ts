// A command that stays: it serves connections from the world outside, and each of them meets the cluster as other commands have left it
// by then. Between connections nothing of the cluster lives here, so that other commands find it undisturbed.
import type { ApiRequest, KubeObject, Status, Table, WatchEventType } from '../apiserver/types.ts';
import type { Connection } from '../kubectl/host.ts';
import { nextAtMs, runUntil, type Sim, settle, step } from '../sim/sim.ts';
import { followingKubelet, type OwnLog } from './live-logs.ts';
import {
  clusterByName,
  commitMachine,
  connectionTo,
  engineOf,
  loadEngine,
  type Machine,
  reopenMachine,
  sessionGone,
  settleLoaded,
} from './machine.ts';
import { commitRebased } from './rebase.ts';
import { compact, hasNews, SessionError, wantsCompaction } from './session.ts';

/** Something open between the world outside and programs of the cluster: its machine stays until it is closed. */
export interface Stream {
  /** It waits for programs, not for the world outside: time that nobody needs is skipped up to here (virtual milliseconds). */
  skipsUntilMs: () => number;
}

export interface Live {
  env: NodeJS.ProcessEnv;
  /** Time is left to the wall clock. */
  realtime: boolean;
  /** What a new connection meets. */
  machine: Machine;
  /** Machines with something open on them; what other commands do does not reach those any more. */
  open: Map<Machine, Set<Stream>>;
  /** Timeline of the command's own tasks; they outlive machines. */
  client: Sim;
  /** Called when the world outside has something to say. */
  kick: () => void;
  /** After every commit of this process. */
  committed: () => void;
  /** What else is due now and then. */
  turn: () => void;
  /** Bytes for the world outside: they leave once what led to them is committed, so that nobody knows more than the session. */
  outbox: (() => void)[];
}

/** How long a command that only waits for the world outside may not notice what others do. */
const POLL_MS = 100;

/** Events in a row before sockets are looked at again. */
const MOST_STEPS = 20_000;

const MOST_ATTEMPTS = 200;

export async function newLive(machine: Machine, client: Sim, env: NodeJS.ProcessEnv): Promise<Live> {
  await loadEngine();
  return {
    env,
    realtime: env.PODNET_REALTIME === '1',
    machine,
    open: new Map(),
    client,
    kick: () => {},
    committed: () => {},
    turn: () => {},
    outbox: [],
  };
}

/** The machine with everything that other commands have committed. */
export function fresh(live: Live): Machine {
  const { machine } = live;
  if (machine.throwaway || !hasNews(machine.session)) {
    if (!live.open.has(machine)) passWallTime(machine);
    return machine;
  }
  if (live.open.has(machine)) publish(live, machine);
  live.machine = reopenMachine(machine, live.env);
  return live.machine;
}

/** What the clock on the wall has moved on, for a machine that nothing happens in. */
function passWallTime(machine: Machine): void {
  const { sim } = machine;
  const now = clusterNowMs(machine);
  if (now <= sim.nowMs) return;
  for (let at = nextAtMs(sim); at !== undefined && at <= now; at = nextAtMs(sim)) step(sim);
  const untouched = sim.nowMs === machine.before.nowMs;
  sim.nowMs = Math.max(sim.nowMs, now);
  if (untouched) machine.before.nowMs = sim.nowMs;
}

/** The cluster's clock by the one on the wall. */
const clusterNowMs = (machine: Machine): number => machine.wallNowMs() + machine.meta.offsetMs;

/** A watch of this process's own kubectl. */
export interface OwnWatch {
  cluster: string;
  request: ApiRequest;
  onEvent: (type: WatchEventType, object: KubeObject | Table) => void;
  stop: (() => void) | Status;
}

/** kubectl's connection to a cluster as it is whenever something is asked of it. */
export function liveConnection(live: Live, name: string, watches: Set<OwnWatch>, logs: Set<OwnLog>): Connection | null {
  const now = (): Connection => {
    const cluster = clusterByName(live.machine, name);
    if (!cluster) throw sessionGone();
    return connectionTo(live.machine, cluster);
  };
  if (!clusterByName(live.machine, name)) return null;
  return {
    get server() {
      return now().server;
    },
    get discovery() {
      return now().discovery;
    },
    request: req => now().request(req),
    watch: (request, onEvent) => {
      const w: OwnWatch = { cluster: name, request, onEvent, stop: now().watch(request, onEvent) };
      if (typeof w.stop !== 'function') return w.stop;
      watches.add(w);
      return () => {
        watches.delete(w);
        if (typeof w.stop === 'function') w.stop();
      };
    },
    resources: () => now().resources(),
    get kubelet() {
      return followingKubelet(now, logs);
    },
    version: now().version,
  };
}

/** A command that shows what happens takes its time to start: controllers have seen the change by then. */
export function passStart(machine: Machine, ms: number): void {
  for (const c of machine.clusters.values()) if (!c.record.quiet || c.engine) engineOf(machine, c);
  runUntil(machine.sim, () => false, machine.sim.nowMs + ms);
}

/** -> false: it does not come to rest. */
export function settleNow(machine: Machine): boolean {
  settleLoaded(machine, settle);
  return machine.sim.foreground === 0;
}

/** Something happens in the machine by now (or `aheadMs` after), or would at once if time were let to pass. */
export const isDue = (machine: Machine, aheadMs: number): boolean =>
  machine.sim.foreground > 0 || (nextAtMs(machine.sim) ?? Number.POSITIVE_INFINITY) <= clusterNowMs(machine) + aheadMs;

/** Let happen what is due by then. */
export function runDue(machine: Machine, aheadMs: number): void {
  const until = clusterNowMs(machine) + aheadMs;
  for (let at = nextAtMs(machine.sim); at !== undefined && at <= until; at = nextAtMs(machine.sim)) step(machine.sim);
}

/**
 * Do something to the newest state and commit it; `act` is called again when another command was first. With streams open on the
 * machine it is done once: what they have shown cannot be taken back.
 */
export function transact<T>(live: Live, settles: boolean, act: (machine: Machine) => T): T {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const machine = fresh(live);
    if (settles) settleNow(machine);
    const result = act(machine);
    if (live.open.has(machine)) {
      publish(live, machine);
      return result;
    }
    if (commitMachine(machine)) {
      tidy(machine);
      live.committed();
      return result;
    }
    live.machine = reopenMachine(machine, live.env);
  }
  throw new SessionError('too many commands at a time: this one never got its turn');
}

function tidy(machine: Machine): void {
  if (!machine.throwaway && wantsCompaction(machine.session)) compact(machine.session);
}

/** Let others see what happened in a machine that cannot begin again. */
function publish(live: Live, machine: Machine): void {
  const alone = commitRebased(machine);
  if (alone) tidy(machine);
  else if (machine === live.machine) live.machine = reopenMachine(machine, live.env);
  live.committed();
}

/** Keep the machine, with its programs running, until the stream is closed. */
export function openStream(live: Live, machine: Machine, stream: Stream): void {
  for (const c of machine.clusters.values()) engineOf(machine, c);
  const streams = live.open.get(machine) ?? new Set();
  live.open.set(machine, streams.add(stream));
}

export function closeStream(live: Live, machine: Machine, stream: Stream): void {
  const streams = live.open.get(machine);
  if (!streams?.delete(stream)) return;
  if (!streams.size) live.open.delete(machine);
  publish(live, machine);
}

/** Until `done`: sockets, the command's tasks and the machines with streams take turns. */
export async function runLive(live: Live, done: () => boolean): Promise<void> {
  while (!done()) {
    const due = takeTurn(live);
    if (done()) break;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, Math.max(0, Math.min(POLL_MS, due)));
      live.kick = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  for (const machine of [...live.open.keys()]) publish(live, machine);
  for (const send of live.outbox.splice(0)) send();
}

/** -> milliseconds until something is due */
function takeTurn(live: Live): number {
  let due = POLL_MS;
  live.turn();
  runClient(live);
  for (const [machine, streams] of live.open) {
    const now = clusterNowMs(machine);
    if (pump(live, machine.sim, Math.max(now, machine.sim.nowMs), streams)) due = 0;
    else due = Math.min(due, (nextAtMs(machine.sim) ?? Number.POSITIVE_INFINITY) - now);
    runClient(live);
  }
  if (live.outbox.length) {
    for (const machine of [...live.open.keys()]) publish(live, machine);
    for (const send of live.outbox.splice(0)) send();
  }
  return due;
}

/** The command's own tasks, as far as they can go. */
function runClient(live: Live): void {
  const { client } = live;
  client.nowMs = Math.max(client.nowMs, live.machine.sim.nowMs, clusterNowMs(live.machine));
  for (let at = nextAtMs(client); at !== undefined && at <= client.nowMs; at = nextAtMs(client)) step(client);
}

/** Run what is due by the clock, and what is under way at once. -> whether there is more of that */
function pump(live: Live, sim: Sim, nowMs: number, streams: Set<Stream>): boolean {
  for (let steps = 0; ; steps++) {
    if (steps === MOST_STEPS) return true;
    const at = nextAtMs(sim);
    if (at === undefined) break;
    const skips = !live.realtime && (sim.foreground > 0 || [...streams].some(s => at <= s.skipsUntilMs()));
    if (at > nowMs && !skips) break;
    step(sim);
  }
  sim.nowMs = Math.max(sim.nowMs, nowMs);
  return false;
}

// The life of one command, whatever it is: open, rest, run, commit, print; begin again when another command was first.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { listObjects } from '../apiserver/store.ts';
import type { ApiServer } from '../apiserver/types.ts';
import { runUntil, settle } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import type { Captures } from './captures.ts';
import { drive } from './drive.ts';
import type { Staying } from './kubectl-host.ts';
import { commitMachine, engineOf, loadApi, loadEngine, type Machine, openMachine, settleMachine } from './machine.ts';
import { commitRebased } from './rebase.ts';
import { compact, SessionError, SessionMoved, wantsCompaction } from './session.ts';
import { flush, newStreams, type Streams } from './streams.ts';

export interface CommandPlan {
  /** Build the command over the opened machine; asynchronous for loading code only. */
  prepare: (machine: Machine, streams: Streams, staying?: Staying) => Promise<Co<number>>;
  /** `settle`: the cluster comes to rest first. `pass`: the command itself passes that time and shows what happens in it. */
  time: 'settle' | 'pass';
  /** It needs more than API objects. */
  engine: boolean;
  /** Until it is interrupted it serves connections of the user's machine, or shows what other commands do as well. */
  stays?: 'listens' | 'looks on';
  /** It only gets and lists. */
  reads?: boolean;
  /** Virtual time it may wait while only periodic work is due. */
  patienceMs: number;
  realtime?: boolean;
  /** Several commands run in it, in the background too. */
  shared?: boolean;
  /** A signal to this process goes to whom it is meant for. -> false: to nobody, the command ends */
  signal?: (name: 'INT' | 'TERM') => boolean;
}

/** Writing asks pods of the cluster first. */
const asksWebhooks = (server: ApiServer): boolean =>
  ['mutating', 'validating'].some(kind => listObjects(server, `${kind}webhookconfigurations.admissionregistration.k8s.io`).length > 0);

/** How long a client process takes until its first request (kubectl v1.36: a tenth of a second or more). */
export const START_MS = 150;

/** A round trip to the outside world and some. */
const DRAIN_MS = 30;

/** More commands than this cannot be in front of one that only just began. */
const MOST_ATTEMPTS = 200;

export async function runCommand(plan: CommandPlan, env: NodeJS.ProcessEnv, open = openMachine): Promise<number> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    try {
      const code = await attemptCommand(plan, env, open);
      if (code !== null) return code;
    } catch (e) {
      if (!(e instanceof SessionMoved)) throw e;
    }
  }
  throw new SessionError('too many commands at a time: this one never got its turn');
}

/** Has a program of it a capture open? */
function isCapturing(machine: Machine): boolean {
  for (const c of machine.clusters.values())
    for (const n of c.engine?.nodes.values() ?? []) for (const ns of n.built?.kernel.netns.values() ?? []) if (ns.taps.size) return true;
  return false;
}

/** Another process waits for packets of this command's, too. */
const witnessOf = async (machine: Machine): Promise<(() => void) | null> =>
  !machine.throwaway && fs.existsSync(join(machine.home, 'captures')) ? (await import('./captures.ts')).witness(machine) : null;

/** null: another command was first. */
async function attemptCommand(plan: CommandPlan, env: NodeJS.ProcessEnv, open: typeof openMachine): Promise<number | null> {
  const machine = await open(env);
  // A machine that is kept nowhere is nobody else's: its command never begins again.
  const streams = newStreams(!machine.throwaway);
  if (plan.time === 'settle') await settleMachine(machine, settle);
  const restless = [...machine.clusters.values()].some(c => !c.record.quiet);
  if (!plan.reads) await loadApi();
  const asks = plan.reads ? [] : [...machine.clusters.values()].filter(c => asksWebhooks(c.server));
  if (plan.engine || restless || asks.length) {
    await loadEngine();
    for (const c of machine.clusters.values()) if (plan.engine || !c.record.quiet || asks.includes(c)) engineOf(machine, c);
  }
  // Nobody else does anything to a machine that is kept nowhere.
  const stays = plan.stays && !(plan.stays === 'looks on' && machine.throwaway);
  const deliver = await witnessOf(machine);
  const stay = stays ? await (await import('./stay.ts')).beginStay(machine, env, plan.stays === 'listens') : undefined;
  const command = await plan.prepare(machine, streams, stay?.staying);
  // A command that shows what happens still takes its time to start: controllers have seen the change by then.
  if (plan.time === 'pass' && restless) runUntil(machine.sim, () => false, machine.sim.nowMs + START_MS);
  if (stay) stay.staying.sim.nowMs = machine.sim.nowMs;
  const task = startTask(stay?.staying.sim ?? machine.sim, command);
  if (!task.done) {
    await loadEngine();
    for (const c of machine.clusters.values()) engineOf(machine, c);
  }
  let captures: Captures | null = null;
  const code = await drive(stay ? [stay.staying.sim, machine.sim] : [machine.sim], task, {
    streams,
    patienceMs: plan.patienceMs,
    shared: plan.shared ?? false,
    realtime: plan.realtime ?? env.PODNET_REALTIME === '1',
    stay: stay?.until,
    publish: () => {
      // Nothing has been shown yet: who stays begins with what is.
      if (stay) return commitMachine(machine);
      commitRebased(machine);
      deliver?.();
      return true;
    },
    captures: () => !machine.throwaway && isCapturing(machine),
    begin: async () => {
      if (!machine.throwaway) captures = (await import('./captures.ts')).beginCaptures(machine);
    },
    follow: () => captures?.follow(),
    signal: plan.signal,
  }).finally(() => captures?.end());
  if (code === null) return null;
  // The last packets of its connections are on their way still.
  if (!streams.live && [...machine.clusters.values()].some(c => c.engine)) runUntil(machine.sim, () => false, machine.sim.nowMs + DRAIN_MS);
  if (streams.live) {
    if (!stay) commitRebased(machine);
  } else if (!commitMachine(machine)) return null;
  deliver?.();
  flush(streams);
  if (wantsCompaction(machine.session) && !machine.throwaway) compact(machine.session);
  return code;
}

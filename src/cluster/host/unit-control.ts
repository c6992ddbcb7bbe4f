// systemd's work: units are started and stopped, and their processes with them.
import { resumeKubelet, stopKubelet } from '../../kubelet/kubelet.ts';
import { ALL_CAPS, kill, spawnProgram } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { lookup } from '../../linux/vfs.ts';
import { schedule } from '../../sim/sim.ts';
import { idle, kubeletServers, sshd } from '../programs.ts';
import type { BuiltNode, NodeRuntime } from '../types.ts';
import { readKubelet } from './kubelet-start.ts';
import { journal, KUBEADM_DROP_IN, startedText, UNITS, unitFile } from './state.ts';
import { commandOf, filesOf } from './unit-files.ts';

/** kubelet.service and containerd.service say so. */
const RESTART_MS = 10_000;

/** systemd reads a unit's files at boot and at daemon-reload: have they changed since? */
export const changedOnDisk = (node: NodeRuntime, name: string): boolean =>
  JSON.stringify(node.host.units[name].loaded ?? packaged(name)) !== JSON.stringify(filesOf(node.look().rootfs, name));

export function daemonReload(node: NodeRuntime): void {
  for (const name of Object.keys(node.host.units)) {
    const files = filesOf(node.look().rootfs, name);
    if (JSON.stringify(files) === JSON.stringify(packaged(name))) delete node.host.units[name].loaded;
    else node.host.units[name].loaded = files;
  }
}

/** As the packages brought them: what systemd knows until it is told to look again. */
export const packaged = (name: string): [path: string, text: string][] => {
  const { dropIn } = UNITS[name];
  return [
    [`/usr/lib/systemd/system/${name}.service`, unitFile(name)],
    ...(dropIn ? ([[dropIn, KUBEADM_DROP_IN]] as [string, string][]) : []),
  ];
};

export function startUnit(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  if (unit.active) return;
  delete unit.failing;
  tryStart(node, name);
}

function tryStart(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  const now = node.engine.server.sim.nowMs;
  Object.assign(unit, { sinceMs: now, startedMs: now, pid: node.host.nextPid });
  node.host.nextPid += 37;
  const fs = node.look().rootfs;
  const command = commandOf(fs, unit.loaded ?? packaged(name));
  const path = command?.argv[0] ?? '';
  const binary = lookup(fs, path);
  if (typeof binary === 'string' || binary.kind !== 'file') {
    const why = typeof binary !== 'string' ? 'Permission denied' : 'No such file or directory';
    journal(node, name, startedText(name));
    journal(node, name, `${name}.service: Failed to locate executable ${path}: ${why}`, `(${name})[${unit.pid}]`);
    journal(node, name, `${name}.service: Failed at step EXEC spawning ${path}: ${why}`, `(${name})[${unit.pid}]`);
    failed(node, name, command?.line ?? '', 203);
    return;
  }
  journal(node, name, startedText(name));
  if (name === 'kubelet') {
    const read = readKubelet(node, fs, command?.argv ?? []);
    if ('error' in read) {
      node.log({ level: 'E', source: 'run.go:72', text: read.error });
      failed(node, name, command?.line ?? '', 1);
      return;
    }
    if (Object.keys(read).length) node.host.kubelet = { ...read, sinceMs: now };
    else delete node.host.kubelet;
  }
  delete unit.failing;
  unit.active = true;
  const argv = command?.argv ?? [];
  if (argv.join(' ') === UNITS[name].exec) delete unit.argv;
  else unit.argv = argv;
  if (name === 'kubelet') resumeKubelet(node.kubelet);
  unitChanged(node, name);
}

/** systemd.exec(5): what a status means; a signal's number is below zero. */
const STATUS: Record<number, string> = { 1: '1/FAILURE', 203: '203/EXEC', [-9]: '9/KILL', [-15]: '15/TERM' };
export const describeStatus = (status: number): string =>
  `code=${status < 0 ? 'killed' : 'exited'}, status=${STATUS[status] ?? String(Math.abs(status))}`;
export const resultOf = (status: number): string => (status < 0 ? 'signal' : 'exit-code');

/** A unit's process has ended, and systemd had not asked for it: somebody killed it. */
function died(node: NodeRuntime, name: string, p: Process): void {
  const unit = node.host.units[name];
  if (!unit.active || unit.pid !== p.pid) return;
  unit.active = false;
  if (name === 'kubelet') stopKubelet(node.kubelet);
  const line = commandOf(node.look().rootfs, unit.loaded ?? packaged(name))?.line ?? '';
  failed(node, name, line, p.exitCode === 143 ? -15 : -9);
}

function failed(node: NodeRuntime, name: string, line: string, status: number): void {
  const unit = node.host.units[name];
  journal(node, name, `${name}.service: Main process exited, ${describeStatus(status)}`);
  journal(node, name, `${name}.service: Failed with result '${resultOf(status)}'.`);
  unit.failing = { status, line, restarts: unit.failing?.restarts ?? 0 };
  unit.sinceMs = node.engine.server.sim.nowMs;
  tryAgain(node, name);
}

/** Restart=always: whoever is waiting for its next start, also from an earlier process of the session. */
export function tryAgain(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  const { sim } = node.engine.server;
  const { failing } = unit;
  if (!failing || unit.active) return;
  const again = () => {
    // Somebody stopped it, or started it again, meanwhile.
    if (unit.failing !== failing || unit.active) return;
    failing.restarts++;
    journal(node, name, `${name}.service: Scheduled restart job, restart counter is at ${failing.restarts}.`);
    journal(node, name, `Stopped ${name}.service - ${UNITS[name].description}.`);
    tryStart(node, name);
  };
  schedule(sim, Math.max(1, unit.sinceMs + RESTART_MS - sim.nowMs), again, true);
}

export function stopUnit(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  if (!unit.active && !unit.failing) return;
  if (unit.active) {
    journal(node, name, `Stopping ${name}.service - ${UNITS[name].description}...`);
    journal(node, name, `${name}.service: Deactivated successfully.`);
  }
  Object.assign(unit, { active: false, sinceMs: node.engine.server.sim.nowMs });
  delete unit.failing;
  journal(node, name, `Stopped ${name}.service - ${UNITS[name].description}.`);
  if (name === 'kubelet') stopKubelet(node.kubelet);
  unitChanged(node, name);
}

const DAEMONS: [unit: string | null, pid: number, argv: string, program: (node: NodeRuntime) => Program][] = [
  [null, 1, '/sbin/init', () => idle],
  [null, 590, '/usr/sbin/sshd -D', () => sshd],
  ['containerd', 612, UNITS.containerd.exec, () => idle],
  ['kubelet', 845, UNITS.kubelet.exec, kubeletServers],
];

/** The processes of a machine that has just been built. What comes later has higher numbers. */
export function startUnits(node: NodeRuntime, built: BuiltNode): void {
  const { kernel } = built;
  for (const [unit, pid, argv, program] of DAEMONS) {
    const state = unit ? node.host.units[unit] : null;
    if (state && !state.active) continue;
    kernel.nextPid = state?.pid ?? pid;
    const p = spawnDaemon(built, state?.argv ?? argv.split(' '), program(node));
    if (unit) p.cleanup.push(() => died(node, unit, p));
  }
  kernel.nextPid = Math.max(kernel.nextPid, node.host.nextPid);
}

function spawnDaemon(built: BuiltNode, argv: string[], program: Program): Process {
  const netns = built.kernel.netns.get('');
  if (!netns) throw new Error('a machine without its own namespace');
  return spawnProgram(built.kernel, program, {
    netns,
    fs: built.rootfs,
    argv,
    background: true,
    caps: new Set(ALL_CAPS),
    blind: true,
  });
}

/** After systemd has started or stopped a unit: its process, and with the kubelet its ports. */
function unitChanged(node: NodeRuntime, unit: string): void {
  const { built } = node;
  const row = DAEMONS.find(d => d[0] === unit);
  if (!built || !row) return;
  const { active, pid, argv } = node.host.units[unit];
  const path = row[2].split(' ')[0];
  const running = [...built.kernel.processes.values()].find(
    p => p.fs === built.rootfs && p.parent === null && p.argv[0] === (argv?.[0] ?? path),
  );
  if (!active && running) kill(running, 'KILL');
  if (active && !running) {
    const next = built.kernel.nextPid;
    built.kernel.nextPid = pid;
    const p = spawnDaemon(built, argv ?? row[2].split(' '), row[3](node));
    p.cleanup.push(() => died(node, unit, p));
    built.kernel.nextPid = Math.max(next, pid + 1);
  }
}

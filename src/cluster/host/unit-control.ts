// systemd's work: units are started and stopped, and their processes with them.
import { resumeKubelet, stopKubelet } from '../../kubelet/kubelet.ts';
import { ALL_CAPS, kill, spawnProgram } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import type { BuiltNode, NodeRuntime } from '../node.ts';
import { idle, kubeletServers, sshd } from '../programs.ts';
import { journal, startedText, UNITS } from './state.ts';

export function startUnit(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  if (unit.active) return;
  const now = node.engine.server.sim.nowMs;
  Object.assign(unit, { active: true, sinceMs: now, startedMs: now, pid: node.host.nextPid });
  node.host.nextPid += 37;
  journal(node, name, startedText(name));
  if (name === 'kubelet') resumeKubelet(node.kubelet);
  unitChanged(node, name);
}

export function stopUnit(node: NodeRuntime, name: string): void {
  const unit = node.host.units[name];
  if (!unit.active) return;
  journal(node, name, `Stopping ${name}.service - ${UNITS[name].description}...`);
  Object.assign(unit, { active: false, sinceMs: node.engine.server.sim.nowMs });
  journal(node, name, `${name}.service: Deactivated successfully.`);
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
    spawnDaemon(built, argv, program(node));
  }
  kernel.nextPid = Math.max(kernel.nextPid, node.host.nextPid);
}

function spawnDaemon(built: BuiltNode, argv: string, program: Program): void {
  const netns = built.kernel.netns.get('');
  if (!netns) throw new Error('a machine without its own namespace');
  spawnProgram(built.kernel, program, {
    netns,
    fs: built.rootfs,
    argv: argv.split(' '),
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
  const running = [...built.kernel.processes.values()].find(p => p.fs === built.rootfs && p.argv.join(' ') === row[2]);
  const { active, pid } = node.host.units[unit];
  if (!active && running) kill(running, 'KILL');
  if (active && !running) {
    const next = built.kernel.nextPid;
    built.kernel.nextPid = pid;
    spawnDaemon(built, row[2], row[3](node));
    built.kernel.nextPid = Math.max(next, pid + 1);
  }
}

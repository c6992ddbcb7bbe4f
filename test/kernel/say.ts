// One command in a simulated namespace, as a process on a node runs it.
import { newKernel } from '../../src/linux/kernel.ts';
import { ALL_CAPS, spawnProgram } from '../../src/linux/process.ts';
import type { Netns, Program } from '../../src/linux/types.ts';
import { newFilesystem } from '../../src/linux/vfs.ts';
import { bytesToString, concat } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil } from '../../src/sim/sim.ts';
import { programFor } from '../../src/userland/programs.ts';
import { DEBIAN_12 } from '../../src/userland/userland.ts';
import type { Line } from './draw-words.ts';
import type { Said } from './orders.ts';

const PACKAGES: Record<string, string> = {
  ipset: 'ipset',
  nft: 'nftables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  sysctl: 'procps',
  nc: 'netcat-openbsd',
  ping: 'iputils-ping',
  traceroute: 'traceroute',
};

export function newPlace(seed: number): Netns {
  return newKernel(newSim(Date.UTC(2026, 0, 1), newRandom(seed)), 'node').netns.get('') as Netns;
}

/** One command in a simulated namespace. */
export function say(ns: Netns, { argv, stdin }: Line): Said {
  const program = programFor(PACKAGES[argv[0]] ?? 'iptables', argv[0], DEBIAN_12) as Program;
  const [out, err]: Uint8Array[][] = [[], []];
  const p = spawnProgram(ns.kernel, program, {
    netns: ns,
    fs: newFilesystem(),
    argv,
    stdin: pipeOf(stdin),
    stdout: newPipe({ sink: c => out.push(c) }),
    stderr: newPipe({ sink: c => err.push(c) }),
    caps: new Set(ALL_CAPS),
  });
  runUntil(ns.kernel.sim, () => p.exitCode !== null, ns.kernel.sim.nowMs + 60_000);
  const text = (parts: Uint8Array[]) => bytesToString(concat([new Uint8Array(0), ...parts]));
  return { code: p.exitCode ?? -1, out: text(out), err: text(err) };
}

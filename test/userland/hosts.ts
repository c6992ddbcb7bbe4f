// Two machines on one cable: a server 10.0.0.1 and a client 10.0.0.2, and the programs that run on them.

import { ALL_CAPS, spawnProgram } from '../../src/linux/process.ts';
import type { Kernel, Program } from '../../src/linux/types.ts';
import { type Filesystem, newFile, newFilesystem, place } from '../../src/linux/vfs.ts';
import { bytesToString, concat } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { runUntil, type Sim } from '../../src/sim/sim.ts';
import { DEBIAN_12, DEBIAN_13, type Userland } from '../../src/userland/userland.ts';
import { machine, newSegment, newWorld } from '../linux/world.ts';

export { DEBIAN_12, DEBIAN_13 };

export interface Host {
  kernel: Kernel;
  fs: Filesystem;
}

export interface Hosts {
  sim: Sim;
  server: Host;
  client: Host;
}

export function twoHosts(): Hosts {
  const sim = newWorld();
  const lan = newSegment('lan', 0.05);
  const server = machine(sim, 'server', lan, '10.0.0.1/24');
  const client = machine(sim, 'client', lan, '10.0.0.2/24');
  const hosts = {
    '/etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost\n10.0.0.1\tserver\n',
    '/etc/resolv.conf': 'nameserver 10.0.0.1\nsearch lab.test\n',
  };
  return { sim, server: { kernel: server.kernel, fs: files(hosts) }, client: { kernel: client.kernel, fs: files(hosts) } };
}

export function files(contents: Record<string, string>, fs = newFilesystem()): Filesystem {
  for (const [path, text] of Object.entries(contents)) place(fs, path, newFile(text));
  return fs;
}

/** Start a program that stays. -> what it has written so far */
export function start(_h: Hosts, host: Host, program: Program, argv: string[], env: Record<string, string> = {}) {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const netns = host.kernel.netns.get('');
  if (!netns) throw new Error('no namespace');
  const process = spawnProgram(host.kernel, program, {
    netns,
    fs: host.fs,
    argv,
    env: new Map(Object.entries(env)),
    stdin: pipeOf(),
    stdout: newPipe({ sink: c => out.push(c) }),
    stderr: newPipe({ sink: c => err.push(c) }),
    caps: new Set(ALL_CAPS),
    background: true,
  });
  return { process, out: () => bytesToString(concat(out)), err: () => bytesToString(concat(err)) };
}

/** Run a program on a host (default: the client) to its end. */
export function run(
  h: Hosts,
  program: (u: Userland) => Program,
  words: string,
  o: { u?: Userland; host?: Host; stdin?: string; tty?: boolean; limitMs?: number; env?: Record<string, string> } = {},
) {
  const host = o.host ?? h.client;
  const netns = host.kernel.netns.get('');
  if (!netns) throw new Error('no namespace');
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const p = spawnProgram(host.kernel, program(o.u ?? DEBIAN_12), {
    netns,
    fs: host.fs,
    argv: words.match(/'[^']*'|\S+/g)?.map(w => w.replace(/^'|'$/g, '')) ?? [],
    env: new Map(Object.entries(o.env ?? {})),
    stdin: pipeOf(o.stdin ?? ''),
    stdout: newPipe({ sink: c => out.push(c), tty: o.tty }),
    stderr: newPipe({ sink: c => err.push(c), tty: o.tty }),
    tty: o.tty,
    caps: new Set(ALL_CAPS),
  });
  if (!runUntil(h.sim, () => p.exitCode !== null, h.sim.nowMs + (o.limitMs ?? 400_000))) throw new Error(`still running: ${words}`);
  return { out: bytesToString(concat(out)), err: bytesToString(concat(err)), code: p.exitCode };
}

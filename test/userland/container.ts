// A container without a network around it: enough to run programs and look at what they print.
import { newKernel, newNetns } from '../../src/linux/kernel.ts';
import { spawn } from '../../src/linux/process.ts';
import { bytesToString, concat } from '../../src/sim/bytes.ts';
import { newPipe, pipeOf } from '../../src/sim/pipe.ts';
import { newRandom } from '../../src/sim/random.ts';
import { newSim, runUntil } from '../../src/sim/sim.ts';
import { buildRootfs, findImage } from '../../src/userland/images.ts';

export interface Ran {
  code: number | string;
  out: string;
  err: string;
  /** Virtual time it took. */
  ms: number;
}

export function runIn(
  ref: string,
  argv: string[],
  o: { stdin?: string; tty?: boolean; env?: Record<string, string>; cwd?: string } = {},
): Ran {
  const image = findImage(ref);
  if (!image) throw new Error(`no image ${ref}`);
  const sim = newSim(Date.UTC(2026, 10, 21, 12), newRandom(1));
  const kernel = newKernel(sim, 'pod');
  const netns = newNetns(kernel, 'pod');
  const outParts: Uint8Array[] = [];
  const errParts: Uint8Array[] = [];
  const text = (parts: Uint8Array[]) => (parts.length ? bytesToString(concat(parts)) : '');
  const from = sim.nowMs;
  const p = spawn(kernel, {
    netns,
    fs: buildRootfs(image),
    argv,
    cwd: o.cwd,
    env: new Map(Object.entries({ ...image.env, HOME: '/root', HOSTNAME: 'pod', ...o.env })),
    stdin: pipeOf(o.stdin ?? ''),
    stdout: newPipe({ sink: c => outParts.push(c) }),
    stderr: newPipe({ sink: c => errParts.push(c) }),
    tty: o.tty,
  });
  if (typeof p === 'string') return { code: p, out: '', err: '', ms: 0 };
  runUntil(sim, () => p.exitCode !== null, from + 3_600_000);
  return { code: p.exitCode ?? 'running', out: text(outParts), err: text(errParts), ms: sim.nowMs - from };
}

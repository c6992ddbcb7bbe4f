// Work that waits until somebody could tell that it was not done.
import { describe, expect, it } from 'vitest';
import { lookAt, putOff } from '../../src/linux/due.ts';
import { newSegment } from '../../src/linux/link.ts';
import { save } from '../../src/linux/netfilter/save.ts';
import { spawnProgram } from '../../src/linux/process.ts';
import { connect, kernelSocket } from '../../src/linux/socket.ts';
import { newFilesystem } from '../../src/linux/vfs.ts';
import { waitOn } from '../../src/sim/task.ts';
import { ip, machine, newWorld, run } from './world.ts';

function idle() {
  const sim = newWorld();
  const lan = newSegment('lan', 0.1);
  const near = machine(sim, 'near', lan, '10.0.0.1/24');
  const far = machine(sim, 'far', lan, '10.0.0.2/24');
  const done: string[] = [];
  const nap = (ns: typeof near.ns, blind: boolean) =>
    spawnProgram(ns.kernel, () => waitOn(sim, [], 1000) as never, { netns: ns, fs: newFilesystem(), argv: ['nap'], blind });
  return { sim, near, far, done, nap };
}

describe('what is put off', () => {
  it('is done once, in order, when somebody looks', () => {
    const { near, done } = idle();
    const first = () => void done.push('first');
    putOff(near.ns, first);
    putOff(near.ns, () => void done.push('second'));
    putOff(near.ns, first);
    expect(done).toEqual([]);
    lookAt(near.ns);
    lookAt(near.ns);
    expect(done).toEqual(['first', 'second']);
  });

  it('is done before the first packet of either end passes', () => {
    const { sim, near, far, done } = idle();
    putOff(near.ns, () => void done.push('near'));
    putOff(far.ns, () => void done.push('far'));
    run(sim, connect(kernelSocket(near.ns, 'tcp', 4), ip('10.0.0.2'), 80, 1000));
    expect(done).toEqual(['near', 'far']);
  });

  it('is done for a listing', () => {
    const { near, done } = idle();
    putOff(near.ns, () => void done.push('listed'));
    save(near.ns, 4);
    expect(done).toEqual(['listed']);
  });

  it('may put off more, which the same look does', () => {
    const { near, done } = idle();
    putOff(near.ns, () => putOff(near.ns, () => void done.push('inner')));
    lookAt(near.ns);
    expect(done).toEqual(['inner']);
  });

  it('is done when a process comes, and at once while it is there; components of the cluster do not look', () => {
    const { sim, near, done, nap } = idle();
    nap(near.ns, true);
    putOff(near.ns, () => void done.push('waiting'));
    expect(done).toEqual([]);
    const p = nap(near.ns, false);
    putOff(near.ns, () => void done.push('at once'));
    expect(done).toEqual(['waiting', 'at once']);
    run(sim, waitOn(sim, [p.ended]));
    putOff(near.ns, () => void done.push('later'));
    expect(done).toEqual(['waiting', 'at once']);
  });
});

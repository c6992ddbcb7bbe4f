import { sleep } from '../../linux/process.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Plugin } from '../types.ts';

/** Looks at the Corefile every 30 s (jittered by up to 15 s); a change restarts the instance. */
export const reload: Plugin = {
  name: 'reload',
  setup: ({ instance }) => {
    const read = () => {
      const data = readFile(instance.p.fs, instance.corefilePath, instance.p);
      return typeof data === 'string' ? null : bytesToString(data);
    };
    let before = read();
    instance.starts.push(function* () {
      while (!instance.stopped) {
        yield* sleep(instance.p, 30_000);
        const now = read();
        if (now === null || now === before || instance.stopped) continue;
        before = now; // tried once, whatever comes of it
        instance.changed?.(now);
      }
    });
    return null;
  },
};

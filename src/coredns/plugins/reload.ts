import { sleep } from '../../linux/process.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Plugin, plainError } from '../types.ts';
import { durationMs } from '../zones.ts';

/** Looks at the Corefile every 30 s (jittered by up to 15 s); a change restarts the instance. */
export const reload: Plugin = {
  name: 'reload',
  setup: ({ instance, directive }) => {
    const [every, jitter] = directive.args.map(a => {
      const ms = durationMs(a);
      if (ms === null) throw plainError(`time: invalid duration "${a}"`);
      return ms;
    });
    if (every !== undefined && every < 2000) throw plainError('interval value must be greater or equal to 2s');
    if (jitter !== undefined && jitter < 1000) throw plainError('jitter value must be greater or equal to 1s');

    const read = () => {
      const data = readFile(instance.p.fs, instance.corefilePath, instance.p);
      return typeof data === 'string' ? null : bytesToString(data);
    };
    let before = read();
    instance.starts.push(function* () {
      while (!instance.stopped) {
        yield* sleep(instance.p, every ?? 30_000);
        const now = read();
        if (now === null || now === before || instance.stopped) continue;
        before = now; // tried once, whatever comes of it
        instance.changed?.(now);
      }
    });
    return null;
  },
};

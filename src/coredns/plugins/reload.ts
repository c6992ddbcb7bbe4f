import { sleep } from '../../linux/process.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString, compareBytes, hex, stringToBytes } from '../../sim/bytes.ts';
import { sha512 } from '../../sim/sha512.ts';
import { type Instance, type Plugin, plainError } from '../types.ts';
import { durationMs } from '../zones.ts';

/** encoding/json escapes what HTML would read. */
const escaped = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The checksum that upstream prints: of the parsed server blocks as JSON. */
function checksum(instance: Instance): string {
  const blocks = instance.serverBlocks.map(({ keys, tokens }) => ({
    Keys: keys,
    Tokens: Object.fromEntries(
      [...tokens]
        .sort(([a], [b]) => compareBytes(a, b))
        .map(([name, list]) => [
          name,
          list.map(t => ({ File: t.file === instance.corefilePath ? '' : t.file, Line: t.line, Text: t.text })),
        ]),
    ),
  }));
  return hex(sha512(stringToBytes(escaped(JSON.stringify(blocks)))));
}

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

    instance.banners.push(() => `[INFO] plugin/reload: Running configuration SHA512 = ${checksum(instance)}`);
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

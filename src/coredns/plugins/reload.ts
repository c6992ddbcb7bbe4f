// plugin/reload (coredns 1.14.2): looks at the Corefile now and then; other words, or words on other lines, start the servers anew.
import { sleep } from '../../linux/process.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString, compareBytes, hex, stringToBytes } from '../../sim/bytes.ts';
import { sha512 } from '../../sim/sha512.ts';
import type { ServerBlock } from '../corefile.ts';
import { dropSeries, increase, setGauge } from '../metrics.ts';
import { argumentError, type Instance, type Plugin, plainError } from '../types.ts';
import { needDuration } from '../values.ts';

/** encoding/json escapes what HTML would read. */
const escaped = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The parsed server blocks as JSON, as upstream makes its checksum of them. */
function wordsOf(serverBlocks: ServerBlock[], corefilePath: string): string {
  const blocks = serverBlocks.map(({ keys, tokens }) => ({
    Keys: keys,
    Tokens: Object.fromEntries(
      [...tokens]
        .sort(([a], [b]) => compareBytes(a, b))
        .map(([name, list]) => [name, list.map(t => ({ File: t.file === corefilePath ? '' : t.file, Line: t.line, Text: t.text }))]),
    ),
  }));
  return escaped(JSON.stringify(blocks));
}

const checksum = (words: string): string => hex(sha512(stringToBytes(words)));

const INTERVAL_MS = 30_000;
const LEAST_INTERVAL_MS = 2000;
const LEAST_JITTER_MS = 1000;

/**
 * Once per interval, without the jitter that keeps a fleet from reloading at one moment. Most commands end before that: only then are words
 * made, and checksums when they have changed.
 */
function* watch(instance: Instance, everyMs: number) {
  const { p, corefilePath, metrics } = instance;
  let words: string | null = null;
  while (!instance.stopped) {
    yield* sleep(p, everyMs);
    if (instance.stopped) return;
    const data = readFile(p.fs, corefilePath, p);
    if (typeof data === 'string') continue;
    const blocks = instance.parse(bytesToString(data));
    if (typeof blocks === 'string') {
      instance.log('WARNING', `plugin/reload: Corefile parse failed: ${blocks}`);
      continue;
    }
    words ??= wordsOf(instance.serverBlocks, corefilePath);
    const now = wordsOf(blocks, corefilePath);
    if (now === words) continue;
    dropSeries(metrics, 'coredns_reload_version_info', 'sha512', checksum(words));
    words = now; // tried once, whatever comes of it
    const error = instance.changed?.() ?? null;
    setGauge(metrics, 'coredns_reload_version_info', 1, 'sha512', checksum(words));
    if (error === null) continue;
    instance.log('ERROR', `plugin/reload: Corefile changed but reload failed: ${error}`);
    increase(metrics, 'coredns_reload_failed_total');
  }
}

export const reload: Plugin = {
  name: 'reload',
  setup: ({ instance, directive }) => {
    if (directive.args.length > 2) throw argumentError(directive);
    const everyMs = directive.args.length ? needDuration(directive.args[0]) : INTERVAL_MS;
    if (everyMs < LEAST_INTERVAL_MS) throw plainError('interval value must be greater or equal to 2s');
    const jitterMs = directive.args.length > 1 ? needDuration(directive.args[1]) : LEAST_JITTER_MS;
    if (jitterMs !== 0 && jitterMs < LEAST_JITTER_MS) throw plainError('jitter value must be 0 or greater or equal to 1s');
    const sum = () => checksum(wordsOf(instance.serverBlocks, instance.corefilePath));
    instance.banners.push(() => `[INFO] plugin/reload: Running configuration SHA512 = ${sum()}`);
    instance.starts.push(() => watch(instance, everyMs));
    return null;
  },
};

// Containers' logs: lines with the time and stream they came by, as containerd's CRI files hold them.
import { bytesToString } from '../sim/bytes.ts';
import { wakeAll } from '../sim/task.ts';
import type { ContainerRuntime, Kubelet, LogLine } from './types.ts';

/** A log grows no further than this: the oldest lines go (containerLogMaxSize would rotate the file). */
const MAX_LINES = 20_000;

export function appendLog(k: Kubelet, c: ContainerRuntime, stream: 'stdout' | 'stderr', chunk: Uint8Array, atMs: number): void {
  const text = bytesToString(chunk);
  const parts = text.split('\n');
  const ended = text.endsWith('\n');
  if (ended) parts.pop();
  parts.forEach((part, i) => {
    const full = i < parts.length - 1 || ended;
    const last = lastOf(c, stream);
    if (last && !last.full) {
      last.text += part;
      last.full = full;
    } else if (c.replay && c.replay[stream] > 0) {
      // The program of a reloaded session says again what it has said before.
      c.replay[stream]--;
      return;
    } else c.log.push({ atMs, stream, text: part, full });
  });
  if (c.log.length > MAX_LINES) c.log.splice(0, c.log.length - MAX_LINES);
  wakeAll(c.ended);
  k.deps.onChange?.();
}

function lastOf(c: ContainerRuntime, stream: string): LogLine | undefined {
  for (let i = c.log.length - 1; i >= 0 && i >= c.log.length - 4; i--) if (c.log[i].stream === stream) return c.log[i];
  return undefined;
}

/** FallbackToLogsOnError: the last 80 lines or 2048 bytes. */
export function logTail(c: ContainerRuntime): string {
  const text = c.log
    .slice(-80)
    .map(l => `${l.text}${l.full ? '\n' : ''}`)
    .join('');
  return text.slice(-2048);
}

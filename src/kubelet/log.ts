// Containers' logs: lines with the time and stream they came by, as containerd's CRI files hold them.
import { behindMs, hasCaughtUp } from '../linux/process.ts';
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
    } else if (isSaidAgain(c, stream)) return;
    else c.log.push({ atMs: c.replay && !skipsTime(c) ? k.server.sim.nowMs : atMs, stream, text: part, full });
  });
  if (c.log.length > MAX_LINES) c.log.splice(0, c.log.length - MAX_LINES);
  wakeAll(c.ended);
  k.deps.onChange?.();
}

/**
 * The program of a reloaded session says again what it has said before: what belongs to its start, and what it says between sleeps that
 * it skips. What somebody's request makes it say is new.
 */
function isSaidAgain(c: ContainerRuntime, stream: 'stdout' | 'stderr'): boolean {
  const left = c.replay?.[stream];
  if (!c.replay || !left || left.all <= 0) return false;
  if (left.start <= 0 && !skipsTime(c)) {
    left.all = 0;
    return false;
  }
  left.start--;
  left.all--;
  return true;
}

/** Whether a line that begins now would be one that it has said before. */
export const dropsLine = (c: ContainerRuntime, stream: 'stdout' | 'stderr'): boolean =>
  lastOf(c, stream)?.full !== false && (c.replay?.[stream]?.all ?? 0) > 0 && ((c.replay?.[stream]?.start ?? 0) > 0 || skipsTime(c));

/** A program that has slept since it began again, and is behind the clock yet: what it says is of a time that has passed. */
const skipsTime = (c: ContainerRuntime): boolean => c.fs !== null && hasCaughtUp(c.fs) && (behindMs(c.fs) > 0 || c.replay?.now === true);

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

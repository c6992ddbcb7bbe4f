// What long-running programs share: they start their listeners, then sit until a signal ends them.
import { complain } from '../../linux/process.ts';
import type { Errno, Process } from '../../linux/types.ts';
import { lookup, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type Co, type WaitQueue, waitOn, wakeAll } from '../../sim/task.ts';
import { civilTime, clockText, MONTHS, twoDigits } from '../../sim/time.ts';

/**
 * Sit until one of `signals` comes; its value is the exit code.
 * A Go program without a handler that is process 1 ends with 2: the kernel keeps it from dying of its own signal (runtime/signal_unix.go).
 */
export function* untilSignal(p: Process, signals: Record<string, number | (() => number)>): Co<number> {
  const queue: WaitQueue = new Set();
  let code: number | null = null;
  for (const [name, value] of Object.entries(signals)) {
    p.onSignal.set(name, () => {
      code = typeof value === 'number' ? value : value();
      wakeAll(queue);
    });
  }
  while (code === null) yield* waitOn(p.kernel.sim, [queue]);
  return code;
}

export const GO_DEFAULT = { TERM: 2, INT: 2, QUIT: 2 };

/** `21/Nov/2026:02:13:02 +0000`, the time of Common Log Format. */
export function clfTime(ms: number): string {
  const c = civilTime(ms);
  return `${twoDigits(c.day)}/${MONTHS[c.month - 1]}/${c.year}:${clockText(c)} +0000`;
}

/** `2026/11/21 02:13:02`: nginx's error log and Go's log package. */
export function slashTime(ms: number): string {
  const c = civilTime(ms);
  return `${c.year}/${twoDigits(c.month)}/${twoDigits(c.day)} ${clockText(c)}`;
}

/** The host's name as uname says it inside the container: HOSTNAME, else /etc/hostname, else the machine's. */
export function hostnameOf(p: Process): string {
  const file = readFile(p.fs, '/etc/hostname', p);
  const text = typeof file === 'string' ? '' : bytesToString(file).trim();
  return text || p.env.get('HOSTNAME') || p.kernel.hostname;
}

/** The container's own addresses, without loopback. */
export function ownAddresses(p: Process) {
  return [...p.netns.links.values()]
    .filter(l => l.kind !== 'loopback')
    .flatMap(l => l.addresses.filter(a => a.scope === 'global').map(a => a.ip));
}

export function readText(p: Process, path: string): string | null {
  const data = readFile(p.fs, path, p);
  return typeof data === 'string' ? null : bytesToString(data);
}

export function isDirectory(p: Process, path: string): boolean {
  const node = lookup(p.fs, path, p);
  return typeof node !== 'string' && node.kind === 'dir';
}

/** A listener that could not be opened ends the program. */
export function cannotListen(p: Process, text: string, error: Errno | null): number | null {
  if (!error) return null;
  complain(p, text);
  return 1;
}

/** `--name=value`, `--name value`, `-name=value` and bare flags, as Go's flag package reads them. */
export function goFlags(words: string[], booleans: string[] = []): { flags: Map<string, string>; rest: string[] } {
  const flags = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const m = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(words[i]);
    if (!m) return { flags, rest: words.slice(words[i] === '--' ? i + 1 : i) };
    if (m[2] !== undefined) flags.set(m[1], m[2]);
    else if (booleans.includes(m[1])) flags.set(m[1], 'true');
    else flags.set(m[1], words[++i] ?? '');
  }
  return { flags, rest: [] };
}

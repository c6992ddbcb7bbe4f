// curl's progress meter (lib/progress.c 7.88.1): a header, one line over itself each second, and a last one.
import { sleep } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { killTask, startTask, type Task } from '../../sim/task.ts';

export interface Meter {
  /** -#: a bar of number signs and nothing else (src/tool_cb_prg.c). */
  bar: boolean;
  write: (text: string) => void;
  startMs: number;
  headerShown: boolean;
  /** Bytes expected (0: unknown) and moved so far. */
  total: number;
  received: number;
  uploadTotal: number;
  sent: number;
  ticker: Task<void> | null;
}

export function newMeter(p: Process, bar: boolean, write: (text: string) => void): Meter {
  return { bar, write, startMs: p.kernel.sim.nowMs, headerShown: false, total: 0, received: 0, uploadTotal: 0, sent: 0, ticker: null };
}

/** Five columns: 12345, 1234k, 12.3M … (max5data). */
export function max5(bytes: number): string {
  const k = 1024;
  if (bytes < 100_000) return String(Math.floor(bytes)).padStart(5);
  if (bytes < 10_000 * k) return `${Math.floor(bytes / k)}k`.padStart(5);
  if (bytes < 100 * k * k) return `${Math.floor(bytes / k / k)}.${Math.floor((bytes % (k * k)) / ((k * k) / 10))}M`.padStart(5);
  if (bytes < 10_000 * k * k) return `${Math.floor(bytes / k / k)}M`.padStart(5);
  return `${Math.floor(bytes / k / k / k)}G`.padStart(5);
}

function clock(seconds: number): string {
  if (seconds <= 0) return '--:--:--';
  const s = Math.floor(seconds);
  return `${String(Math.floor(s / 3600)).padStart(2)}:${String(Math.floor(s / 60) % 60).padStart(2, '0')}:${String(s % 60).padStart(2, '0')}`;
}

const BAR_WIDTH = 72;

function showBar(m: Meter): void {
  const total = m.total + m.uploadTotal;
  if (!total) return;
  const part = Math.min(1, (m.received + m.sent) / total);
  m.write(`\r${'#'.repeat(Math.floor(BAR_WIDTH * part)).padEnd(BAR_WIDTH)} ${(part * 100).toFixed(1).padStart(5)}%`);
}

export function showMeter(m: Meter, nowMs: number): void {
  if (m.bar) {
    showBar(m);
    return;
  }
  if (!m.headerShown) {
    m.headerShown = true;
    m.write('  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n');
    m.write('                                 Dload  Upload   Total   Spent    Left  Speed\n');
  }
  const spent = (nowMs - m.startMs) / 1000;
  const speed = spent > 0 ? m.received / spent : m.received;
  const up = spent > 0 ? m.sent / spent : m.sent;
  const percent = (n: number, of: number) => (of > 0 ? Math.min(100, Math.floor((n * 100) / of)) : 0);
  const all = (m.total || m.received) + (m.uploadTotal || m.sent);
  const left = m.total > 0 && speed > 0 ? m.total / speed : 0;
  const columns = [
    `${String(percent(m.received + m.sent, m.total + m.uploadTotal)).padStart(3)} ${max5(all)}`,
    `${String(percent(m.received, m.total)).padStart(3)} ${max5(m.received)}`,
    `${String(percent(m.sent, m.uploadTotal)).padStart(3)} ${max5(m.sent)}`,
    `${max5(speed)}  ${max5(up)} ${clock(left)} ${clock(spent)} ${clock(left ? left - spent : 0)} ${max5(speed)}`,
  ];
  m.write(`\r${columns.join('  ')}`);
}

/** Show a line now and one every second until `stopMeter`. */
export function startMeter(p: Process, m: Meter): void {
  showMeter(m, p.kernel.sim.nowMs);
  m.ticker = startTask(
    p.kernel.sim,
    (function* () {
      for (;;) {
        yield* sleep(p, 1000);
        showMeter(m, p.kernel.sim.nowMs);
      }
    })(),
    p.task?.background ?? false,
  );
  p.cleanup.push(() => stopMeter(m));
}

export function stopMeter(m: Meter): void {
  if (m.ticker) killTask(m.ticker, undefined);
  m.ticker = null;
}

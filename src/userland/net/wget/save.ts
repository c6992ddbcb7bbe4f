// Where GNU Wget puts what it gets: the file, its gauge and its speed (src/http.c open_output_stream, src/retr.c fd_read_body, 1.21.3).
import { print, sleep, strerror } from '../../../linux/process.ts';
import { close } from '../../../linux/socket.ts';
import type { Errno } from '../../../linux/types.ts';
import { absolute, lookup, makeDir, writeFile } from '../../../linux/vfs.ts';
import { stringToBytes } from '../../../sim/bytes.ts';
import type { Co } from '../../../sim/task.ts';
import { type BodyState, type Reader, readBodyPart } from '../../http.ts';
import { bar, dots, type Gauge, isDotStyle } from './progress.ts';
import type { Answer, Retrieval } from './retrieval.ts';
import { isOn, type Run, say, tell } from './run.ts';

function makeFolders(r: Run, name: string): Errno | null {
  const path = absolute(name, r.p.cwd);
  const parts = path.split('/').slice(1, -1);
  for (let i = 1; i <= parts.length; i++) {
    const dir = `/${parts.slice(0, i).join('/')}`;
    const there = lookup(r.p.fs, dir, r.p);
    if (typeof there !== 'string') continue;
    const errno = makeDir(r.p.fs, dir, r.p);
    if (errno) return errno;
  }
  return null;
}

/** -O is opened once, before anything is asked for: what is there is gone, unless -c goes on with it. */
export function openOutput(r: Run): Errno | null {
  if (r.out === null || r.out === '-') return null;
  return writeFile(r.p.fs, absolute(r.out, r.p.cwd), new Uint8Array(0), r.p, isOn(r, 'continue'));
}

function gauge(r: Run, initial: number, total: number, name: string): Gauge {
  const nothing: Gauge = { update: () => undefined, finish: () => undefined };
  if (!r.shows) return nothing;
  const [kind, ...styles] = (r.a.text.get('progress') ?? (r.p.tty ? 'bar' : 'dot')).split(':');
  const barred = kind === 'bar' && ((r.p.tty && !r.a.text.has('logfile')) || styles.includes('force'));
  if (barred) {
    say(r, '\n');
    return bar(r.log, { initial, total, name });
  }
  const style = (kind === 'dot' ? styles[0] : undefined) ?? r.a.text.get('dotstyle');
  if (style && !isDotStyle(style)) r.log(`Invalid dot style specification '${style}'; leaving unchanged.\n`);
  return dots(r.log, { initial, total, style });
}

export interface SaveOptions {
  /** The server has begun at the first byte although a later one was asked for. */
  skips: boolean;
  /** The answer's head, for --save-headers. */
  head: string[];
}

/** Bytes, and why they cannot be written: EPIPE of a closed pipe, the file's errno. */
type Write = (data: Uint8Array) => Errno | null;

function writer(r: Run, g: Retrieval): Write {
  const name = g.name as string;
  if (r.out === '-') return data => (data.length ? print(r.p, data) : null);
  const path = absolute(name, r.p.cwd);
  return data => writeFile(r.p.fs, path, data, r.p, true);
}

/** -> why it has failed; null: read to its end, or `g.broken` says where it stopped. */
export function* save(r: Run, g: Retrieval, reader: Reader, state: BodyState, o: SaveOptions): Co<Answer | null> {
  const { p } = r;
  const name = g.name as string;
  const sim = p.kernel.sim;
  if (r.out === null) {
    const errno = makeFolders(r, name) ?? (g.start ? null : writeFile(p.fs, absolute(name, p.cwd), new Uint8Array(0), p));
    if (errno) {
      close(reader.stream.socket);
      tell(r, `${name}: ${strerror(errno)}\n`);
      say(r, '\n');
      return { kind: 'fatal', text: `Cannot write to '${name}' (${strerror(errno)}).\n`, code: 3 };
    }
  }
  say(r, `Saving to: '${r.out === '-' ? 'STDOUT' : name}'\n`);
  const write = writer(r, g);
  if (isOn(r, 'saveheaders')) write(stringToBytes(`${o.head.join('\r\n')}\r\n\r\n`));
  const initial = o.skips ? 0 : g.start;
  const shown = gauge(r, initial, g.total === null ? 0 : g.total, r.out === '-' ? '-' : name);
  const startMs = sim.nowMs;
  const seconds = () => (sim.nowMs - startMs) / 1000;
  const limit = r.a.amount.get('limitrate') ?? 0;
  let toSkip = o.skips ? g.start : 0;
  g.received = 0;
  g.broken = null;
  while (!state.done && g.broken === null) {
    const part = yield* readBodyPart(reader, state, r.readMs);
    if (typeof part === 'string') {
      g.broken = part;
      break;
    }
    g.received += part.length;
    const rest = part.subarray(Math.min(toSkip, part.length));
    toSkip -= part.length - rest.length;
    const errno = rest.length ? write(rest) : null;
    if (errno) {
      close(reader.stream.socket);
      say(r, '\n');
      return { kind: 'fatal', text: `Cannot write to '${name}' (${strerror(errno)}).\n`, code: 3 };
    }
    // retr.c limit_bandwidth: what is too early waits, but not for less than 0.2 s.
    const early = limit ? g.received / limit - seconds() : 0;
    if (early >= 0.2) yield* sleep(p, early * 1000);
    shown.update(part.length, seconds());
  }
  g.got = initial + g.received;
  g.seconds = seconds();
  shown.finish(g.seconds);
  return null;
}

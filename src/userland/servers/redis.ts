// redis-server: the log, the connections, the wire protocol's commands.

import { localPid } from '../../linux/pids.ts';
import { print, strerror } from '../../linux/process.ts';
import { recv, type Socket, send } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime, clockText, MONTHS, twoDigits } from '../../sim/time.ts';
import { tcpServer } from '../http-server.ts';
import type { Userland } from '../userland.ts';
import { untilSignal } from './daemon.ts';
import { execute, OK, type Store, VERSION } from './redis-commands.ts';

function logLine(p: Process, mark: string, text: string): void {
  const c = civilTime(p.kernel.sim.nowMs);
  const time = `${twoDigits(c.day)} ${MONTHS[c.month - 1]} ${c.year} ${clockText(c)}.${String(c.ms).padStart(3, '0')}`;
  print(p, `${localPid(p)}:M ${time} ${mark} ${text}\n`);
}

export const redisServer = (_u: Userland): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1);
    const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
    const port = Number(after('--port') ?? 6379);
    const store: Store = {
      p,
      keys: new Map(),
      expires: new Map(),
      password: after('--requirepass') ?? null,
      startedMs: p.kernel.sim.nowMs,
      commands: 0,
    };
    const c = localPid(p);
    logLine(p, '*', 'oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo');
    logLine(p, '*', `Redis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=${c}, just started`);
    const error = tcpServer(p, port, s => session(store, s));
    if (error) {
      logLine(p, '#', `Warning: Could not create server TCP listening socket *:${port}: bind: ${strerror(error)}`);
      logLine(p, '#', 'Failed listening on port 6379 (tcp), aborting.');
      return 1;
    }
    logLine(p, '*', 'Running mode=standalone, port=6379.'.replace('6379', String(port)));
    logLine(p, '*', 'Server initialized');
    logLine(p, '*', 'Ready to accept connections tcp');
    return yield* untilSignal(p, {
      TERM: () => {
        logLine(p, '#', 'User requested shutdown...');
        logLine(p, '#', 'Redis is now ready to exit, bye bye...');
        return 0;
      },
      INT: 0,
    });
  };

/** One command's words from the buffer: RESP arrays or an inline line. null: more bytes are needed. */
function readCommand(text: string): { words: string[]; rest: string } | null {
  const nl = text.indexOf('\r\n');
  if (!text.startsWith('*')) {
    const end = text.indexOf('\n');
    if (end < 0) return null;
    return { words: text.slice(0, end).trim().split(/\s+/).filter(Boolean), rest: text.slice(end + 1) };
  }
  if (nl < 0) return null;
  let at = nl + 2;
  const words: string[] = [];
  for (let i = Number(text.slice(1, nl)); i > 0; i--) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = Number(text.slice(at + 1, end));
    if (text.length < end + 4 + size) return null;
    words.push(text.slice(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
  return { words, rest: text.slice(at) };
}

function* session(store: Store, s: Socket): Co<void> {
  let buffer = '';
  let authenticated = store.password === null;
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return;
    buffer += bytesToString(got);
    for (let c = readCommand(buffer); c; c = readCommand(buffer)) {
      buffer = c.rest;
      if (!c.words.length) continue;
      const name = c.words[0].toUpperCase();
      if (name === 'AUTH') {
        authenticated = c.words[c.words.length - 1] === store.password;
        yield* send(s, stringToBytes(authenticated ? OK : '-WRONGPASS invalid username-password pair or user is disabled.\r\n'));
      } else if (!authenticated) yield* send(s, stringToBytes('-NOAUTH Authentication required.\r\n'));
      else yield* send(s, stringToBytes(execute(store, name, c.words.slice(1))));
      if (name === 'QUIT') return;
    }
  }
}

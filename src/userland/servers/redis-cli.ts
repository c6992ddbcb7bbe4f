// redis-cli: commands to a server, answers as text.
import { complain, print, stdinLine, strerror } from '../../linux/process.ts';
import { close, connect, recv, type Socket, send, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import type { Userland } from '../userland.ts';
import { array, VERSION } from './redis-commands.ts';

// redis-cli

export const redisCli = (_u: Userland): Program =>
  function* (p): Co<number> {
    let host = '127.0.0.1';
    let port = 6379;
    let password = p.env.get('REDISCLI_AUTH') ?? null;
    const words = p.argv.slice(1);
    let i = 0;
    for (; i < words.length && words[i].startsWith('-'); i++) {
      if (words[i] === '-h') host = words[++i];
      else if (words[i] === '-p') port = Number(words[++i]);
      else if (words[i] === '-a') password = words[++i];
      else if (words[i] === '-v' || words[i] === '--version') {
        print(p, `redis-cli ${VERSION}\n`);
        return 0;
      }
    }
    const found = yield* getaddrinfo(p, host, { libc: _u.libc });
    if (typeof found === 'string') {
      complain(p, `Could not connect to Redis at ${host}:${port}: ${gaiStrerror(_u.libc, found)}\n`);
      return 1;
    }
    const s = socket(p, 'tcp', found.addresses[0].length === 4 ? 4 : 6);
    const error = typeof s === 'string' ? s : yield* connect(s, found.addresses[0], port);
    if (error || typeof s === 'string') {
      complain(p, `Could not connect to Redis at ${host}:${port}: ${strerror(error ?? 'EIO')}\n`);
      return 1;
    }
    const tty = p.tty || p.stdout.tty;
    if (password !== null) yield* ask(s, ['AUTH', password]);
    let code = 0;
    if (i < words.length) code = yield* one(p, s, words.slice(i), tty);
    else
      for (let line = yield* stdinLine(p); line !== null; line = yield* stdinLine(p))
        if (line.trim()) code = yield* one(p, s, line.trim().split(/\s+/), tty);
    close(s);
    return code;
  };

function* one(p: Process, s: Socket, words: string[], tty: boolean): Co<number> {
  const r = yield* ask(s, words);
  if (r === null) {
    complain(p, 'Error: Server closed the connection\n');
    return 1;
  }
  print(p, `${show(r, tty)}\n`);
  return typeof r === 'object' && r !== null && 'error' in r ? (tty ? 0 : 1) : 0;
}

type Resp = string | number | { nil: true } | { error: string } | { status: string } | Resp[];

function* ask(s: Socket, words: string[]): Co<Resp | null> {
  yield* send(s, stringToBytes(array(words)));
  let data: Uint8Array = new Uint8Array(0);
  for (;;) {
    const got = yield* recv(s);
    if (typeof got === 'string' || !got.length) return null;
    data = concat([data, got]);
    const r = parse(bytesToString(data), 0);
    if (r) return r.value;
  }
}

function parse(text: string, at: number): { value: Resp; next: number } | null {
  const end = text.indexOf('\r\n', at);
  if (end < 0) return null;
  const head = text.slice(at + 1, end);
  switch (text[at]) {
    case '+':
      return { value: { status: head }, next: end + 2 };
    case '-':
      return { value: { error: head }, next: end + 2 };
    case ':':
      return { value: Number(head), next: end + 2 };
    case '$': {
      const n = Number(head);
      if (n < 0) return { value: { nil: true }, next: end + 2 };
      return text.length < end + 4 + n ? null : { value: text.slice(end + 2, end + 2 + n), next: end + 4 + n };
    }
    default: {
      const items: Resp[] = [];
      let next = end + 2;
      for (let i = 0; i < Number(head); i++) {
        const item = parse(text, next);
        if (!item) return null;
        items.push(item.value);
        next = item.next;
      }
      return { value: items, next };
    }
  }
}

/** A terminal gets types and quotes, a pipe the bare values. */
function show(r: Resp, tty: boolean): string {
  if (Array.isArray(r)) {
    if (!r.length) return tty ? '(empty array)' : '';
    return r.map((x, i) => (tty ? `${i + 1}) ` : '') + show(x, tty)).join('\n');
  }
  if (typeof r === 'number') return tty ? `(integer) ${r}` : String(r);
  if (typeof r === 'string') return tty ? JSON.stringify(r) : r;
  if ('nil' in r) return tty ? '(nil)' : '';
  if ('error' in r) return tty ? `(error) ${r.error}` : `${r.error}\n`;
  return r.status;
}

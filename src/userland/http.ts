// HTTP/1.1 (RFC 9112) over the simulation's sockets: messages as values, and a buffered reader.
import { recv, type Socket, send } from '../linux/socket.ts';
import type { Errno } from '../linux/types.ts';
import { bytesToString, concat } from '../sim/bytes.ts';
import type { Co } from '../sim/task.ts';

/** In the order they were sent, names as they were written. */
export type Headers = [name: string, value: string][];

export interface HttpRequest {
  method: string;
  /** As in the request line: path and query, or an absolute URL. */
  target: string;
  version: string;
  headers: Headers;
  body: Uint8Array;
}

export interface HttpResponse {
  version: string;
  status: number;
  reason: string;
  headers: Headers;
}

export function header(headers: Headers, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return headers.find(([n]) => n.toLowerCase() === wanted)?.[1];
}

export const REASONS: Record<number, string> = {
  100: 'Continue',
  101: 'Switching Protocols',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  415: 'Unsupported Media Type',
  418: "I'm a teapot",
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** A connection as a byte stream: a bare socket, or TLS over one. */
export interface Stream {
  socket: Socket;
  send: (data: Uint8Array) => Co<number | Errno>;
  recv: (timeoutMs: number) => Co<Uint8Array | Errno>;
}

export const plainStream = (s: Socket): Stream => ({ socket: s, send: data => send(s, data), recv: ms => recv(s, ms) });

/** What has been received and not yet read. */
export interface Reader {
  stream: Stream;
  buffer: Uint8Array;
  ended: boolean;
}

export const newReader = (stream: Stream): Reader => ({ stream, buffer: new Uint8Array(0), ended: false });

const clockOf = (r: Reader) => r.stream.socket.netns.kernel.sim;

/** Wait for more bytes. 'EAGAIN': none within the time; null: the other side has closed. */
export function* fill(r: Reader, timeoutMs = Number.POSITIVE_INFINITY): Co<true | null | Errno> {
  if (r.ended) return null;
  const got = yield* r.stream.recv(timeoutMs);
  if (typeof got === 'string') return got;
  if (!got.length) {
    r.ended = true;
    return null;
  }
  r.buffer = r.buffer.length ? concat([r.buffer, got]) : got;
  return true;
}

const SP = 32;

function endOfHead(b: Uint8Array): [end: number, next: number] | null {
  for (let i = 0; i < b.length; i++) {
    if (b[i] !== 10) continue;
    if (b[i + 1] === 10) return [i, i + 2];
    if (b[i + 1] === 13 && b[i + 2] === 10) return [b[i - 1] === 13 ? i - 1 : i, i + 3];
  }
  return null;
}

/** The lines of a message's head, without the empty one. null: closed before any byte; 'EOF': in the middle. */
export function* readHead(r: Reader, timeoutMs = Number.POSITIVE_INFINITY): Co<string[] | null | 'EOF' | Errno> {
  const sim = clockOf(r);
  const until = sim.nowMs + timeoutMs;
  for (;;) {
    while (r.buffer.length && (r.buffer[0] === 13 || r.buffer[0] === 10)) r.buffer = r.buffer.subarray(1);
    if (r.buffer.length && r.buffer[0] < SP) return ['']; // no message starts so: a TLS hello, most likely
    const end = endOfHead(r.buffer);
    if (end) {
      const lines = bytesToString(r.buffer.subarray(0, end[0])).split(/\r?\n/);
      r.buffer = r.buffer.subarray(end[1]);
      return lines;
    }
    const more = yield* fill(r, until - sim.nowMs);
    if (more === null) return r.buffer.length ? 'EOF' : null;
    if (more !== true) return more;
  }
}

export function parseHeaders(lines: string[]): Headers | null {
  const out: Headers = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (/^[ \t]/.test(line) && out.length) out[out.length - 1][1] += ` ${line.trim()}`;
    else if (colon <= 0 || line.charCodeAt(colon - 1) === SP) return null;
    else out.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return out;
}

export function parseRequestHead(lines: string[]): Omit<HttpRequest, 'body'> | null {
  const m = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP\/\d\.\d)$/.exec(lines[0]);
  const headers = parseHeaders(lines.slice(1));
  if (!m || !headers) return null;
  // RFC 9112 section 3.2.2: a server takes the absolute form that is for proxies, and its authority instead of Host.
  const absolute = /^http:\/\/([^/?#]+)([^#]*)/i.exec(m[2]);
  if (!absolute) return { method: m[1], target: m[2], version: m[3], headers };
  const rest = headers.filter(([n]) => n.toLowerCase() !== 'host');
  const target = absolute[2].startsWith('/') ? absolute[2] : `/${absolute[2]}`;
  return { method: m[1], target, version: m[3], headers: [['Host', absolute[1]], ...rest] };
}

export function parseResponseHead(lines: string[]): HttpResponse | null {
  const m = /^(HTTP\/\d(?:\.\d)?) (\d{3})(?: (.*))?$/.exec(lines[0]);
  if (!m) return null;
  return { version: m[1], status: Number(m[2]), reason: m[3] ?? '', headers: parseHeaders(lines.slice(1)) ?? [] };
}

/** How a message's body ends. */
export type BodyFraming = { kind: 'none' } | { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'close' };

export function responseFraming(method: string, res: HttpResponse): BodyFraming {
  if (method === 'HEAD' || res.status === 204 || res.status === 304 || (res.status >= 100 && res.status < 200)) return { kind: 'none' };
  return framing(res.headers, { kind: 'close' });
}

export function framing(headers: Headers, otherwise: BodyFraming): BodyFraming {
  if (/\bchunked\b/i.test(header(headers, 'Transfer-Encoding') ?? '')) return { kind: 'chunked' };
  const length = header(headers, 'Content-Length');
  return length !== undefined && /^\d+$/.test(length) ? { kind: 'length', length: Number(length) } : otherwise;
}

/**
 * The next piece of a body; an empty array at its end. 'EOF': the connection closed before it was whole.
 * `state.left` counts down what is still to come of the length or the chunk.
 */
export interface BodyState {
  framing: BodyFraming;
  left: number;
  done: boolean;
}

export const bodyState = (f: BodyFraming): BodyState => ({
  framing: f,
  left: f.kind === 'length' ? f.length : 0,
  done: f.kind === 'none' || (f.kind === 'length' && f.length === 0),
});

export function* readBodyPart(r: Reader, state: BodyState, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | 'EOF' | Errno> {
  const sim = clockOf(r);
  const until = sim.nowMs + timeoutMs;
  while (!state.done) {
    if (state.framing.kind === 'chunked' && state.left === 0) {
      const line = lineIn(r);
      if (line !== null) {
        const size = Number.parseInt(line, 16);
        if (Number.isNaN(size)) return 'EPROTO';
        state.left = size;
        if (size === 0) {
          takeLine(r); // the empty line behind the last chunk (trailers are not used)
          state.done = true;
        }
        continue;
      }
    } else if (r.buffer.length) {
      const n = state.framing.kind === 'close' ? r.buffer.length : Math.min(state.left, r.buffer.length);
      const part = r.buffer.subarray(0, n);
      r.buffer = r.buffer.subarray(n);
      if (state.framing.kind === 'close') return part;
      state.left -= n;
      if (state.left === 0) {
        if (state.framing.kind === 'length') state.done = true;
        else if (!r.buffer.length) yield* fill(r, until - sim.nowMs);
        if (state.framing.kind === 'chunked') takeLine(r);
      }
      return part;
    }
    const more = yield* fill(r, until - sim.nowMs);
    if (more === null) {
      if (state.framing.kind !== 'close') return 'EOF';
      state.done = true;
    } else if (more !== true) return more;
  }
  return new Uint8Array(0);
}

function lineIn(r: Reader): string | null {
  const nl = r.buffer.indexOf(10);
  if (nl < 0) return null;
  const line = bytesToString(r.buffer.subarray(0, nl)).trim();
  r.buffer = r.buffer.subarray(nl + 1);
  return line;
}

function takeLine(r: Reader): void {
  const nl = r.buffer.indexOf(10);
  if (nl >= 0 && nl <= 1) r.buffer = r.buffer.subarray(nl + 1);
}

/** The whole body. */
export function* readBody(r: Reader, f: BodyFraming, timeoutMs = Number.POSITIVE_INFINITY): Co<Uint8Array | 'EOF' | Errno> {
  const state = bodyState(f);
  const parts: Uint8Array[] = [];
  while (!state.done) {
    const part = yield* readBodyPart(r, state, timeoutMs);
    if (typeof part === 'string') return part;
    if (part.length) parts.push(part);
  }
  return concat(parts);
}

export function serialiseHead(first: string, headers: Headers): string {
  return `${first}\r\n${headers.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n`;
}

// The server's side of SPDY/3.1, as far as Kubernetes' streams need it: the client opens streams, both send data on them. kubectl before
// v1.31 speaks it for exec, attach and port-forward; every later one speaks it for port-forward, inside of a WebSocket.
import { inflateSync, constants as zlib } from 'node:zlib';
import type { Channel } from './channel.ts';

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FIN = 1;

/** The words that header blocks are compressed with (SPDY draft 3, section 2.6.10.1), each behind its length, and the loose text. */
const WORDS = [
  ...'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status'.split(
    ' ',
  ),
  '200 OK',
  ...'version HTTP/1.1 url public set-cookie keep-alive origin'.split(' '),
];
const LOOSE =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

const u32 = (n: number): Buffer => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n >>> 0);
  return b;
};
const sized = (s: string): Buffer => Buffer.concat([u32(Buffer.byteLength(s)), Buffer.from(s)]);

const DICTIONARY = Buffer.concat([...WORDS.map(sized), Buffer.from(LOOSE)]);

export interface SpdyStream extends Channel {
  /** Names in lower case. */
  headers: Record<string, string>;
}

export interface SpdySession {
  onStream: (stream: SpdyStream) => void;
  onEnd: () => void;
  end: () => void;
}

interface Open {
  stream: SpdyStream;
  /** Each side says its last byte once. */
  sentFin: boolean;
  heardFin: boolean;
}

/** Speak SPDY over `channel`. */
export function spdySession(channel: Channel): SpdySession {
  const session: SpdySession = { onStream: () => {}, onEnd: () => {}, end: () => channel.end() };
  const streams = new Map<number, Open>();
  const inflate = headerReader();
  const compress = headerWriter();
  let buffered: Buffer = Buffer.alloc(0);
  const control = (type: number, flags: number, data: Uint8Array) =>
    channel.write(Buffer.concat([Buffer.from([0x80, 3, 0, type]), u32((flags << 24) | data.length), data]));

  const hearFin = (id: number, o: Open) => {
    if (o.heardFin) return;
    o.heardFin = true;
    if (o.sentFin) streams.delete(id);
    o.stream.onEnd();
  };

  const open = (id: number, flags: number, headers: Record<string, string>) => {
    const data = (flagsOut: number, bytes: Uint8Array) =>
      channel.write(Buffer.concat([u32(id), u32((flagsOut << 24) | bytes.length), bytes]));
    const stream: SpdyStream = {
      headers,
      write: bytes => {
        for (let at = 0; at < bytes.length; at += 65536) if (!o.sentFin) data(0, bytes.subarray(at, at + 65536));
      },
      end: () => {
        if (o.sentFin) return;
        o.sentFin = true;
        data(FIN, Buffer.alloc(0));
        if (o.heardFin) streams.delete(id);
      },
      onData: () => {},
      onEnd: () => {},
    };
    const o: Open = { stream, sentFin: false, heardFin: false };
    streams.set(id, o);
    control(SYN_REPLY, 0, Buffer.concat([u32(id), compress(Buffer.concat([u32(0)]))]));
    session.onStream(stream);
    if (flags & FIN) hearFin(id, o);
  };

  const take = (head: Buffer, data: Buffer) => {
    const flags = head[4];
    if (!(head[0] & 0x80)) {
      const id = head.readUInt32BE(0);
      const o = streams.get(id);
      if (!o || o.heardFin) return;
      if (data.length) o.stream.onData(data);
      if (flags & FIN) hearFin(id, o);
      return;
    }
    const type = head.readUInt16BE(2);
    if (type === SYN_STREAM) open(data.readUInt32BE(0) & 0x7fffffff, flags, inflate(data.subarray(10)));
    else if (type === PING) control(PING, 0, data);
    else if (type === GOAWAY) channel.end();
    else if (type === RST_STREAM) {
      const id = data.readUInt32BE(0) & 0x7fffffff;
      const o = streams.get(id);
      streams.delete(id);
      if (!o) return;
      o.sentFin = true;
      if (!o.heardFin) o.stream.onEnd();
    }
  };

  channel.onData = chunk => {
    buffered = buffered.length ? Buffer.concat([buffered, chunk]) : Buffer.from(chunk);
    while (buffered.length >= 8) {
      const size = 8 + (buffered.readUInt32BE(4) & 0xffffff);
      if (buffered.length < size) break;
      const head = buffered.subarray(0, 8);
      const data = buffered.subarray(8, size);
      buffered = buffered.subarray(size);
      take(head, data);
    }
  };
  channel.onEnd = () => {
    for (const [id, o] of [...streams]) hearFin(id, o);
    session.onEnd();
  };
  return session;
}

/** Header blocks are one compressed stream, flushed after each: all of it is read again for each, which few streams make cheap. */
function headerReader(): (block: Buffer) => Record<string, string> {
  let packed = Buffer.alloc(0);
  let read = 0;
  return block => {
    packed = Buffer.concat([packed, block]);
    const all = inflateSync(packed, { dictionary: DICTIONARY, finishFlush: zlib.Z_SYNC_FLUSH });
    const fresh = all.subarray(read);
    read = all.length;
    return parseHeaders(fresh);
  };
}

function parseHeaders(b: Buffer): Record<string, string> {
  const out: Record<string, string> = {};
  let at = 4;
  const text = () => {
    const n = b.readUInt32BE(at);
    at += 4 + n;
    return b.toString('utf8', at - n, at);
  };
  for (let left = b.readUInt32BE(0); left > 0; left--) {
    const name = text().toLowerCase();
    out[name] = text();
  }
  return out;
}

/** A zlib stream need not compress: stored blocks (RFC 1951, 3.2.4) say the same. The empty one is the flush that readers wait for. */
function headerWriter(): (block: Buffer) => Buffer {
  let begun = false;
  return block => {
    const size = Buffer.alloc(4);
    size.writeUInt16LE(block.length, 0);
    size.writeUInt16LE(~block.length & 0xffff, 2);
    const head = begun ? [] : [0x78, 0x01];
    begun = true;
    return Buffer.concat([Buffer.from([...head, 0x00]), size, block, Buffer.from([0, 0, 0, 0xff, 0xff])]);
  };
}

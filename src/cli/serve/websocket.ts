// The server's side of WebSocket (RFC 6455): whole binary messages to and fro.
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Channel } from './channel.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** No client of ours sends more at once; a broken length must not take all memory. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Answer the upgrade. `protocol`: the one of those that the client offered. `head`: what came behind the request. */
export function acceptWebSocket(socket: Duplex, key: string, protocol: string, head: Uint8Array): Channel {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  socket.write(`${[...lines, `Sec-WebSocket-Protocol: ${protocol}`].join('\r\n')}\r\n\r\n`);
  const channel: Channel = {
    write: data => void socket.write(frame(BINARY, data)),
    end: () => {
      if (!socket.writableEnded) socket.end(frame(CLOSE, Buffer.from([1000 >> 8, 1000 & 0xff])));
    },
    onData: () => {},
    onEnd: () => {},
  };
  let buffered: Buffer = Buffer.from(head);
  let message: Buffer[] = [];
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    channel.onEnd();
  };
  const take = (f: Frame) => {
    if (f.opcode === CLOSE) {
      channel.end();
      end();
    } else if (f.opcode === PING) socket.write(frame(PONG, f.data));
    else if (f.opcode === TEXT || f.opcode === BINARY || f.opcode === 0) {
      message.push(f.data);
      if (!f.final) return;
      const whole = message.length === 1 ? message[0] : Buffer.concat(message);
      message = [];
      channel.onData(whole);
    }
  };
  const look = () => {
    for (let f = parseFrame(buffered); f; f = parseFrame(buffered)) {
      if (f === 'bad') {
        socket.destroy();
        return;
      }
      buffered = buffered.subarray(f.size);
      take(f);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length ? Buffer.concat([buffered, chunk]) : chunk;
    look();
  });
  socket.on('end', end);
  socket.on('error', end);
  socket.on('close', end);
  // Not before the caller has set its handlers.
  if (buffered.length) setImmediate(look);
  return channel;
}

interface Frame {
  final: boolean;
  opcode: number;
  data: Buffer;
  size: number;
}

/** The first frame of `b`; null: it is not whole yet. */
export function parseFrame(b: Buffer): Frame | 'bad' | null {
  if (b.length < 2) return null;
  const short = b[1] & 0x7f;
  let at = 2;
  let length = short;
  if (short === 126) {
    if (b.length < 4) return null;
    length = b.readUInt16BE(2);
    at = 4;
  } else if (short === 127) {
    if (b.length < 10) return null;
    length = Number(b.readBigUInt64BE(2));
    at = 10;
  }
  if (length > MOST_BYTES || b[0] & 0x70) return 'bad';
  const masked = (b[1] & 0x80) !== 0;
  const start = at + (masked ? 4 : 0);
  if (b.length < start + length) return null;
  const data = Buffer.from(b.subarray(start, start + length));
  if (masked) for (let i = 0; i < length; i++) data[i] ^= b[at + (i & 3)];
  return { final: (b[0] & 0x80) !== 0, opcode: b[0] & 0x0f, data, size: start + length };
}

/** A whole message; servers do not mask. */
export function frame(opcode: number, data: Uint8Array): Buffer {
  const n = data.length;
  const head = n < 126 ? Buffer.from([0x80 | opcode, n]) : n < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  if (n >= 65536) {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(n), 2);
  } else if (n >= 126) {
    head[1] = 126;
    head.writeUInt16BE(n, 2);
  }
  return Buffer.concat([head, data]);
}

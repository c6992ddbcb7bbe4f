// The text of `podnet connectivity -o json`: of a thousand pods more than a string can hold, so it goes out in pieces.
import { stringToBytes } from '../sim/bytes.ts';
import { type Connectivity, eachConnection } from './connectivity.ts';
import type { ConnectionVerdict } from './evaluate.ts';

const PIECE = 1 << 20;

/** One line of JSON: `{"endpoints":[…],"connections":[{"from","to","self","allowed","denied","via"}…]}`, given to `write` piece by piece. */
export function writeConnectivity(c: Connectivity, write: (piece: Uint8Array) => void): void {
  let piece = new Uint8Array(PIECE);
  let used = 0;
  const flush = () => {
    if (used) write(piece.subarray(0, used));
    piece = new Uint8Array(PIECE);
    used = 0;
  };
  const put = (bytes: Uint8Array) => {
    if (used + bytes.length > PIECE) flush();
    if (bytes.length > PIECE) return write(bytes);
    piece.set(bytes, used);
    used += bytes.length;
  };
  const ids = c.endpoints.map(e => JSON.stringify(e.id));
  const froms = ids.map(id => stringToBytes(`,{"from":${id}`));
  const tos = ids.map(id => stringToBytes(`,"to":${id}`));
  const rests = new Map<ConnectionVerdict, Uint8Array>();
  const rest = (v: ConnectionVerdict, self: boolean): Uint8Array => {
    const text = `,"self":${self},"allowed":${JSON.stringify(v.allowed)},"denied":${JSON.stringify(v.denied)},"via":[]}`;
    const bytes = stringToBytes(text);
    rests.set(v, bytes);
    return bytes;
  };
  put(stringToBytes(`{"endpoints":${JSON.stringify(c.endpoints)},"connections":[`));
  let first = true;
  eachConnection(c, (from, to, verdict) => {
    // The comma before the first one is left out.
    put(first ? froms[from].subarray(1) : froms[from]);
    first = false;
    put(tos[to]);
    put(rests.get(verdict) ?? rest(verdict, from === to));
  });
  put(stringToBytes(']}\n'));
  flush();
}

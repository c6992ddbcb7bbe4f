// What curl tells about a transfer: -v's marked lines, or --trace and --trace-ascii (src/tool_cb_dbg.c).
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, writeFile } from '../../linux/vfs.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { civilTime, clockText } from '../../sim/time.ts';
import type { CurlConfig } from './curl-config.ts';

/** `quiet`: bodies go to a terminal, and -v does not count their bytes. */
export interface Teller {
  info: (text: string) => void;
  sentHead: (head: string) => void;
  gotLine: (line: string) => void;
  sentBody: (data: Uint8Array) => void;
  gotBody: (data: Uint8Array) => void;
  /** A message or a record's head of TLS, by its length: what is in it is not modelled, and --trace does not show it. */
  tls: (out: boolean, bytes: number) => void;
}

const HEX_WIDTH = 16;
const TEXT_WIDTH = 64;
const CR = 13;
const LF = 10;

/** dump() of tool_cb_dbg.c: with `hex` sixteen bytes a line and their text; else the text alone, a line for each of its lines. */
function dump(data: Uint8Array, hex: boolean): string {
  const width = hex ? HEX_WIDTH : TEXT_WIDTH;
  const ends = (at: number) => data[at] === CR && data[at + 1] === LF;
  let out = '';
  for (let i = 0; i < data.length; ) {
    out += `${i.toString(16).padStart(4, '0')}: `;
    if (hex) for (let c = 0; c < width; c++) out += i + c < data.length ? `${data[i + c].toString(16).padStart(2, '0')} ` : '   ';
    let c = 0;
    let skip = 0;
    for (; c < width && i + c < data.length; c++) {
      if (!hex && ends(i + c)) {
        skip = 2;
        break;
      }
      out += data[i + c] >= 0x20 && data[i + c] < 0x7f ? String.fromCharCode(data[i + c]) : '.';
      if (!hex && ends(i + c + 1)) {
        c++;
        skip = 2;
        break;
      }
    }
    i += c + skip;
    out += '\n';
  }
  return out;
}

export function teller(p: Process, c: CurlConfig): Teller {
  const nothing = () => {};
  const stamp = () => {
    if (!c.traceTime) return '';
    const { nowMs } = p.kernel.sim;
    return `${clockText(civilTime(nowMs))}.${String(Math.floor((nowMs % 1000) * 1000)).padStart(6, '0')} `;
  };
  const { trace } = c;
  if (trace) {
    let started = false;
    const out = (text: string) => {
      if (trace.file === '-') print(p, text);
      else if (trace.file === '%') complain(p, text);
      else writeFile(p.fs, absolute(trace.file, p.cwd), text, p, started);
      started = true;
    };
    const block = (what: string, data: Uint8Array) =>
      out(`${stamp()}${what}, ${data.length} bytes (0x${data.length.toString(16)})\n${dump(data, trace.hex)}`);
    return {
      info: text => out(`${stamp()}== Info: ${text}\n`),
      sentHead: head => block('=> Send header', stringToBytes(head)),
      gotLine: line => block('<= Recv header', stringToBytes(line)),
      sentBody: data => block('=> Send data', data),
      gotBody: data => block('<= Recv data', data),
      tls: nothing,
    };
  }
  if (!c.verbose) return { info: nothing, sentHead: nothing, gotLine: nothing, sentBody: nothing, gotBody: nothing, tls: nothing };
  const say = (text: string) => complain(p, `${stamp()}${text}`);
  // Once per run of data, and not when the data itself goes to a terminal.
  let shown = false;
  const count = (mark: string, n: number) => {
    if (!shown && !p.tty && n) say(`${mark} [${n} bytes data]\n`);
    if (n) shown = true;
  };
  return {
    info: text => {
      shown = false;
      say(`* ${text}\n`);
    },
    sentHead: head => {
      shown = false;
      for (const line of head.split('\r\n').slice(0, -1)) say(`> ${line}\r\n`);
    },
    gotLine: line => {
      shown = false;
      say(`< ${line}`);
    },
    sentBody: data => count('}', data.length),
    gotBody: data => count('{', data.length),
    tls: (out, bytes) => count(out ? '}' : '{', bytes),
  };
}

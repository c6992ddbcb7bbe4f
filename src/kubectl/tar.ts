// The archives that `cp` exchanges with a container's tar (ustar).

import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';

export interface TarEntry {
  name: string;
  type: 'file' | 'directory' | 'link' | 'other';
  mode: number;
  link: string;
  data: Uint8Array;
}

const octal = (n: number, size: number): string =>
  `${Math.floor(n)
    .toString(8)
    .padStart(size - 1, '0')}\0`;

function header(name: string, prefix: string, mode: number, size: number, mtimeMs: number, type: string, link: string): Uint8Array {
  const h = new Uint8Array(512);
  const put = (at: number, text: string | Uint8Array) => h.set(typeof text === 'string' ? stringToBytes(text) : text, at);
  put(0, name);
  put(100, octal(mode & 0o7777, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(mtimeMs / 1000, 12));
  put(148, '        ');
  put(156, type);
  put(157, link.slice(0, 100));
  put(257, 'ustar\x0000');
  put(345, prefix);
  const sum = h.reduce((a, b) => a + b, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return h;
}

const padded = (data: Uint8Array): Uint8Array => concat([data, new Uint8Array((512 - (data.length % 512)) % 512)]);

/** One member with its data. */
export function tarMember(e: {
  name: string;
  type: '0' | '2' | '5';
  mode: number;
  mtimeMs: number;
  link?: string;
  data?: Uint8Array;
}): Uint8Array {
  const data = e.data ?? new Uint8Array();
  let name = e.name;
  let prefix = '';
  const parts: Uint8Array[] = [];
  if (stringToBytes(name).length > 100) {
    const cut = name.slice(0, 155).lastIndexOf('/');
    if (cut > 0 && name.length - cut - 1 <= 100) [prefix, name] = [name.slice(0, cut), name.slice(cut + 1)];
    else {
      const long = stringToBytes(`${name}\0`);
      parts.push(header('././@LongLink', '', 0, long.length, 0, 'L', ''), padded(long));
      name = name.slice(0, 100);
    }
  }
  parts.push(header(name, prefix, e.mode, data.length, e.mtimeMs, e.type, e.link ?? ''), padded(data));
  return concat(parts);
}

export const TAR_END = new Uint8Array(1024);

const TYPES: Record<string, TarEntry['type']> = { '0': 'file', '\0': 'file', '5': 'directory', '2': 'link' };

export function readTar(archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  let long = '';
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (from: number, size: number) => bytesToString(archive.subarray(at + from, at + from + size)).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12).trim() || '0', 8);
    const type = String.fromCharCode(archive[at + 156]);
    const data = archive.slice(at + 512, at + 512 + size);
    if (type === 'L') long = bytesToString(data).replace(/\0.*$/s, '');
    else {
      const prefix = text(257, 5) === 'ustar' ? text(345, 155) : '';
      const name = long || (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100));
      entries.push({
        name,
        type: TYPES[type] ?? 'other',
        mode: Number.parseInt(text(100, 8).trim() || '0', 8),
        link: text(157, 100),
        data,
      });
      long = '';
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

// What curl sends and where it puts what it gets: URLs with patterns, forms, uploads, output files.
import { complain, print, strerror } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, ensureDir, lookup, readFile, remove, writeFile } from '../../linux/vfs.ts';
import { concat, stringToBytes } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { CurlConfig } from './curl-config.ts';
import type { Run } from './curl-transfer.ts';
import type { TransferInfo } from './curl-write-out.ts';

/** Lines no longer than a terminal's, cut at blanks (src/tool_msgs.c voutf). */
export function warn(p: Process, c: CurlConfig, tools: number, text: string): void {
  if (c.silent && !c.showError) return;
  // 7.88 counts the end of the line too.
  const width = 79 - 'Warning: '.length - (tools < 13 ? 1 : 0);
  let rest = text;
  while (rest.length > width) {
    let cut = width - 1;
    while (cut > 0 && rest[cut] !== ' ') cut--;
    if (cut === 0) cut = width - 1;
    complain(p, `Warning: ${rest.slice(0, cut + 1)}\n`);
    rest = rest.slice(cut + 1);
  }
  complain(p, `Warning: ${rest}\n`);
}

/** One URL of a pattern, and what its brackets came to: `#1` of an output file. */
export interface Globbed {
  url: string;
  values: string[];
}

/** URL globbing: {a,b} and [1-3], [a-c], [0-10:2] (src/tool_urlglob.c). IPv6 brackets are none. A text is the error. */
export function expand(url: string): Globbed[] | string {
  const open = /[[{]/.exec(url.replace(/\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*\]/g, x => '-'.repeat(x.length)));
  const m = /\{([^{}]*)\}|\[(\d+|[a-zA-Z])-(\d+|[a-zA-Z])(?::(\d+))?\]/.exec(url);
  if (!m) {
    if (!open) return [{ url, values: [] }];
    const at = open.index + 2;
    const why = open[0] === '[' ? `bad range specification in URL position ${at}:` : `unmatched brace in URL position ${at}:`;
    return `(3) ${why}\n${url}\n${' '.repeat(at - 1)}^`;
  }
  const values: string[] = [];
  if (m[1] !== undefined) values.push(...m[1].split(','));
  else if (/^\d/.test(m[2])) {
    const width = m[2].startsWith('0') ? m[2].length : 0;
    for (let i = Number(m[2]); i <= Number(m[3]); i += Number(m[4] ?? 1)) values.push(String(i).padStart(width, '0'));
  } else for (let i = m[2].charCodeAt(0); i <= m[3].charCodeAt(0); i += Number(m[4] ?? 1)) values.push(String.fromCharCode(i));
  const rest = expand(url.slice(m.index + m[0].length));
  if (typeof rest === 'string') return rest;
  return values.flatMap(v => rest.map(r => ({ url: url.slice(0, m.index) + v + r.url, values: [v, ...r.values] })));
}

export const remoteFile = (url: string): string =>
  url
    .replace(/^[a-z]+:\/\/[^/]*\/?/i, '')
    .replace(/[?#].*/, '')
    .replace(/.*\//, '');

export function withScheme(c: CurlConfig, url: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) return url.replace(/^(https?:)\/{3,}/i, '$1//');
  return `${c.defaultProto ?? 'http'}://${url}`;
}

export function withQuery(c: CurlConfig, url: string): string {
  const given = [...(c.get && c.data ? [String.fromCharCode(...c.data)] : []), ...c.urlQuery];
  if (!given.length) return url;
  const text = given.join('&');
  return url.includes('?') ? `${url}&${text}` : `${/^[a-z]+:\/\/[^/]*$/i.test(url) ? `${url}/` : url}?${text}`;
}

export function withUploadName(url: string, file: string): string {
  if (file === '-' || file === '.') return url;
  if (/^[a-z]+:\/\/[^/]*$/i.test(url)) return `${url}/${file.replace(/.*\//, '')}`;
  return url.endsWith('/') ? url + file.replace(/.*\//, '') : url;
}

/** -> the body, and its type where it is no upload */
export function requestBody(run: Run): { body: Uint8Array | null; type: string } {
  const { c, p } = run;
  const type = 'application/x-www-form-urlencoded';
  if (run.upload) return { body: run.upload, type };
  if (!c.form.length) return { body: c.get ? null : c.data, type };
  const boundary = `------------------------${Array.from({ length: 16 }, () => below(p.kernel.sim.random, 16).toString(16)).join('')}`;
  const parts = c.form.map(f => formPart(p, f, boundary));
  return { body: concat([...parts, stringToBytes(`--${boundary}--\r\n`)]), type: `multipart/form-data; boundary=${boundary}` };
}

/** By a file's extension (lib/mime.c Curl_mime_contenttype). */
const TYPES: Record<string, string> = {
  gif: 'image/gif',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  htm: 'text/html',
  html: 'text/html',
  pdf: 'application/pdf',
  xml: 'application/xml',
};

/** `text`, `@file` as a file, `<file` as a text; `;type=` and `;filename=` behind it. */
function formPart(p: Process, f: { name: string; value: string; literal?: boolean }, boundary: string): Uint8Array {
  const file = f.literal ? null : /^([@<])([^;]*)/.exec(f.value);
  const option = (name: string) => (f.literal ? undefined : new RegExp(`;\\s*${name}=("?)([^;"]*)\\1`).exec(f.value)?.[2]);
  const data = file
    ? readFile(p.fs, file[2] === '-' ? '/dev/stdin' : absolute(file[2], p.cwd), p)
    : stringToBytes(f.literal ? f.value : f.value.replace(/;\s*(type|filename)=.*$/, ''));
  const given = option('filename') ?? (file?.[1] === '@' ? file[2].replace(/.*\//, '') : undefined);
  const kind =
    option('type') ??
    (file?.[1] === '@' ? (TYPES[(given ?? '').replace(/.*\./, '').toLowerCase()] ?? 'application/octet-stream') : undefined);
  const named = given === undefined ? '' : `; filename="${given}"`;
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${f.name}"${named}${kind === undefined ? '' : `\r\nContent-Type: ${kind}`}\r\n\r\n`;
  return concat([stringToBytes(head), typeof data === 'string' ? new Uint8Array(0) : data, stringToBytes('\r\n')]);
}

export interface Sink {
  write: (bytes: Uint8Array) => boolean;
  /** -J: the server says how the file is called. */
  rename: (name: string) => void;
  /** --remove-on-error. */
  discard: () => void;
}

/** Where the body goes. `write` false: it cannot be written. */
export function outputSink(run: Run, given: string | null, info: TransferInfo): Sink {
  const { p, c } = run;
  const nothing = () => {};
  if (given === null || given === '-') return { write: bytes => print(p, bytes) === null, rename: nothing, discard: nothing };
  let name = given;
  const pathOf = () => absolute(c.outputDir && !name.startsWith('/') ? `${c.outputDir}/${name}` : name, p.cwd);
  const exists = () => typeof lookup(p.fs, pathOf(), p) !== 'string';
  for (let k = 1; c.noClobber && exists(); k++) name = `${given}.${k}`;
  info.filename = name;
  let opened = typeof c.resumeFrom === 'number' && c.resumeFrom > 0;
  const write = (bytes: Uint8Array): boolean => {
    const path = pathOf();
    if (path === '/dev/null') return true;
    if (path === '/dev/stdout') return print(p, bytes) === null;
    if (path === '/dev/stderr') return complain(p, bytes) === null;
    if (!opened && c.createDirs) ensureDir(p.fs, path.slice(0, path.lastIndexOf('/')) || '/');
    const error = writeFile(p.fs, path, bytes, p, opened);
    if (error && !opened) warn(p, c, run.u.tools, `Failed to open the file ${name}: ${strerror(error)}`);
    opened = true;
    return !error;
  };
  const rename = (other: string) => {
    name = other;
    info.filename = other;
  };
  return { write, rename, discard: () => void (opened && remove(p.fs, pathOf(), p)) };
}

export function headerSink(run: Run, sink: Sink, renames: boolean): (text: string) => boolean {
  const { c, p } = run;
  let started = false;
  return text => {
    const named = renames ? /^content-disposition:.*filename="?([^";\r\n]+)/i.exec(text)?.[1].replace(/.*[\\/]/, '') : undefined;
    if (named) sink.rename(named);
    const shown = c.include || c.head ? sink.write(stringToBytes(text)) : true;
    if (c.dumpHeader === null) return shown;
    if (c.dumpHeader === '-') return print(p, text) === null;
    const error = c.dumpHeader === '/dev/stderr' ? complain(p, text) : writeFile(p.fs, absolute(c.dumpHeader, p.cwd), text, p, started);
    started = true;
    return shown && !error;
  };
}

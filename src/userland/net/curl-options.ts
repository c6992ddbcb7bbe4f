// curl's command line (src/tool_getparam.c of 7.88.1 and 8.14.1): what is acted on, and what is known but not modelled.
import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { base64, bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';

export interface CurlConfig {
  urls: { url: string; out: string | null; remoteName: boolean }[];
  silent: boolean;
  showError: boolean;
  verbose: boolean;
  include: boolean;
  head: boolean;
  fail: boolean;
  failWithBody: boolean;
  location: boolean;
  maxRedirs: number;
  method: string | null;
  data: Uint8Array | null;
  get: boolean;
  form: { name: string; value: string }[];
  headers: string[];
  userAgent: string | null;
  user: string | null;
  bearer: string | null;
  referer: string | null;
  cookies: string[];
  range: string | null;
  maxTimeMs: number;
  connectTimeoutMs: number;
  retry: number;
  retryDelayMs: number;
  retryMaxTimeMs: number;
  retryConnrefused: boolean;
  retryAllErrors: boolean;
  resolve: { host: string; port: number; addresses: string[] }[];
  connectTo: string[];
  interface: string | null;
  localPort: number;
  /** -x; '' switches off what the environment says. */
  proxy: string | null;
  proxyUser: string | null;
  noProxy: string | null;
  haproxyProtocol: boolean;
  family: 4 | 6 | null;
  insecure: boolean;
  cacert: string | null;
  /** File with the client's own certificate. */
  cert: string | null;
  upload: string | null;
  writeOut: string | null;
  dumpHeader: string | null;
  http10: boolean;
  /** --http1.1: HTTP/2 is not offered. */
  http11: boolean;
  compressed: boolean;
  noProgress: boolean;
  progressBar: boolean;
  keepalive: boolean;
  failEarly: boolean;
  createDirs: boolean;
  outputDir: string | null;
  globOff: boolean;
  postRedir: boolean;
  defaultProto: string | null;
  stderr: string | null;
  help: string | null;
  version: boolean;
}

export function newConfig(): CurlConfig {
  return {
    urls: [],
    silent: false,
    showError: false,
    verbose: false,
    include: false,
    head: false,
    fail: false,
    failWithBody: false,
    location: false,
    maxRedirs: 50,
    method: null,
    data: null,
    get: false,
    form: [],
    headers: [],
    userAgent: null,
    user: null,
    bearer: null,
    referer: null,
    cookies: [],
    range: null,
    maxTimeMs: 0,
    connectTimeoutMs: 0,
    retry: 0,
    retryDelayMs: 0,
    retryMaxTimeMs: 0,
    retryConnrefused: false,
    retryAllErrors: false,
    resolve: [],
    connectTo: [],
    interface: null,
    localPort: 0,
    proxy: null,
    proxyUser: null,
    noProxy: null,
    haproxyProtocol: false,
    family: null,
    insecure: false,
    cacert: null,
    cert: null,
    upload: null,
    writeOut: null,
    dumpHeader: null,
    http10: false,
    http11: false,
    compressed: false,
    noProgress: false,
    progressBar: false,
    keepalive: true,
    failEarly: false,
    createDirs: false,
    outputDir: null,
    globOff: false,
    postRedir: false,
    defaultProto: null,
    stderr: null,
    help: null,
    version: false,
  };
}

/** A row's action on the configuration; the text after the option's name is the error. */
type Flag = (c: CurlConfig, on: boolean) => void;
type Arg = (c: CurlConfig, value: string, p: Process) => string | null;
type Row = [long: string, short: string, run: { flag: Flag } | { arg: Arg } | { unmodelled: 'flag' | 'arg' }];

const flag = (f: Flag) => ({ flag: f });
const arg = (f: Arg) => ({ arg: f });
const set = (f: (c: CurlConfig, v: string, p: Process) => void) => ({
  arg: (c: CurlConfig, v: string, p: Process) => {
    f(c, v, p);
    return null;
  },
});
const NUMBER = 'expected a proper numerical parameter';

const seconds = (f: (c: CurlConfig, ms: number) => void) =>
  arg((c, v) => {
    if (!/^\d*\.?\d+$|^\d+\.$/.test(v)) return NUMBER;
    f(c, Number(v) * 1000);
    return null;
  });
const integer = (f: (c: CurlConfig, n: number) => void) =>
  arg((c, v) => {
    if (/^-\d+$/.test(v) && f.length > 2) return 'expected a positive numerical parameter';
    if (!/^-?\d+$/.test(v)) return NUMBER;
    f(c, Number(v));
    return null;
  });

/** `@file` or `@-` of -d and friends. */
function content(p: Process, name: string): Uint8Array | null {
  const data = readFile(p.fs, name === '-' ? '/dev/stdin' : absolute(name, p.cwd), p);
  return typeof data === 'string' ? null : data;
}

function addData(c: CurlConfig, bytes: Uint8Array, separator = '&'): void {
  c.data = c.data ? concat([c.data, stringToBytes(separator), bytes]) : bytes;
}

const dataFrom = (binary: boolean) =>
  arg((c, v, p) => {
    if (!v.startsWith('@')) {
      addData(c, stringToBytes(v));
      return null;
    }
    const file = content(p, v.slice(1));
    // A missing file is a warning, and nothing is sent for it (7.88); see curl.ts for its text.
    addData(c, binary ? (file ?? new Uint8Array(0)) : stringToBytes(bytesToString(file ?? new Uint8Array(0)).replace(/[\r\n\0]/g, '')));
    return null;
  });

function urlEncode(s: string): string {
  return Array.from(stringToBytes(s), b => {
    const ch = String.fromCharCode(b);
    return /[A-Za-z0-9._~-]/.test(ch) ? ch : `%${b.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

const dataUrlencode = set((c, v, p) => {
  const m = /^([^=@]*)([=@])(.*)$/s.exec(v);
  const text = m?.[2] === '@' ? bytesToString(content(p, m[3]) ?? new Uint8Array(0)) : (m?.[3] ?? v);
  const encoded = urlEncode(text).replaceAll('%20', '+');
  addData(c, stringToBytes(m?.[1] ? `${m[1]}=${encoded}` : encoded));
});

function addResolve(c: CurlConfig, v: string): string | null {
  const m = /^\+?(\[[^\]]+\]|[^:]+):(\d+):(.+)$/.exec(v);
  if (m) c.resolve.push({ host: m[1].toLowerCase(), port: Number(m[2]), addresses: m[3].split(',').map(a => a.replace(/^\[|\]$/g, '')) });
  return null;
}

const header = set((c, v, p) => {
  if (!v.startsWith('@')) c.headers.push(v);
  else
    c.headers.push(
      ...bytesToString(content(p, v.slice(1)) ?? new Uint8Array(0))
        .split(/\r?\n/)
        .filter(Boolean),
    );
});

const json = set((c, v, p) => {
  addData(c, v.startsWith('@') ? (content(p, v.slice(1)) ?? new Uint8Array(0)) : stringToBytes(v), '');
  c.headers.push('Content-Type: application/json', 'Accept: application/json');
});

function output(c: CurlConfig, v: string): void {
  const open = c.urls.find(u => u.out === null && !u.remoteName);
  if (open) open.out = v;
  else c.urls.push({ url: '', out: v, remoteName: false });
}

function url(c: CurlConfig, v: string): void {
  const open = c.urls.find(u => u.url === '');
  if (open) open.url = v;
  else c.urls.push({ url: v, out: null, remoteName: false });
}

function remoteName(c: CurlConfig): void {
  const open = c.urls.find(u => u.out === null && !u.remoteName);
  if (open) open.remoteName = true;
  else c.urls.push({ url: '', out: null, remoteName: true });
}

const ROWS: Row[] = [
  ['silent', 's', flag((c, on) => Object.assign(c, { silent: on }))],
  ['show-error', 'S', flag((c, on) => Object.assign(c, { showError: on }))],
  ['verbose', 'v', flag((c, on) => Object.assign(c, { verbose: on }))],
  ['include', 'i', flag((c, on) => Object.assign(c, { include: on }))],
  ['show-headers', '', flag((c, on) => Object.assign(c, { include: on }))],
  ['head', 'I', flag((c, on) => Object.assign(c, { head: on }))],
  ['fail', 'f', flag((c, on) => Object.assign(c, { fail: on, failWithBody: false }))],
  ['fail-with-body', '', flag((c, on) => Object.assign(c, { failWithBody: on, fail: false }))],
  ['fail-early', '', flag((c, on) => Object.assign(c, { failEarly: on }))],
  ['location', 'L', flag((c, on) => Object.assign(c, { location: on }))],
  ['location-trusted', '', flag((c, on) => Object.assign(c, { location: on }))],
  ['max-redirs', '', integer((c, n) => Object.assign(c, { maxRedirs: n }))],
  ['output', 'o', set((c, v) => output(c, v))],
  ['remote-name', 'O', flag((c, on) => on && remoteName(c))],
  ['output-dir', '', set((c, v) => Object.assign(c, { outputDir: v }))],
  ['create-dirs', '', flag((c, on) => Object.assign(c, { createDirs: on }))],
  [
    'write-out',
    'w',
    set((c, v, p) => Object.assign(c, { writeOut: v.startsWith('@') ? bytesToString(content(p, v.slice(1)) ?? new Uint8Array(0)) : v })),
  ],
  ['header', 'H', header],
  ['data', 'd', dataFrom(false)],
  ['data-ascii', '', dataFrom(false)],
  ['data-binary', '', dataFrom(true)],
  ['data-raw', '', set((c, v) => addData(c, stringToBytes(v)))],
  ['data-urlencode', '', dataUrlencode],
  ['json', '', json],
  ['form', 'F', set((c, v) => c.form.push({ name: v.split('=')[0], value: v.slice(v.indexOf('=') + 1) }))],
  ['get', 'G', flag((c, on) => Object.assign(c, { get: on }))],
  ['request', 'X', set((c, v) => Object.assign(c, { method: v }))],
  ['upload-file', 'T', set((c, v) => Object.assign(c, { upload: v }))],
  ['user', 'u', set((c, v) => Object.assign(c, { user: v }))],
  ['oauth2-bearer', '', set((c, v) => Object.assign(c, { bearer: v }))],
  ['user-agent', 'A', set((c, v) => Object.assign(c, { userAgent: v }))],
  ['referer', 'e', set((c, v) => Object.assign(c, { referer: v }))],
  ['cookie', 'b', set((c, v) => c.cookies.push(v))],
  ['range', 'r', set((c, v) => Object.assign(c, { range: v }))],
  ['max-time', 'm', seconds((c, ms) => Object.assign(c, { maxTimeMs: ms }))],
  ['connect-timeout', '', seconds((c, ms) => Object.assign(c, { connectTimeoutMs: ms }))],
  ['retry', '', integer((c, n) => Object.assign(c, { retry: n }))],
  ['retry-delay', '', seconds((c, ms) => Object.assign(c, { retryDelayMs: ms }))],
  ['retry-max-time', '', seconds((c, ms) => Object.assign(c, { retryMaxTimeMs: ms }))],
  ['retry-connrefused', '', flag((c, on) => Object.assign(c, { retryConnrefused: on }))],
  ['retry-all-errors', '', flag((c, on) => Object.assign(c, { retryAllErrors: on }))],
  ['resolve', '', arg(addResolve)],
  ['connect-to', '', set((c, v) => c.connectTo.push(v))],
  ['interface', '', set((c, v) => Object.assign(c, { interface: v }))],
  [
    'local-port',
    '',
    arg((c, v) => (/^\d+(-\d+)?$/.test(v) ? void Object.assign(c, { localPort: Number.parseInt(v, 10) }) : NUMBER) ?? null),
  ],
  ['ipv4', '4', flag(c => Object.assign(c, { family: 4 }))],
  ['ipv6', '6', flag(c => Object.assign(c, { family: 6 }))],
  ['insecure', 'k', flag((c, on) => Object.assign(c, { insecure: on }))],
  ['cacert', '', set((c, v) => Object.assign(c, { cacert: v }))],
  ['dump-header', 'D', set((c, v) => Object.assign(c, { dumpHeader: v }))],
  ['http1.0', '0', flag(c => Object.assign(c, { http10: true }))],
  ['http1.1', '', flag(c => Object.assign(c, { http10: false, http11: true }))],
  ['compressed', '', flag((c, on) => Object.assign(c, { compressed: on }))],
  ['no-buffer', 'N', flag(() => {})],
  ['buffer', '', flag(() => {})],
  ['progress-meter', '', flag((c, on) => Object.assign(c, { noProgress: !on }))],
  ['progress-bar', '#', flag((c, on) => Object.assign(c, { progressBar: on }))],
  ['keepalive', '', flag((c, on) => Object.assign(c, { keepalive: on }))],
  ['keepalive-time', '', integer(() => {})],
  ['tcp-nodelay', '', flag(() => {})],
  ['tcp-fastopen', '', flag(() => {})],
  ['path-as-is', '', flag(() => {})],
  ['disable', 'q', flag(() => {})],
  ['globoff', 'g', flag((c, on) => Object.assign(c, { globOff: on }))],
  ['post301', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['post302', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['post303', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['proto-default', '', set((c, v) => Object.assign(c, { defaultProto: v }))],
  ['proto', '', set(() => {})],
  ['noproxy', '', set((c, v) => Object.assign(c, { noProxy: v }))],
  ['proxy', 'x', set((c, v) => Object.assign(c, { proxy: v }))],
  ['proxy-user', 'U', set((c, v) => Object.assign(c, { proxyUser: v }))],
  ['haproxy-protocol', '', flag((c, on) => Object.assign(c, { haproxyProtocol: on }))],
  ['basic', '', flag(() => {})],
  ['tlsv1', '1', flag(() => {})],
  ['tlsv1.2', '', flag(() => {})],
  ['tlsv1.3', '', flag(() => {})],
  ['cert', 'E', set((c, v) => Object.assign(c, { cert: v.replace(/:.*/s, '') }))],
  ['key', '', set(() => {})],
  ['capath', '', set(() => {})],
  ['stderr', '', set((c, v) => Object.assign(c, { stderr: v }))],
  ['styled-output', '', flag(() => {})],
  ['url', '', set((c, v) => url(c, v))],
  ['help', 'h', flag(c => Object.assign(c, { help: '' }))],
  ['version', 'V', flag(c => Object.assign(c, { version: true }))],
  ['http2', '', { unmodelled: 'flag' }],
  ['http2-prior-knowledge', '', { unmodelled: 'flag' }],
  ['http3', '', { unmodelled: 'flag' }],
  ['socks5', '', { unmodelled: 'arg' }],
  ['socks5-hostname', '', { unmodelled: 'arg' }],
  ['unix-socket', '', { unmodelled: 'arg' }],
  ['cookie-jar', 'c', { unmodelled: 'arg' }],
  ['config', 'K', { unmodelled: 'arg' }],
  ['continue-at', 'C', { unmodelled: 'arg' }],
  ['limit-rate', '', { unmodelled: 'arg' }],
  ['speed-limit', 'Y', { unmodelled: 'arg' }],
  ['speed-time', 'y', { unmodelled: 'arg' }],
  ['dns-servers', '', { unmodelled: 'arg' }],
  ['doh-url', '', { unmodelled: 'arg' }],
  ['trace', '', { unmodelled: 'arg' }],
  ['trace-ascii', '', { unmodelled: 'arg' }],
  ['trace-time', '', { unmodelled: 'flag' }],
  ['parallel', 'Z', { unmodelled: 'flag' }],
  ['digest', '', { unmodelled: 'flag' }],
  ['negotiate', '', { unmodelled: 'flag' }],
  ['netrc', 'n', { unmodelled: 'flag' }],
  ['next', ':', { unmodelled: 'flag' }],
  ['remote-header-name', 'J', { unmodelled: 'flag' }],
  ['proxytunnel', 'p', { unmodelled: 'flag' }],
];

export type Parsed = { config: CurlConfig } | { error: string | null };

/** Read the words after `curl`. `error` null: only the pointer to --help is printed. */
export function parseCurl(p: Process, words: string[], generation: number): Parsed {
  const c = newConfig();
  let options = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (!options || !word.startsWith('-') || word === '-') {
      url(c, word);
    } else if (word === '--') options = false;
    else if (word.startsWith('--')) {
      const row = longRow(word.slice(2), generation);
      if (typeof row === 'string') return { error: `option ${word}: ${row}` };
      if (takesArgument(row.row) && i + 1 >= words.length) return { error: `option ${word}: requires parameter` };
      const why = apply(c, row.row, row.on, takesArgument(row.row) ? words[++i] : '', p);
      if (why) return { error: `option ${word}: ${why}` };
    } else {
      const why = shortOptions(c, word, words[i + 1], p);
      if ('error' in why) return { error: `option ${word}: ${why.error}` };
      if (why.usedNext) i++;
    }
    if (c.help !== null || c.version) return { config: c };
  }
  c.urls = c.urls.filter(u => u.url !== '' || u.out !== null || u.remoteName);
  if (!c.urls.some(u => u.url)) return { error: words.length ? '(2) no URL specified' : null };
  c.urls = c.urls.filter(u => u.url !== '');
  return { config: c };
}

const takesArgument = (row: Row) => 'arg' in row[2] || ('unmodelled' in row[2] && row[2].unmodelled === 'arg');

function longRow(name: string, generation: number): { row: Row; on: boolean } | string {
  const exact = ROWS.find(r => r[0] === name);
  if (exact) return { row: exact, on: true };
  const negated = name.startsWith('no-') ? ROWS.find(r => r[0] === name.slice(3) && 'flag' in r[2]) : undefined;
  if (negated) return { row: negated, on: false };
  const starts = generation < 13 ? ROWS.filter(r => r[0].startsWith(name)) : [];
  if (starts.length === 1) return { row: starts[0], on: true };
  return starts.length > 1 ? 'is ambiguous' : 'is unknown';
}

function apply(c: CurlConfig, row: Row, on: boolean, value: string, p: Process): string | null {
  const run = row[2];
  if ('unmodelled' in run) return "the installed libcurl version doesn't support this";
  if ('arg' in run) return run.arg(c, value, p);
  run.flag(c, on);
  return null;
}

function shortOptions(c: CurlConfig, word: string, next: string | undefined, p: Process): { error: string } | { usedNext: boolean } {
  for (let k = 1; k < word.length; k++) {
    const row = ROWS.find(r => r[1] === word[k]);
    if (!row) return { error: 'is unknown' };
    if (!takesArgument(row)) {
      const why = apply(c, row, true, '', p);
      if (why) return { error: why };
      continue;
    }
    const rest = word.slice(k + 1);
    if (!rest && next === undefined) return { error: 'requires parameter' };
    const why = apply(c, row, true, rest || (next as string), p);
    return why ? { error: why } : { usedNext: !rest };
  }
  return { usedNext: false };
}

export const basicAuth = (user: string): string => `Basic ${base64(stringToBytes(user.includes(':') ? user : `${user}:`))}`;

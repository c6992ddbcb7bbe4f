// curl's command line (src/tool_getparam.c of 7.88.1 and 8.14.1): what is acted on, and what is known but not modelled.

import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { base64, bytesToString, concat, stringToBytes } from '../../sim/bytes.ts';
import { type CurlConfig, newConfig } from './curl-config.ts';
import { KNOWN } from './curl-known.ts';

/** A row's action on the configuration; the text after the option's name is the error. */
type Flag = (c: CurlConfig, on: boolean) => void;
type Arg = (c: CurlConfig, value: string, p: Process) => string | null;
type Row = [long: string, short: string, run: { flag: Flag } | { arg: Arg } | { config: true } | { unmodelled: 'flag' | 'arg' }];

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
    if (!file) c.warnings.push(`Couldn't read data from file "${v.slice(1)}", this makes an empty POST.`);
    addData(c, binary ? (file ?? new Uint8Array(0)) : stringToBytes(bytesToString(file ?? new Uint8Array(0)).replace(/[\r\n\0]/g, '')));
    return null;
  });

function urlEncode(s: string): string {
  return Array.from(stringToBytes(s), b => {
    const ch = String.fromCharCode(b);
    return /[A-Za-z0-9._~-]/.test(ch) ? ch : `%${b.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function urlEncoded(p: Process, v: string): string {
  const m = /^([^=@]*)([=@])(.*)$/s.exec(v);
  const text = m?.[2] === '@' ? bytesToString(content(p, m[3]) ?? new Uint8Array(0)) : (m?.[3] ?? v);
  const encoded = urlEncode(text).replaceAll('%20', '+');
  return m?.[1] ? `${m[1]}=${encoded}` : encoded;
}

const dataUrlencode = set((c, v, p) => addData(c, stringToBytes(urlEncoded(p, v))));

function addResolve(c: CurlConfig, v: string): string | null {
  const m = /^\+?(\[[^\]]+\]|[^:]+):(\d+):(.+)$/.exec(v);
  if (m) c.resolve.push({ host: m[1].toLowerCase(), port: Number(m[2]), addresses: m[3].split(',').map(a => a.replace(/^\[|\]$/g, '')) });
  return null;
}

function addForm(c: CurlConfig, v: string, literal: boolean): string | null {
  if (!v.includes('=')) return 'is badly used here';
  c.form.push({ name: v.slice(0, v.indexOf('=')), value: v.slice(v.indexOf('=') + 1), literal });
  return null;
}

/** `100`, `10K`, `1M`, `1.5G` */
const bytes = (f: (c: CurlConfig, n: number) => void) =>
  arg((c, v) => {
    const m = /^(\d+(?:\.\d+)?)([bkmg]?)$/i.exec(v);
    if (!m) return NUMBER;
    f(c, Math.floor(Number(m[1]) * 1024 ** ['', 'k', 'm', 'g'].indexOf(m[2].toLowerCase().replace('b', ''))));
    return null;
  });

/** --url-query: `+text` as it is, else as --data-urlencode has it. */
const urlQuery = set((c, v, p) => c.urlQuery.push(v.startsWith('+') ? v.slice(1) : urlEncoded(p, v).replaceAll('+', '%20')));

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
  ['get', 'G', flag((c, on) => Object.assign(c, { get: on }))],
  ['request', 'X', set((c, v) => Object.assign(c, { method: v }))],
  ['upload-file', 'T', set((c, v) => Object.assign(c, { upload: v }))],
  ['user', 'u', set((c, v) => Object.assign(c, { user: v }))],
  ['oauth2-bearer', '', set((c, v) => Object.assign(c, { bearer: v }))],
  ['user-agent', 'A', set((c, v) => Object.assign(c, { userAgent: v }))],
  ['referer', 'e', set((c, v) => Object.assign(c, { referer: v }))],
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
  ['disable', 'q', flag(() => {})],
  ['globoff', 'g', flag((c, on) => Object.assign(c, { globOff: on }))],
  ['post301', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['post302', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['post303', '', flag(c => Object.assign(c, { postRedir: true }))],
  ['proto-default', '', set((c, v) => Object.assign(c, { defaultProto: v }))],
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
  ['config', 'K', { config: true }],
  ['http2', '', flag(c => Object.assign(c, { http2: true, http11: false, http10: false }))],
  ['cookie', 'b', set((c, v) => (v.includes('=') ? c.cookies : c.cookieFiles).push(v))],
  ['cookie-jar', 'c', set((c, v) => Object.assign(c, { cookieJar: v }))],
  ['form', 'F', arg((c, v) => addForm(c, v, false))],
  ['form-string', '', arg((c, v) => addForm(c, v, true))],
  ['remote-header-name', 'J', flag((c, on) => Object.assign(c, { remoteHeaderName: on }))],
  ['remote-time', 'R', flag(() => {})],
  ['remote-name-all', '', flag((c, on) => Object.assign(c, { remoteNameAll: on }))],
  [
    'continue-at',
    'C',
    arg((c, v) => (v === '-' || /^\d+$/.test(v) ? void Object.assign(c, { resumeFrom: v === '-' ? 'end' : Number(v) }) : NUMBER) ?? null),
  ],
  ['limit-rate', '', bytes((c, n) => Object.assign(c, { limitRate: n }))],
  ['max-filesize', '', bytes((c, n) => Object.assign(c, { maxFilesize: n }))],
  ['speed-limit', 'Y', integer((c, n) => Object.assign(c, { speedLimit: n, speedTimeMs: c.speedTimeMs || 30_000 }))],
  ['speed-time', 'y', integer((c, n) => Object.assign(c, { speedTimeMs: n * 1000, speedLimit: c.speedLimit || 1 }))],
  ['trace', '', set((c, v) => Object.assign(c, { trace: { file: v, hex: true }, verbose: false }))],
  ['trace-ascii', '', set((c, v) => Object.assign(c, { trace: { file: v, hex: false }, verbose: false }))],
  ['trace-time', '', flag((c, on) => Object.assign(c, { traceTime: on }))],
  ['parallel', 'Z', flag((c, on) => Object.assign(c, { parallel: on }))],
  ['netrc', 'n', flag((c, on) => Object.assign(c, { netrc: on ? 'needed' : 'off' }))],
  ['netrc-optional', '', flag((c, on) => Object.assign(c, { netrc: on ? 'optional' : 'off' }))],
  ['netrc-file', '', set((c, v) => Object.assign(c, { netrcFile: v, netrc: c.netrc === 'off' ? 'needed' : c.netrc }))],
  ['url-query', '', urlQuery],
  ['request-target', '', set((c, v) => Object.assign(c, { requestTarget: v }))],
  ['time-cond', 'z', set((c, v) => Object.assign(c, { timeCond: v }))],
  ['proto', '', set((c, v) => Object.assign(c, { protocols: v }))],
  ['proto-redir', '', set((c, v) => Object.assign(c, { redirectProtocols: v }))],
  ['disallow-username-in-url', '', flag((c, on) => Object.assign(c, { noUserInUrl: on }))],
  ['remove-on-error', '', flag((c, on) => Object.assign(c, { removeOnError: on }))],
  ['clobber', '', flag((c, on) => Object.assign(c, { noClobber: !on }))],
  ['ignore-content-length', '', flag((c, on) => Object.assign(c, { ignoreLength: on }))],
  ['http0.9', '', flag((c, on) => Object.assign(c, { http09: on }))],
  ['path-as-is', '', flag((c, on) => Object.assign(c, { pathAsIs: on }))],
  ['proxy-header', '', set((c, v) => c.proxyHeaders.push(v))],
  ...KNOWN.map(
    (k): Row => [
      k.name,
      k.short,
      k.refused ? { unmodelled: k.takesValue ? 'arg' : 'flag' } : k.takesValue ? set(() => {}) : flag(() => {}),
    ],
  ),
];

export type Parsed = { configs: CurlConfig[] } | { error: string | null; warnings?: string[] };

interface Parsing {
  p: Process;
  generation: number;
  configs: CurlConfig[];
}

const current = (s: Parsing): CurlConfig => s.configs[s.configs.length - 1];

/** --next: what has been said holds for the URLs so far. Options about the whole run go on. */
function next(s: Parsing): void {
  const { silent, showError, verbose, trace, traceTime, parallel, failEarly, noProgress, progressBar, stderr, warnings } = current(s);
  s.configs.push({
    ...newConfig(),
    silent,
    showError,
    verbose,
    trace,
    traceTime,
    parallel,
    failEarly,
    noProgress,
    progressBar,
    stderr,
    warnings,
  });
}

/** Read the words after `curl`. `error` null: only the pointer to --help is printed. */
export function parseCurl(p: Process, words: string[], generation: number): Parsed {
  const s: Parsing = { p, generation, configs: [newConfig()] };
  const home = p.env.get('HOME');
  if (home && words[0] !== '-q' && words[0] !== '--disable') readConfig(s, `${home}/.curlrc`);
  const error = parseWords(s, words);
  if (error !== null) return { error };
  const [first] = s.configs;
  if (s.configs.some(c => c.help !== null || c.version)) return { configs: s.configs.filter(c => c.help !== null || c.version) };
  for (const c of s.configs) c.urls = c.urls.filter(u => u.url !== '' || u.out !== null || u.remoteName);
  if (!s.configs.every(c => c.urls.some(u => u.url)))
    return { error: words.length ? (generation >= 13 ? '(2) no URL specified' : 'no URL specified!') : null, warnings: first.warnings };
  for (const c of s.configs) {
    c.urls = c.urls.filter(u => u.url !== '');
    if (c.remoteNameAll) for (const u of c.urls) u.remoteName ||= u.out === null;
  }
  return { configs: s.configs };
}

/** -> what is wrong with one of them */
function parseWords(s: Parsing, words: string[]): string | null {
  let options = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (!options || !word.startsWith('-') || word === '-') {
      url(current(s), word);
    } else if (word === '--') options = false;
    else if (word === '--next' || word === '-:') next(s);
    else {
      const r = word.startsWith('--') ? longOption(s, word, words[i + 1]) : shortOptions(s, word, words[i + 1]);
      if ('error' in r) return r.error.startsWith('!') ? r.error.slice(1) : `option ${word}: ${r.error}`;
      if (r.usedNext) i++;
    }
    const c = current(s);
    if (c.help === '' && /^(-h|--help)$/.test(word) && words[i + 1] !== undefined) c.help = words[i + 1];
    if (c.help !== null || c.version) return null;
  }
  return null;
}

type Taken = { error: string } | { usedNext: boolean };

function longOption(s: Parsing, word: string, next: string | undefined): Taken {
  const row = longRow(word.slice(2), s.generation);
  if (typeof row === 'string') return { error: row };
  const takes = takesArgument(row.row);
  if (takes && next === undefined) return { error: 'requires parameter' };
  const why = apply(s, row.row, row.on, takes ? (next as string) : '');
  return why ? { error: why } : { usedNext: takes };
}

/** -K: a line is an option with or without its dashes, and its value behind blanks, `=` or `:` (src/tool_parsecfg.c). */
function readConfig(s: Parsing, name: string): string | null {
  const data = content(s.p, name);
  if (!data)
    return name.endsWith('/.curlrc') ? null : `!cannot read config from '${name}'\ncurl: option -K: error encountered when reading a file`;
  for (const [k, line] of bytesToString(data).split('\n').entries()) {
    const m = /^\s*([^\s=:]+)(?:\s*[=:]\s*|\s+|$)(.*?)\s*$/.exec(line);
    if (!m || /^\s*#/.test(line)) continue;
    const value = m[2].startsWith('"') ? unquoted(m[2]) : m[2].replace(/\s+#.*$/, '');
    const word = m[1].startsWith('-') ? m[1] : `--${m[1]}`;
    if (word === '--next') {
      next(s);
      continue;
    }
    const r = word.startsWith('--') ? longOption(s, word, value) : shortOptions(s, word, value);
    const shown = name === '-' ? '<stdin>' : name;
    if ('error' in r) current(s).warnings.push(`${shown}:${k + 1}: warning: '${m[1].replace(/^-+/, '')}' ${r.error}`);
  }
  return null;
}

function unquoted(text: string): string {
  const m = /^"((?:[^"\\]|\\.)*)"?/s.exec(text);
  return (m?.[1] ?? '').replace(/\\(.)/gs, (_, c: string) => ({ n: '\n', t: '\t', r: '\r', v: '\v' })[c] ?? c);
}

const takesArgument = (row: Row) => 'arg' in row[2] || 'config' in row[2] || ('unmodelled' in row[2] && row[2].unmodelled === 'arg');

function longRow(name: string, generation: number): { row: Row; on: boolean } | string {
  const exact = ROWS.find(r => r[0] === name);
  if (exact) return { row: exact, on: true };
  const negated = name.startsWith('no-') ? ROWS.find(r => r[0] === name.slice(3) && 'flag' in r[2]) : undefined;
  if (negated) return { row: negated, on: false };
  const starts = generation < 13 ? ROWS.filter(r => r[0].startsWith(name)) : [];
  if (starts.length === 1) return { row: starts[0], on: true };
  return starts.length > 1 ? 'is ambiguous' : 'is unknown';
}

function apply(s: Parsing, row: Row, on: boolean, value: string): string | null {
  const run = row[2];
  if ('unmodelled' in run) return "the installed libcurl version doesn't support this";
  if ('config' in run) return readConfig(s, value);
  if ('arg' in run) return run.arg(current(s), value, s.p);
  run.flag(current(s), on);
  return null;
}

function shortOptions(s: Parsing, word: string, following: string | undefined): Taken {
  for (let k = 1; k < word.length; k++) {
    if (word[k] === ':') {
      next(s);
      continue;
    }
    const row = ROWS.find(r => r[1] === word[k]);
    if (!row) return { error: 'is unknown' };
    if (!takesArgument(row)) {
      const why = apply(s, row, true, '');
      if (why) return { error: why };
      continue;
    }
    const rest = word.slice(k + 1);
    if (!rest && following === undefined) return { error: 'requires parameter' };
    const why = apply(s, row, true, rest || (following as string));
    return why ? { error: why } : { usedNext: !rest };
  }
  return { usedNext: false };
}

export const basicAuth = (user: string): string => `Basic ${base64(stringToBytes(user.includes(':') ? user : `${user}:`))}`;

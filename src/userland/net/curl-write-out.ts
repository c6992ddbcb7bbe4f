// curl --write-out (src/tool_writeout.c 7.88.1).
import { formatIp, type Ip } from '../../wire/ip.ts';
import type { Headers } from '../http.ts';

/** What one transfer came to. Times are seconds since its start. */
export interface TransferInfo {
  url: string;
  urlEffective: string;
  scheme: string;
  method: string;
  status: number;
  httpVersion: string;
  headers: Headers;
  contentType: string | null;
  redirectUrl: string | null;
  redirects: number;
  connects: number;
  remoteIp: Ip | null;
  remotePort: number;
  localIp: Ip | null;
  localPort: number;
  sizeDownload: number;
  sizeUpload: number;
  sizeHeader: number;
  sizeRequest: number;
  namelookup: number;
  connect: number;
  appconnect: number;
  pretransfer: number;
  redirect: number;
  starttransfer: number;
  total: number;
  filename: string | null;
  exitCode: number;
  errorMessage: string | null;
  sslVerifyResult: number;
  urlNumber: number;
}

const time = (s: number) => s.toFixed(6);

type Variable = [name: string, text: (t: TransferInfo) => string, json?: (t: TransferInfo) => string | number | null];

const speed = (bytes: number, t: TransferInfo) => (t.total > 0 ? Math.floor(bytes / t.total) : bytes);

/** In the order in which %{json} lists them. */
const VARIABLES: Variable[] = [
  ['content_type', t => t.contentType ?? '', t => t.contentType],
  ['errormsg', t => t.errorMessage ?? '', t => t.errorMessage],
  ['exitcode', t => String(t.exitCode), t => t.exitCode],
  ['filename_effective', t => t.filename ?? '', t => t.filename],
  ['ftp_entry_path', () => '', () => null],
  ['http_code', t => String(t.status).padStart(3, '0'), t => t.status],
  ['http_connect', () => '000', () => 0],
  ['http_version', t => t.httpVersion, t => t.httpVersion],
  ['local_ip', t => (t.localIp ? formatIp(t.localIp) : ''), t => (t.localIp ? formatIp(t.localIp) : '')],
  ['local_port', t => String(t.localPort), t => t.localPort],
  ['method', t => t.method, t => t.method],
  ['num_connects', t => String(t.connects), t => t.connects],
  ['num_headers', t => String(t.headers.length), t => t.headers.length],
  ['num_redirects', t => String(t.redirects), t => t.redirects],
  ['proxy_ssl_verify_result', () => '0', () => 0],
  ['redirect_url', t => t.redirectUrl ?? '', t => t.redirectUrl],
  ['referer', () => '', () => null],
  ['remote_ip', t => (t.remoteIp ? formatIp(t.remoteIp) : ''), t => (t.remoteIp ? formatIp(t.remoteIp) : '')],
  ['remote_port', t => String(t.remotePort), t => t.remotePort],
  ['response_code', t => String(t.status).padStart(3, '0'), t => t.status],
  ['scheme', t => t.scheme, t => t.scheme],
  ['size_download', t => String(t.sizeDownload), t => t.sizeDownload],
  ['size_header', t => String(t.sizeHeader), t => t.sizeHeader],
  ['size_request', t => String(t.sizeRequest), t => t.sizeRequest],
  ['size_upload', t => String(t.sizeUpload), t => t.sizeUpload],
  ['speed_download', t => String(speed(t.sizeDownload, t)), t => speed(t.sizeDownload, t)],
  ['speed_upload', t => String(speed(t.sizeUpload, t)), t => speed(t.sizeUpload, t)],
  ['ssl_verify_result', t => String(t.sslVerifyResult), t => t.sslVerifyResult],
  ['time_appconnect', t => time(t.appconnect), t => t.appconnect],
  ['time_connect', t => time(t.connect), t => t.connect],
  ['time_namelookup', t => time(t.namelookup), t => t.namelookup],
  ['time_pretransfer', t => time(t.pretransfer), t => t.pretransfer],
  ['time_redirect', t => time(t.redirect), t => t.redirect],
  ['time_starttransfer', t => time(t.starttransfer), t => t.starttransfer],
  ['time_total', t => time(t.total), t => t.total],
  ['url', t => t.url, t => t.url],
  ['url_effective', t => t.urlEffective, t => t.urlEffective],
  ['urlnum', t => String(t.urlNumber), t => t.urlNumber],
];

const byName = new Map(VARIABLES.map(v => [v[0], v]));

function json(t: TransferInfo, version: string): string {
  const out: Record<string, string | number | null> = {};
  for (const [name, , value] of VARIABLES) if (value) out[name] = value(t);
  out.curl_version = version;
  return JSON.stringify(out);
}

function headerJson(t: TransferInfo): string {
  const all: Record<string, string[]> = {};
  for (const [name, value] of t.headers) (all[name.toLowerCase()] ??= []).push(value);
  return `{${Object.entries(all)
    .map(([n, v]) => `${JSON.stringify(n)}:${JSON.stringify(v)}`)
    .join(',\n')}\n}`;
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** Write `format`; unknown variables are complained about and skipped. */
export function writeOut(format: string, t: TransferInfo, version: string, out: (text: string) => void, err: (text: string) => void): void {
  let to = out;
  let done = false;
  const rest = format.matchAll(/%%|%\{([^}]*)\}|%header\{([^}]*)\}|\\(.)|[^%\\]+|[%\\]/gs);
  for (const m of rest) {
    if (done) return;
    const name = m[1];
    if (m[0] === '%%') to('%');
    else if (name === 'stdout') to = out;
    else if (name === 'stderr') to = err;
    else if (name === 'onerror') done = t.exitCode === 0;
    else if (name === 'json') to(json(t, version));
    else if (name === 'header_json') to(headerJson(t));
    else if (name !== undefined) {
      const variable = byName.get(name);
      if (variable) to(variable[1](t));
      else err(`curl: unknown --write-out variable: '${name}'\n`);
    } else if (m[2] !== undefined) to(t.headers.find(([n]) => n.toLowerCase() === m[2].toLowerCase())?.[1] ?? '');
    else if (m[3] !== undefined) to(ESCAPES[m[3]] ?? `\\${m[3]}`);
    else to(m[0]);
  }
}

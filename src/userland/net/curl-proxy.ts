// curl through an HTTP proxy, and the line that tells a server behind one who connects (curl lib/url.c, lib/cf-h1-proxy.c, lib/cf-haproxy.c).

import type { Process } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import { parseResponseHead, readHead } from '../http.ts';
import { parseUrl, type Url } from '../url.ts';
import type { CurlConfig } from './curl-config.ts';
import type { Connection, CurlError } from './curl-connect.ts';
import { basicAuth } from './curl-options.ts';
import { CURL_VERSION } from './curl-texts.ts';

export interface Proxy {
  host: string;
  port: number;
  user: string | null;
}

const DEFAULT_PORT = 1080;

/** Names that are asked without: exact, or the domain's end; `*` all. */
function spared(list: string, host: string): boolean {
  return list
    .split(/[,\s]+/)
    .filter(Boolean)
    .some(n => n === '*' || host === n.replace(/^\./, '') || host.endsWith(`.${n.replace(/^\./, '')}`));
}

/** The proxy for a URL: -x, else the environment's (http_proxy in small letters only). -> the text of a mistake */
export function proxyFor(p: Process, c: CurlConfig, url: Url): Proxy | CurlError | null {
  const env = (...names: string[]) => names.map(n => p.env.get(n)).find(v => v);
  const own = url.scheme === 'https' ? env('https_proxy', 'HTTPS_PROXY') : env('http_proxy');
  const text = c.proxy ?? own ?? env('all_proxy', 'ALL_PROXY');
  const host = url.host.toLowerCase();
  if (!text || spared(c.noProxy ?? env('no_proxy', 'NO_PROXY') ?? '', host)) return null;
  const at = parseUrl(text.includes('://') ? text : `http://${text}`);
  if (!at?.host) return { code: 5, message: `Unsupported proxy syntax in '${text}'` };
  if (at.scheme !== 'http') return { code: 7, message: `podnet: proxies by ${at.scheme}:// are not modelled; http:// is` };
  return { host: at.host, port: at.port ?? DEFAULT_PORT, user: c.proxyUser ?? at.user };
}

/** What connections are told apart by: one to a proxy serves every plain URL. */
export const connectionKey = (proxy: Proxy | null, url: Url, port: number): string =>
  proxy && url.scheme === 'http' ? `proxy ${proxy.host}:${proxy.port}` : `${url.scheme}://${url.host.toLowerCase()}:${port}`;

/** The lines that a request carries for its proxy. */
export const proxyHeaders = (proxy: Proxy): [string, string][] => [
  ...(proxy.user === null ? [] : ([['Proxy-Authorization', basicAuth(proxy.user)]] as [string, string][])),
];

/** CONNECT: from then on the connection is one to the server itself. */
export function* openTunnel(connection: Connection, proxy: Proxy, url: Url, port: number, tools: number): Co<CurlError | null> {
  const to = `${url.host.includes(':') ? `[${url.host}]` : url.host}:${port}`;
  const lines = [`Host: ${to}`, ...proxyHeaders(proxy).map(([n, v]) => `${n}: ${v}`), `User-Agent: curl/${CURL_VERSION[tools]}`];
  const sent = yield* connection.stream.send(
    stringToBytes(`CONNECT ${to} HTTP/1.1\r\n${lines.join('\r\n')}\r\nProxy-Connection: Keep-Alive\r\n\r\n`),
  );
  const head = typeof sent === 'string' ? sent : yield* readHead(connection.reader, 300_000);
  if (!Array.isArray(head)) return { code: 56, message: 'Proxy CONNECT aborted' };
  const status = parseResponseHead(head)?.status ?? 0;
  if (status >= 200 && status < 300) return null;
  return {
    code: 56,
    message: tools >= 13 ? `CONNECT tunnel failed, response ${status}` : `Received HTTP code ${status} from proxy after CONNECT`,
  };
}

/** --haproxy-protocol: PROXY protocol version 1, before anything else. */
export function* sendProxyLine(connection: Connection): Co<void> {
  const { socket } = connection.stream;
  if (!socket.local || !socket.remote) return;
  const family = familyOf(socket.remote) === 6 ? 'TCP6' : 'TCP4';
  const ends = `${formatIp(socket.local)} ${formatIp(socket.remote)} ${socket.localPort} ${socket.remotePort}`;
  yield* connection.stream.send(stringToBytes(`PROXY ${family} ${ends}\r\n`));
}

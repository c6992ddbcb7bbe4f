// auth-url: another server is asked about every request first (nginx's auth_request; rootfs/etc/nginx/template/nginx.tmpl of ingress-nginx v1.13).
import type { Co } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Served } from '../../userland/http-server.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { plain } from '../../userland/servers/nginx-scope.ts';
import { exchange, HOP_BY_HOP, hasFailed } from '../../userland/servers/upstream.ts';
import { parseUrl } from '../../userland/url.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import type { ExternalAuth } from './config.ts';
import type { IngressProxy } from './state.ts';

/** Passed, with what the request takes along; or the status that it ends with. */
export type Verdict = { headers: Headers } | { status: 401 | 403 | 500; headers: Headers };

export function* askAuth(x: IngressProxy, req: Served, a: ExternalAuth, secure: boolean): Co<Verdict> {
  const host = header(req.headers, 'Host') ?? '';
  const original = `${secure ? 'https' : 'http'}://${host}${req.target}`;
  const filled = a.url.replace(/\$host/g, host.replace(/:\d+$/, '')).replace(/\$request_uri/g, req.target);
  const url = parseUrl(filled);
  if (!url?.host) return { status: 500, headers: [] };
  const numeric = parseIp(url.host);
  const found = numeric ? { addresses: [numeric] } : yield* getaddrinfo(x.p, url.host, { libc: 'musl', family: 4 });
  if (typeof found === 'string' || !found.addresses.length) return { status: 500, headers: [] };
  const own = /^(host|content-length|x-original-url|x-original-method|x-auth-request-redirect|x-real-ip)$/i;
  const headers: Headers = [
    ['Host', url.port ? `${url.host}:${url.port}` : url.host],
    ['X-Original-URL', original],
    ['X-Original-Method', req.method],
    ['X-Sent-From', 'nginx-ingress-controller'],
    ['X-Real-IP', formatIp(plain(req.remote))],
    ['X-Auth-Request-Redirect', req.target],
    ...req.headers.filter(([n]) => !own.test(n) && !HOP_BY_HOP.has(n.toLowerCase())),
  ];
  const got = yield* exchange(
    x.p,
    found.addresses[0],
    url.port ?? (url.scheme === 'https' ? 443 : 80),
    { method: a.method, target: url.path, headers, body: new Uint8Array(0) },
    { connectMs: 5000, readMs: 60_000, ...(url.scheme === 'https' ? { tls: { sni: url.host } } : {}) },
  );
  if (hasFailed(got)) return { status: 500, headers: [] };
  const { status } = got.head;
  if (status >= 200 && status < 300) {
    const taken = a.responseHeaders.map((n): [string, string] => [n, header(got.head.headers, n) ?? '']);
    return { headers: taken.filter(([, v]) => v !== '') };
  }
  if (status === 403) return { status: 403, headers: [] };
  if (status !== 401) return { status: 500, headers: [] };
  const asks = header(got.head.headers, 'WWW-Authenticate');
  return { status: 401, headers: asks === undefined ? [] : [['WWW-Authenticate', asks]] };
}

/** auth-signin: where the browser goes, and with what it comes back. */
export function signinUrl(signin: string, req: Served, secure: boolean): string {
  const host = header(req.headers, 'Host') ?? '';
  const filled = signin
    .replace(/\$host/g, host)
    .replace(/\$escaped_request_uri/g, encodeURIComponent(req.target))
    .replace(/\$request_uri/g, req.target);
  if (/[?&]rd=/.test(filled)) return filled;
  return `${filled}${filled.includes('?') ? '&' : '?'}rd=${secure ? 'https' : 'http'}://${host}${encodeURIComponent(req.target)}`;
}

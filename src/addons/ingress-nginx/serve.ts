// The controller's nginx: which location a request belongs to, and what its annotations make of it. Reads the configuration only.
import { complain, print } from '../../linux/process.ts';
import { nextFloat, nextU32 } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply, Served } from '../../userland/http-server.ts';
import { clfTime, slashTime } from '../../userland/servers/daemon.ts';
import { authorized } from '../../userland/servers/htpasswd.ts';
import { errorPage, errorText } from '../../userland/servers/nginx-pages.ts';
import { plain } from '../../userland/servers/nginx-scope.ts';
import { splitTarget } from '../../userland/url.ts';
import { formatIp, inCidr } from '../../wire/ip.ts';
import { balance } from './balance.ts';
import type { Canary, Config, Location, Server, Upstream } from './config.ts';
import { askAuth, signinUrl } from './external-auth.ts';
import { cookieOf, type IngressProxy, type Trip } from './state.ts';

export function serverFor(config: Config, host: string): Server | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const wild = `*${name.slice(name.indexOf('.'))}`;
  return (
    config.servers.find(s => s.host === name || s.aliases.includes(name)) ??
    config.servers.find(s => s.host === wild && name.includes('.')) ??
    config.servers.find(s => s.host === '_')
  );
}

function matches(l: Location, path: string): boolean {
  if (l.regex) return l.type === 'Exact' ? path === l.path || l.regex.test(path) : l.regex.test(path);
  if (l.type === 'Exact') return path === l.path;
  if (l.type === 'ImplementationSpecific') return path.startsWith(l.path);
  const base = l.path.replace(/\/+$/, '');
  return path === base || path.startsWith(`${base}/`);
}

const page = (status: number): Reply => ({
  status,
  reason: errorText(status),
  headers: [['Content-Type', 'text/html']],
  // server_tokens off: the page does not tell the version
  body: errorPage(status, '').replace('nginx/', 'nginx'),
});

const redirect = (code: number, to: string): Reply => ({
  ...page(code),
  headers: [
    ['Content-Type', 'text/html'],
    ['Location', to],
  ],
});

export function* respond(x: IngressProxy, req: Served, secure: boolean): Co<{ reply: Reply; trip: Trip }> {
  x.requests++;
  const id = Array.from({ length: 4 }, () => nextU32(x.p.kernel.sim.random).toString(16).padStart(8, '0')).join('');
  const trip: Trip = { upstream: '', alternative: '', address: '-', length: '-', seconds: '-', status: '-', id };
  const host = header(req.headers, 'Host') ?? '';
  if (!host && req.version === 'HTTP/1.1') return { reply: page(400), trip };
  const path = splitTarget(req.target).path;
  const server = serverFor(x.config, host);
  const location = server?.locations.find(l => matches(l, path));
  if (!server || !location) return { reply: yield* fallback(x, req, trip, secure), trip };
  const reply = yield* serve(x, req, server, location, trip, secure);
  return { reply: dressed(x, req, location, reply, secure), trip };
}

/** Nobody's host or path. */
function* fallback(x: IngressProxy, req: Served, trip: Trip, secure: boolean): Co<Reply> {
  const upstream = x.config.defaultUpstream;
  trip.upstream = 'upstream-default-backend';
  if (!upstream) return page(404);
  return yield* balance(x, req, { upstream, secure, target: req.target, trip, options: null });
}

function* serve(x: IngressProxy, req: Served, server: Server, l: Location, trip: Trip, secure: boolean): Co<Reply> {
  const { options: o } = l;
  const name = (header(req.headers, 'Host') ?? '').replace(/:\d+$/, '');
  trip.upstream = l.upstream?.name ?? '';
  const client = plain(req.remote);
  if (!secure && (o.forceSslRedirect || (server.certificate && o.sslRedirect))) return redirect(308, `https://${name}${req.target}`);
  if (o.deny.some(c => inCidr(c, client)) || (o.allow.length && !o.allow.some(c => inCidr(c, client)))) return page(403);
  if (o.redirect) return redirect(o.redirect.code, o.redirect.to.replace(/\$request_uri/g, req.target).replace(/\$host/g, name));
  if (o.appRoot && splitTarget(req.target).path === '/') return redirect(302, `${secure ? 'https' : 'http'}://${name}${o.appRoot}`);
  if (o.limit && overLimit(x, l, formatIp(client))) return page(503);
  if (o.cors && req.method === 'OPTIONS')
    return {
      status: 204,
      headers: [
        ['Content-Type', 'text/plain charset=UTF-8'],
        ['Content-Length', '0'],
      ],
    };
  if (o.auth && 'missing' in o.auth) return page(503);
  if (o.auth && !authorized(o.auth.users, header(req.headers, 'Authorization'))) {
    const refused = page(401);
    return { ...refused, headers: [...(refused.headers ?? []), ['WWW-Authenticate', `Basic realm="${o.auth.realm}"`]] };
  }
  if (o.externalAuth) {
    const verdict = yield* askAuth(x, req, o.externalAuth, secure);
    if ('status' in verdict) {
      if (verdict.status === 401 && o.externalAuth.signin) return redirect(302, signinUrl(o.externalAuth.signin, req, secure));
      const refused = page(verdict.status);
      return { ...refused, headers: [...(refused.headers ?? []), ...verdict.headers] };
    }
    const names = new Set(verdict.headers.map(([n]) => n.toLowerCase()));
    req.headers = [...req.headers.filter(([n]) => !names.has(n.toLowerCase())), ...verdict.headers];
  }
  if (req.body.length > o.bodyBytes) {
    complain(
      x.p,
      `${slashTime(x.p.kernel.sim.nowMs)} [error] 25#25: *${x.requests} client intended to send too large body: ${req.body.length} bytes\n`,
    );
    return page(413);
  }
  const canary = l.canaries.length ? chosen(x, req, l.canaries) : null;
  const upstream: Upstream | null = canary?.upstream ?? l.upstream;
  if (canary) trip.alternative = canary.upstream.name;
  if (!upstream?.endpoints.length) return page(503);
  return yield* balance(x, req, { upstream, secure, target: rewritten(l, req.target), trip, options: o });
}

/** rewrite-target: the captures of the path's expression in the target's $1, $2 …; the query stays. */
function rewritten(l: Location, target: string): string {
  if (l.options.rewriteTarget === null || !l.regex) return target;
  const at = target.indexOf('?');
  const [path, query] = at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at)];
  const m = l.regex.exec(path);
  const to = l.options.rewriteTarget.replace(/\$(\d)/g, (_, n) => m?.[Number(n)] ?? '');
  return (to || '/') + query;
}

/** Header before cookie before weight. */
function chosen(x: IngressProxy, req: Served, canaries: Canary[]): Canary | null {
  for (const c of canaries) {
    const given = c.header ? header(req.headers, c.header) : undefined;
    if (given !== undefined) {
      if (c.headerValue !== undefined || c.headerPattern) {
        if (given === c.headerValue || c.headerPattern?.test(given)) return c;
      } else if (given === 'always') return c;
      else if (given === 'never') continue;
    }
    const cookie = c.cookie ? cookieOf(req, c.cookie) : undefined;
    if (cookie === 'always') return c;
    if (cookie === 'never') continue;
    if (c.weight > 0 && nextFloat(x.p.kernel.sim.random) * c.weightTotal < c.weight) return c;
  }
  return null;
}

/** limit_req with nodelay: a bucket that leaks at the rate. */
function overLimit(x: IngressProxy, l: Location, client: string): boolean {
  const limit = l.options.limit as { perSecond: number; burst: number };
  const key = `${l.ingress} ${l.path} ${client}`;
  const now = x.p.kernel.sim.nowMs;
  const b = x.buckets.get(key) ?? { level: 0, atMs: now };
  const level = Math.max(0, b.level - ((now - b.atMs) / 1000) * limit.perSecond);
  if (level > limit.burst) return true;
  x.buckets.set(key, { level: level + 1, atMs: now });
  return false;
}

/** Headers of the location's own, laid over the answer. */
function dressed(x: IngressProxy, req: Served, l: Location, reply: Reply, secure: boolean): Reply {
  const extra: Headers = [];
  if (secure && x.config.hsts) extra.push(['Strict-Transport-Security', 'max-age=31536000; includeSubDomains']);
  const { cors } = l.options;
  const origin = header(req.headers, 'Origin');
  if (cors) {
    const any = cors.origins.includes('*');
    const allowed = any ? '*' : cors.origins.find(o => o === origin);
    if (allowed) {
      extra.push(['Access-Control-Allow-Origin', allowed]);
      if (cors.credentials) extra.push(['Access-Control-Allow-Credentials', 'true']);
      extra.push(['Access-Control-Allow-Methods', cors.methods], ['Access-Control-Allow-Headers', cors.headers]);
      if (cors.expose) extra.push(['Access-Control-Expose-Headers', cors.expose]);
      extra.push(['Access-Control-Max-Age', cors.maxAge]);
    }
  }
  return { ...reply, headers: [...(reply.headers ?? []), ...extra] };
}

/** log_format upstreaminfo of the controller's template. */
export function accessLog(x: IngressProxy, req: Served, reply: Reply, bytes: number, trip: Trip, startedMs: number): void {
  const h = (name: string) => header(req.headers, name) ?? '-';
  const { nowMs } = x.p.kernel.sim;
  const size = req.method.length + req.target.length + req.headers.reduce((n, [k, v]) => n + k.length + v.length + 4, 15) + req.body.length;
  const user = '-';
  print(
    x.p,
    `${formatIp(plain(req.remote))} - ${user} [${clfTime(nowMs)}] "${req.method} ${req.target} ${req.version}" ${reply.status} ${bytes} "${h('Referer')}" "${h('User-Agent')}" ${size} ${((nowMs - startedMs) / 1000).toFixed(3)} [${trip.upstream}] [${trip.alternative}] ${trip.address} ${trip.length} ${trip.seconds} ${trip.status} ${trip.id}\n`,
  );
}

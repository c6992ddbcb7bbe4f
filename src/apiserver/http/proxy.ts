// The proxy subresource of Services, pods and nodes: one request goes on to a program of the cluster, and its answer comes back with its
// links put right (k8s.io/apimachinery v0.36.3, pkg/util/proxy: upgradeaware.go, transport.go; Go 1.26, net/http/httputil/reverseproxy.go).
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { refusal } from '../authorize.ts';
import { failure, internalError, isStatus, noSuchResource } from '../status.ts';
import type { ApiRequest, ProxiedReply, ProxiedRequest, ProxyPlace, Status, Verb } from '../types.ts';
import { escapePath, goUrlError, goUrlText, joinPath, parseGoUrl } from './go-url.ts';
import { decodePart, type Exchange, type HttpAnswer, type HttpReply } from './message.ts';
import { NOT_ALLOWED } from './negotiate.ts';
import { rewriteHtml } from './proxy-html.ts';
import { proxyPlace } from './proxy-place.ts';

/** What the method asks for (apiserver pkg/endpoints/request/requestinfo.go); OPTIONS has no verb. */
const VERBS: Record<string, Verb | ''> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: '',
};

const UPGRADE = 'podnet does not model connections that are upgraded through the API server\'s proxy: "kubectl port-forward" makes one';

/** `error`: a Status as this client is told it. */
export function connectProxy(
  x: Exchange,
  asked: { resource: string; namespaced: boolean; namespace?: string; name: string },
  error: (s: Status) => HttpReply,
): HttpAnswer {
  const refuse = (s: Status): HttpAnswer => ({ kind: 'reply', reply: error(s) });
  const { resource, namespaced, namespace = '', name } = asked;
  const verb = VERBS[x.request.method];
  if (verb === undefined) return refuse(NOT_ALLOWED);
  if (namespaced && !namespace) return refuse(noSuchResource());
  const { user, groups } = x;
  const request = { verb: verb as Verb, group: '', version: 'v1', resource, namespace, name, subresource: 'proxy', user, groups };
  const refused = refusal(x.server, request satisfies ApiRequest, namespaced);
  if (refused) return refuse(refused);
  const place = proxyPlace(x.server, resource, namespace, name);
  if (place === 'panic') return { kind: 'abort' };
  if (isStatus(place)) return refuse(place);
  if (/\bupgrade\b/i.test(x.request.headers.connection ?? '')) return refuse(failure(501, 'NotImplemented', UPGRADE));
  const path = decodePart(x.path);
  const query = x.request.target.slice(x.path.length);
  const location = locationPath(path, namespaced);
  if (!location && (x.request.method === 'GET' || x.request.method === 'HEAD')) {
    const to = `${path}/${query === '?' ? '' : query}`;
    return { kind: 'reply', reply: { code: 301, headers: [['Location', to]], body: '' } };
  }
  const through = { place, host: x.request.headers.host ?? '', location, prepend: prepended(path, location) };
  return { kind: 'proxy', proxy: () => passOn(x, through, query, error) };
}

/** The path there: what is behind `/proxy`, cleaned; '' : nothing, not even a slash (pkg/endpoints/handlers/get.go, getRequestOptions). */
function locationPath(path: string, namespaced: boolean): string {
  const parts = path.replace(/^\/+|\/+$/g, '').split('/');
  // api, v1, [namespaces, NAMESPACE,] RESOURCE, NAME, proxy
  const rest = parts.slice(namespaced ? 7 : 5).join('/');
  const sub = `${rest && !rest.startsWith('/') ? '/' : ''}${rest}`;
  const whole = path.endsWith('/') && !sub.endsWith('/') ? `${sub}/` : sub;
  const joined = joinPath(whole);
  const location = whole.endsWith('/') && !joined.endsWith('/') ? `${joined}/` : joined;
  return path.endsWith('/') && !location.endsWith('/') ? `${location}/` : location;
}

/** What stands before the program's own paths (defaultProxyTransport). */
function prepended(path: string, location: string): string {
  return path.endsWith(location) ? path.slice(0, path.length - location.length) : path;
}

interface Through {
  place: ProxyPlace;
  /** The Host that the client asked for. */
  host: string;
  location: string;
  prepend: string;
}

function* passOn(x: Exchange, t: Through, query: string, error: (s: Status) => HttpReply): Co<ProxiedReply> {
  const told = (s: Status): ProxiedReply => {
    const { body, ...rest } = error(s);
    return { ...rest, body: stringToBytes(body) };
  };
  const { proxyTransport } = x.server;
  if (!proxyTransport) return told(internalError('no network to go on to'));
  const { method, body } = x.request;
  const target = `${escapePath(t.location) || '/'}${query === '?' ? '' : query}`;
  const got = yield* proxyTransport(t.place, { method, target, headers: requestHeaders(x, t), body });
  if ('error' in got) return told(failure(503, 'ServiceUnavailable', `error trying to reach service: ${got.error}`));
  const headers = withoutConnection(got.headers);
  const redirect = headers.find(([name, value]) => value && /^location$/i.test(name));
  if (redirect) {
    const url = parseGoUrl(redirect[1]);
    if (!url) return told(internalError(`error trying to parse Location header: ${goUrlError(redirect[1])}`));
    const there = rewriteUrl(redirect[1], t);
    return { ...got, headers: headers.map(([name, value]) => [name, name === redirect[0] ? there : value]) };
  }
  return rewritten({ ...got, headers }, t, method);
}

/** A page's links; other bodies, and those in an encoding, go through as they are. */
function rewritten(reply: ProxiedReply, t: Through, method: string): ProxiedReply {
  const header = (wanted: string) => reply.headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  if (header('content-type')?.split(';')[0].trim() !== 'text/html' || header('content-encoding')) return reply;
  const body = stringToBytes(rewriteHtml(bytesToString(reply.body), url => rewriteUrl(url, t)));
  // Without a body its length is still told, and is none any more.
  const length: [string, string][] = method === 'HEAD' ? [] : [['Content-Length', String(body.length)]];
  return { ...reply, headers: [...reply.headers.filter(([name]) => !/^content-length$/i.test(name)), ...length], body };
}

/** Transport.rewriteURL: what is on this host and has an absolute path gets what stands before the program's paths. */
function rewriteUrl(text: string, t: Through): string {
  const url = parseGoUrl(text);
  if (!url) return text;
  const elsewhere = url.host && url.host !== t.place.host && url.host !== t.host;
  if (elsewhere || !url.path.startsWith('/')) return goUrlText(url);
  // The server's own scheme and host are not in its requests: what had one loses it, unless it was the client's word for the server.
  const here = url.host === t.host ? url : { ...url, scheme: '', host: null };
  const path = decodePart(url.path);
  if (path.startsWith(t.prepend)) return goUrlText(here);
  const joined = joinPath(t.prepend, path);
  return goUrlText({ ...here, path: escapePath(path.endsWith('/') ? `${joined}/` : joined) });
}

const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers of one connection only are not passed on, nor are those that say who may ask across origins. */
function withoutConnection(headers: ProxiedReply['headers']): ProxiedReply['headers'] {
  const own = namedIn(headers.find(([name]) => /^connection$/i.test(name))?.[1]);
  const cors = /^access-control-allow-(credentials|headers|methods|origin)$/i;
  return headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !own.has(name.toLowerCase()) && !cors.test(name));
}

const namedIn = (connection = ''): Set<string> => new Set(connection.split(',').map(s => s.trim().toLowerCase()));

const canonical = (name: string): string => name.replace(/(^|-)([a-z])/g, (_, dash, c) => dash + c.toUpperCase());

/** In the order that Go writes them. What said who asks has done its work. */
function requestHeaders(x: Exchange, t: Through): ProxiedRequest['headers'] {
  const { headers, body, method, remote } = x.request;
  const own = namedIn(headers.connection);
  const first = new Set(['host', 'user-agent', 'content-length', 'authorization', 'x-forwarded-uri', 'x-forwarded-for']);
  const rest = Object.entries(headers)
    .filter(([name]) => !first.has(name) && !HOP_BY_HOP.has(name) && !own.has(name) && !/^impersonate-/.test(name))
    .map(([name, value]): [string, string] => [canonical(name), value]);
  if (/\btrailers\b/.test(headers.te ?? '')) rest.push(['Te', 'trailers']);
  const prior = headers['x-forwarded-for'];
  if (remote) rest.push(['X-Forwarded-For', prior ? `${prior}, ${remote}` : remote]);
  const path = t.location || '/';
  const joined = joinPath(t.prepend, escapePath(path));
  rest.push(['X-Forwarded-Uri', path.endsWith('/') ? `${joined}/` : joined]);
  rest.sort(([a], [b]) => (a < b ? -1 : 1));
  const out: ProxiedRequest['headers'] = [['Host', t.host || t.place.host]];
  if (headers['user-agent']) out.push(['User-Agent', headers['user-agent']]);
  if (body.length || ['POST', 'PUT', 'PATCH'].includes(method)) {
    const chunked = /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
    out.push(chunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(body.length)]);
  }
  return [
    ...out,
    ...rest,
    ...(['accept-encoding', 'range'].some(n => n in headers) || method === 'HEAD'
      ? []
      : ([['Accept-Encoding', 'gzip']] as [string, string][])),
  ];
}

// RequestAuthentication: tokens are checked where they are, requests without one pass (Envoy's jwt_authn filter, as Istio 1.28 sets it up).
import { listObjects } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, stringToBytes, unbase64 } from '../../sim/bytes.ts';
import { rsaVerifies } from '../../sim/rsa.ts';
import type { Co } from '../../sim/task.ts';
import { type Headers, header } from '../../userland/http.ts';
import type { Reply, Served } from '../../userland/http-server.ts';
import { getaddrinfo } from '../../userland/net/resolver.ts';
import { exchange, hasFailed } from '../../userland/servers/upstream.ts';
import { parseUrl, splitTarget } from '../../userland/url.ts';
import { localReply } from '../envoy/local-reply.ts';
import { REQUEST_AUTHENTICATIONS, ROOT } from './names.ts';
import { type EnvoyProxy, namespaceOf } from './proxy.ts';
import { selectsPod } from './registry.ts';

interface Jwk {
  kty?: string;
  kid?: string;
  alg?: string;
  n?: string;
  e?: string;
}

export interface Authenticated {
  claims: Record<string, unknown> | null;
  /** Set: the request goes no further. */
  refused: Reply | null;
  why: string;
  /** What the application gets. */
  headers: (h: Headers) => Headers;
}

const same = (h: Headers): Headers => h;
const PASSED: Authenticated = { claims: null, refused: null, why: '', headers: same };

const fromUrl64 = (text: string): Uint8Array | null =>
  unbase64(text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4));

function jsonPart(text: string): any {
  const bytes = fromUrl64(text);
  try {
    return bytes && JSON.parse(bytesToString(bytes));
  } catch {
    return null;
  }
}

/** Where a rule looks for its token: `Authorization: Bearer` and `?access_token=` unless it says. */
function tokenOf(rule: any, req: Served): { token: string; header: string | null } | null {
  const { fromHeaders, fromParams, fromCookies } = rule;
  const silent = !fromHeaders?.length && !fromParams?.length && !fromCookies?.length;
  for (const h of silent ? [{ name: 'Authorization', prefix: 'Bearer ' }] : (fromHeaders ?? [])) {
    const value = header(req.headers, h.name);
    if (value?.startsWith(h.prefix ?? '')) return { token: value.slice((h.prefix ?? '').length).trim(), header: h.name };
  }
  const { query } = splitTarget(req.target);
  for (const name of silent ? ['access_token'] : (fromParams ?? [])) {
    const value = query.get(name)?.[0];
    if (value !== undefined) return { token: value, header: null };
  }
  for (const name of fromCookies ?? []) {
    const value = new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(header(req.headers, 'Cookie') ?? '')?.[1];
    if (value !== undefined) return { token: value, header: null };
  }
  return null;
}

const fetched = new WeakMap<object, Map<string, string>>();

/** The key set at an address, fetched once. null: nobody answers there. */
function* remoteKeys(x: EnvoyProxy, uri: string): Co<string | null> {
  const known = fetched.get(x.server) ?? new Map<string, string>();
  fetched.set(x.server, known);
  const had = known.get(uri);
  if (had !== undefined) return had;
  const url = parseUrl(uri);
  const found = url && (yield* getaddrinfo(x.p, url.host, { libc: 'glibc', family: 4 }));
  if (!url || !found || typeof found === 'string') return null;
  const secure = url.scheme === 'https';
  const request = { method: 'GET', target: url.path, headers: [['host', url.host]] as Headers, body: new Uint8Array(0) };
  const options = { connectMs: 5000, readMs: 5000, ...(secure ? { tls: { sni: url.host } } : {}) };
  const got = yield* exchange(x.p, found.addresses[0], url.port ?? (secure ? 443 : 80), request, options);
  if (hasFailed(got) || got.head.status !== 200) return null;
  const text = bytesToString(got.body);
  known.set(uri, text);
  return text;
}

function* keysOf(x: EnvoyProxy, rule: any): Co<Jwk[]> {
  const uri = rule.jwksUri ?? rule.jwks_uri;
  const text = rule.jwks ?? (uri ? yield* remoteKeys(x, uri) : null);
  try {
    return text ? (JSON.parse(text).keys ?? []) : [];
  } catch {
    return [];
  }
}

/** Envoy's words for what is wrong with a token (jwt_verify_lib/status.cc); null: nothing is. */
function* problemOf(x: EnvoyProxy, rule: any, token: string): Co<string | null> {
  const parts = token.split('.');
  if (parts.length !== 3) return 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
  const [head, claims] = [jsonPart(parts[0]), jsonPart(parts[1])];
  if (!head) return 'Jwt header is an invalid JSON';
  if (!claims) return 'Jwt payload is an invalid JSON';
  const signature = fromUrl64(parts[2]);
  if (!signature) return 'Jwt signature is an invalid Base64url encoded';
  if (claims.iss !== rule.issuer) return 'Jwt issuer is not configured';
  const nowS = x.p.kernel.sim.nowMs / 1000;
  if (typeof claims.nbf === 'number' && nowS + 60 < claims.nbf) return 'Jwt not yet valid';
  if (typeof claims.exp === 'number' && nowS - 60 > claims.exp) return 'Jwt is expired';
  const audiences = ([] as string[]).concat(claims.aud ?? []);
  if (rule.audiences?.length && !audiences.some(a => rule.audiences.includes(a))) return 'Audiences in Jwt are not allowed';
  if (head.alg !== 'RS256') return 'Header.alg is not supported by podnet: it checks RS256';
  const keys = (yield* keysOf(x, rule)).filter(k => k.kty === 'RSA' && (!head.kid || !k.kid || k.kid === head.kid));
  if (!keys.length) return "Jwks doesn't have key to match kid or alg from Jwt";
  const message = stringToBytes(`${parts[0]}.${parts[1]}`);
  const [empty, of] = [new Uint8Array(0), (t: string | undefined) => fromUrl64(t ?? '') ?? new Uint8Array(0)];
  return keys.some(k => k.n !== undefined && rsaVerifies(message, signature, of(k.n), of(k.e) ?? empty)) ? null : 'Jwt verification fails';
}

export function* authenticate(x: EnvoyProxy, pod: KubeObject, req: Served): Co<Authenticated> {
  const rules = listObjects(x.server, REQUEST_AUTHENTICATIONS)
    .filter(o => (o.metadata.namespace === ROOT || o.metadata.namespace === namespaceOf(x)) && selectsPod(o, pod))
    .filter(o => !o.spec?.targetRef && !o.spec?.targetRefs?.length)
    .flatMap(o => (o.spec?.jwtRules ?? []) as any[]);
  let problem: string | null = null;
  for (const rule of rules) {
    const found = tokenOf(rule, req);
    if (!found) continue;
    problem = yield* problemOf(x, rule, found.token);
    if (problem !== null) continue;
    const [, payload] = found.token.split('.');
    const claims = jsonPart(payload);
    return { ...PASSED, claims, headers: h => forwarded(h, rule, found.header, payload, claims) };
  }
  if (problem === null) return PASSED;
  const host = header(req.headers, 'Host') ?? '';
  const realm = `Bearer realm="http://${host}${req.target}", error="invalid_token"`;
  const reply = localReply(401, problem);
  return { ...PASSED, why: problem, refused: { ...reply, headers: [['www-authenticate', realm], ...(reply.headers ?? [])] } };
}

/** The token itself goes no further unless the rule says so; its claims may. */
function forwarded(headers: Headers, rule: any, from: string | null, payload: string, claims: any): Headers {
  const kept = rule.forwardOriginalToken || !from ? headers : headers.filter(([n]) => n.toLowerCase() !== from.toLowerCase());
  const claimed: Headers = (rule.outputClaimToHeaders ?? [])
    .filter((o: any) => claims[o.claim] !== undefined)
    .map((o: any) => [o.header.toLowerCase(), String(claims[o.claim])]);
  const whole: Headers = rule.outputPayloadToHeader ? [[rule.outputPayloadToHeader.toLowerCase(), payload]] : [];
  return [...kept, ...whole, ...claimed];
}

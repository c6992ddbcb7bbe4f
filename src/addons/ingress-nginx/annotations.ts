// nginx.ingress.kubernetes.io/*: the annotations that act, as internal/ingress/annotations of ingress-nginx v1.13 reads them.
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { type Cidr, parseCidr } from '../../wire/ip.ts';
import type { Options } from './config.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';

export const annotation = (o: KubeObject, name: string): string | undefined => o.metadata.annotations?.[PREFIX + name];
export const flagged = (o: KubeObject, name: string): boolean => annotation(o, name) === 'true';

/** Annotations without an effect here: the controller's log says so. */
export function unmodelled(o: KubeObject): string[] {
  return Object.keys(o.metadata.annotations ?? {})
    .filter(k => k.startsWith(PREFIX) && !INGRESS_ANNOTATIONS.has(k.slice(PREFIX.length)))
    .map(k => k.slice(PREFIX.length));
}

/** The ones that act. */
export const INGRESS_ANNOTATIONS: ReadonlySet<string> = new Set(
  (
    'affinity affinity-mode app-root auth-method auth-realm auth-response-headers auth-secret auth-secret-type auth-signin auth-type auth-url backend-protocol canary canary-by-cookie canary-by-header ' +
    'canary-by-header-pattern canary-by-header-value canary-weight canary-weight-total cors-allow-credentials cors-allow-headers ' +
    'cors-allow-methods cors-allow-origin cors-expose-headers cors-max-age custom-http-errors default-backend denylist-source-range ' +
    'enable-access-log enable-cors force-ssl-redirect from-to-www-redirect limit-burst-multiplier limit-rpm limit-rps permanent-redirect ' +
    'permanent-redirect-code proxy-body-size proxy-buffer-size proxy-buffering proxy-connect-timeout proxy-next-upstream-tries ' +
    'proxy-read-timeout proxy-send-timeout rewrite-target server-alias service-upstream session-cookie-expires session-cookie-max-age ' +
    'session-cookie-name session-cookie-path ssl-redirect temporal-redirect temporal-redirect-code upstream-hash-by upstream-vhost use-regex ' +
    'whitelist-source-range allowlist-source-range x-forwarded-prefix'
  ).split(' '),
);

const words = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map(x => x.trim())
    .filter(Boolean);

const cidrs = (text: string | undefined): Cidr[] =>
  words(text)
    .map(w => parseCidr(w.includes('/') ? w : `${w}/${w.includes(':') ? 128 : 32}`))
    .filter((c): c is Cidr => c !== null);

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `8m` in bytes; 0 is no limit. */
function size(text: string | undefined, otherwise: string): number {
  const m = /^(\d+)([kmg]?)$/i.exec(text ?? '') ?? /^(\d+)([kmg]?)$/i.exec(otherwise);
  const n = m ? Number(m[1]) * UNITS[m[2].toLowerCase()] : 0;
  return n === 0 ? Number.POSITIVE_INFINITY : n;
}

const seconds = (text: string | undefined, otherwise: string | undefined, usual: number): number => {
  const n = Number(text ?? otherwise ?? usual);
  return (Number.isFinite(n) && n > 0 ? n : usual) * 1000;
};

/** `data`: the controller's ConfigMap, whose keys are the annotations' defaults. */
export function optionsOf(server: ApiServer, o: KubeObject, data: Record<string, string>): Options {
  const a = (name: string) => annotation(o, name);
  const permanent = a('permanent-redirect');
  const temporal = a('temporal-redirect');
  const redirect = temporal
    ? { code: Number(a('temporal-redirect-code') ?? 302), to: temporal }
    : permanent
      ? { code: Number(a('permanent-redirect-code') ?? 301), to: permanent }
      : null;
  return {
    rewriteTarget: a('rewrite-target') ?? null,
    appRoot: a('app-root') ?? null,
    sslRedirect: (a('ssl-redirect') ?? data['ssl-redirect'] ?? 'true') === 'true',
    forceSslRedirect: (a('force-ssl-redirect') ?? data['force-ssl-redirect'] ?? 'false') === 'true',
    redirect,
    secureUpstream: /^(https|grpcs)$/i.test(a('backend-protocol') ?? ''),
    auth: authOf(server, o),
    externalAuth: a('auth-url')
      ? {
          url: a('auth-url') as string,
          method: a('auth-method') || 'GET',
          signin: a('auth-signin') || null,
          responseHeaders: words(a('auth-response-headers')),
        }
      : null,
    allow: cidrs(a('allowlist-source-range') ?? a('whitelist-source-range') ?? data['whitelist-source-range']),
    deny: cidrs(a('denylist-source-range') ?? data['denylist-source-range']),
    cors: corsOf(o),
    limit: limitOf(o),
    affinity: a('affinity') === 'cookie' ? { cookie: a('session-cookie-name') ?? 'INGRESSCOOKIE' } : null,
    upstreamVhost: a('upstream-vhost') ?? null,
    forwardedPrefix: a('x-forwarded-prefix') ?? null,
    connectMs: seconds(a('proxy-connect-timeout'), data['proxy-connect-timeout'], 5),
    readMs: seconds(a('proxy-read-timeout'), data['proxy-read-timeout'], 60),
    bodyBytes: size(a('proxy-body-size'), data['proxy-body-size'] ?? '1m'),
    customErrors: new Set(words(a('custom-http-errors') ?? data['custom-http-errors']).map(Number)),
    tries: Number(a('proxy-next-upstream-tries') ?? 3),
  };
}

function corsOf(o: KubeObject): Options['cors'] {
  if (!flagged(o, 'enable-cors')) return null;
  const headers = 'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';
  return {
    origins: words(annotation(o, 'cors-allow-origin') ?? '*'),
    methods: annotation(o, 'cors-allow-methods') ?? 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
    headers: annotation(o, 'cors-allow-headers') ?? headers,
    credentials: (annotation(o, 'cors-allow-credentials') ?? 'true') === 'true',
    maxAge: annotation(o, 'cors-max-age') ?? '1728000',
    expose: annotation(o, 'cors-expose-headers') ?? '',
  };
}

function limitOf(o: KubeObject): Options['limit'] {
  const [rps, rpm] = [Number(annotation(o, 'limit-rps') ?? 0), Number(annotation(o, 'limit-rpm') ?? 0)];
  const perSecond = rps > 0 ? rps : rpm / 60;
  if (!(perSecond > 0)) return null;
  return { perSecond, burst: (rps > 0 ? rps : rpm) * Number(annotation(o, 'limit-burst-multiplier') ?? 5) };
}

/** Basic authentication: the Secret's `auth` holds lines `user:hash`; an auth-map has a key per user. */
function authOf(server: ApiServer, o: KubeObject): Options['auth'] {
  if (annotation(o, 'auth-type') !== 'basic') return null;
  const name = annotation(o, 'auth-secret') ?? '';
  const [namespace, own] = name.includes('/') ? name.split('/') : [o.metadata.namespace, name];
  const secret = getObject(server, 'secrets', namespace, own);
  const data: Record<string, string> = secret?.data ?? {};
  const text = (key: string) => bytesToString(unbase64(data[key] ?? '') ?? new Uint8Array(0)).trim();
  const users = new Map<string, string>();
  if (annotation(o, 'auth-secret-type') === 'auth-map') for (const key of Object.keys(data)) users.set(key, text(key));
  else if (data.auth === undefined) return { missing: true };
  else for (const line of text('auth').split('\n')) users.set(line.split(':')[0], line.slice(line.indexOf(':') + 1).trim());
  return { realm: annotation(o, 'auth-realm') ?? 'Authentication Required', users };
}

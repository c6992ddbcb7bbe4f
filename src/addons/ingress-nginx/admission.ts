// validate.nginx.ingress.kubernetes.io: what the controller says of an Ingress before it is kept (ingress-nginx v1.13
// internal/admission/controller/main.go, internal/ingress/controller/controller.go CheckWarning and CheckIngress).
// The rendered configuration is not tested: since v1.12.1 the real one does not either (CVE-2025-1974).
import type { AdmissionAnswer, AdmissionReview, KubeObject } from '../../apiserver/types.ts';
import type { AdmissionContext } from '../context.ts';
import { annotation } from './annotations.ts';
import { configData, isMine, mine, type Settings, settingsOf } from './translate.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';

/** internal/ingress/inspector/rules.go validPathType */
const PLAIN_PATH = /^\/[A-Za-z0-9._\-/]*$/;

/** CheckWarning: annotations of things that are gone. */
const DEPRECATED = new Set([
  'enable-influxdb',
  'influxdb-measurement',
  'influxdb-port',
  'influxdb-host',
  'influxdb-server-name',
  'secure-verify-ca-secret',
]);

const LEVELS = ['Low', 'Medium', 'High', 'Critical'];

/** docs/user-guide/nginx-configuration/annotations-risk.md, by group; who is not named is of low risk. */
const RISKS: Record<string, Record<string, string>> = {
  Aliases: { High: 'server-alias' },
  Allowlist: { Medium: 'allowlist-source-range' },
  BasicDigestAuth: { Medium: 'auth-realm auth-secret' },
  Canary: { Medium: 'canary-by-cookie canary-by-header canary-by-header-pattern canary-by-header-value' },
  CertificateAuth: { Medium: 'auth-tls-secret auth-tls-verify-client', High: 'auth-tls-error-page auth-tls-match-cn' },
  ConfigurationSnippet: { Critical: 'configuration-snippet' },
  CorsConfig: { Medium: 'cors-allow-headers cors-allow-methods cors-allow-origin cors-expose-headers' },
  CustomHeaders: { Medium: 'custom-headers' },
  Denylist: { Medium: 'denylist-source-range' },
  ExternalAuth: {
    Medium:
      'auth-cache-duration auth-cache-key auth-proxy-set-headers auth-request-redirect auth-response-headers auth-signin-redirect-param',
    High: 'auth-signin auth-url',
    Critical: 'auth-snippet',
  },
  FastCGI: { Medium: 'fastcgi-index fastcgi-params-configmap' },
  Mirror: { High: 'mirror-host mirror-target' },
  ModSecurity: { High: 'modsecurity-transaction-id', Critical: 'modsecurity-snippet' },
  Opentelemetry: { Medium: 'opentelemetry-operation-name' },
  Proxy: {
    Medium: 'proxy-body-size proxy-cookie-domain proxy-cookie-path proxy-next-upstream proxy-redirect-from proxy-redirect-to',
  },
  ProxySSL: { Medium: 'proxy-ssl-ciphers proxy-ssl-secret', High: 'proxy-ssl-name' },
  Redirect: { Medium: 'permanent-redirect temporal-redirect' },
  Rewrite: { Medium: 'app-root force-ssl-redirect preserve-trailing-slash rewrite-target' },
  ServerSnippet: { Critical: 'server-snippet' },
  SessionAffinity: {
    Medium: 'affinity-mode session-cookie-domain session-cookie-expires session-cookie-max-age session-cookie-name session-cookie-path',
  },
  StreamSnippet: { Critical: 'stream-snippet' },
  UpstreamHashBy: { High: 'upstream-hash-by' },
  XForwardedPrefix: { Medium: 'x-forwarded-prefix' },
};

interface Path {
  host: string;
  path: string;
  type: string;
}

/** The paths that lead to a Service; ImplementationSpecific is Prefix here (SetDefaultNGINXPathType). */
const pathsOf = (ing: KubeObject): Path[] =>
  (ing.spec?.rules ?? []).flatMap((rule: any) =>
    (rule.http?.paths ?? [])
      .filter((p: any) => p.backend?.service)
      .map((p: any) => ({ host: rule.host || '_', path: p.path || '/', type: p.pathType === 'Exact' ? 'Exact' : 'Prefix' })),
  );

function wrongPaths(ing: KubeObject): string[] {
  const paths: any[] = (ing.spec?.rules ?? []).flatMap((r: any) => r.http?.paths ?? []);
  return paths
    .filter(p => p.path && p.pathType !== 'ImplementationSpecific' && !PLAIN_PATH.test(p.path))
    .map(p => `path ${p.path} cannot be used with pathType ${p.pathType}`);
}

function riskyGroup(ing: KubeObject, level: string): string | null {
  const allowed = Math.max(0, LEVELS.indexOf(level));
  for (const [group, risks] of Object.entries(RISKS))
    for (const [risk, names] of Object.entries(risks))
      if (LEVELS.indexOf(risk) > allowed && names.split(' ').some(n => annotation(ing, n) !== undefined)) return group;
  return null;
}

/** checkOverlap: it looks no further than the first path that is its own or a canary's. */
function overlap(s: Settings, ing: KubeObject): string | null {
  const itself = (o: KubeObject) => o.metadata.namespace === ing.metadata.namespace && o.metadata.name === ing.metadata.name;
  const canary = (o: KubeObject) => annotation(o, 'canary');
  const taken: (Path & { by: KubeObject })[] = [];
  for (const by of [...mine(s).filter(o => !itself(o)), ing].filter(o => canary(o) !== 'true'))
    for (const p of pathsOf(by))
      if (!taken.some(t => t.host === p.host && t.path === p.path && t.type === p.type)) taken.push({ ...p, by });
  for (const p of pathsOf(ing)) {
    const existing = taken.filter(t => t.host === p.host && t.path === p.path);
    if (!existing.length) continue;
    if (existing.some(t => itself(t.by))) return null;
    const other = existing.find(t => canary(ing) === undefined && canary(t.by) === undefined)?.by;
    if (!other) return null;
    return `host "${p.host}" and path "${p.path}" is already defined in ingress ${other.metadata.namespace}/${other.metadata.name}`;
  }
  return null;
}

function mistakeOf(s: Settings, ing: KubeObject): string | null {
  const data = configData(s);
  const paths = data['strict-validate-path-type'] === 'false' ? [] : wrongPaths(ing);
  if (paths.length) return `ingress contains invalid paths: ${paths.join('\n')}`;
  const snippet = Object.keys(ing.metadata.annotations ?? {}).find(k => k.endsWith('-snippet'));
  if (snippet && data['allow-snippet-annotations'] !== 'true')
    return `${snippet} annotation cannot be used. Snippet directives are disabled by the Ingress administrator`;
  const group = riskyGroup(ing, data['annotations-risk-level'] ?? 'High');
  if (group) return `annotation group ${group} contains risky annotation based on ingress configuration`;
  return overlap(s, ing);
}

export function checkIngress({ object: ing }: AdmissionReview, { server, pod }: AdmissionContext): AdmissionAnswer {
  if (ing.metadata.deletionTimestamp) return { allowed: true };
  const old = Object.keys(ing.metadata.annotations ?? {}).filter(k => k.startsWith(PREFIX) && DEPRECATED.has(k.slice(PREFIX.length)));
  const warnings = [...old.map(k => `annotation ${k} is deprecated`), ...wrongPaths(ing)];
  const controller = pod.spec.containers.find((c: { name: string }) => c.name === 'controller') ?? pod.spec.containers[0];
  const words = (controller.args ?? []).map((w: string) => w.replaceAll('$(POD_NAMESPACE)', pod.metadata.namespace ?? ''));
  const settings = settingsOf(server, words);
  const message = isMine(settings, ing) ? mistakeOf(settings, ing) : null;
  return { allowed: message === null, warnings, ...(message === null ? {} : { message, code: 400 }) };
}

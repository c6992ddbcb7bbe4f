// Ingresses, Services, EndpointSlices and Secrets -> the proxy's configuration (ingress-nginx v1.13 internal/ingress/controller/controller.go).
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { goFlags } from '../../userland/servers/daemon.ts';
import type { Certificate } from '../../userland/tls.ts';
import { certificateOf } from '../../userland/x509.ts';
import { annotation, flagged, optionsOf } from './annotations.ts';
import type { Canary, Config, Location, Server, Upstream } from './config.ts';

const CLASS_CONTROLLER = 'k8s.io/ingress-nginx';

export interface Settings {
  server: ApiServer;
  /** --controller-class */
  controllerClass: string;
  /** --ingress-class: the annotation's value. */
  className: string;
  withoutClass: boolean;
  /** --watch-namespace; '' is all. */
  namespace: string;
  /** namespace/name of the ConfigMap. */
  configMap: string;
  defaultBackend: string;
}

/** `line`: the controller's command line, its own name among the first words. */
export const flagsOf = (line: string[]) => goFlags(line.slice(line.findIndex(w => w.endsWith('nginx-ingress-controller')) + 1)).flags;

export function settingsOf(server: ApiServer, line: string[]): Settings {
  const flags = flagsOf(line);
  return {
    server,
    controllerClass: flags.get('controller-class') ?? CLASS_CONTROLLER,
    className: flags.get('ingress-class') ?? 'nginx',
    withoutClass: flags.get('watch-ingress-without-class') === 'true',
    namespace: flags.get('watch-namespace') ?? '',
    configMap: flags.get('configmap') ?? '',
    defaultBackend: flags.get('default-backend-service') ?? '',
  };
}

/** What the ConfigMap says. */
export const configData = (s: Settings): Record<string, string> => {
  const [namespace, name] = s.configMap.split('/');
  return getObject(s.server, 'configmaps', namespace, name)?.data ?? {};
};

/** Is this Ingress the controller's own? */
export function isMine(s: Settings, ing: KubeObject): boolean {
  if (s.namespace && ing.metadata.namespace !== s.namespace) return false;
  const old = ing.metadata.annotations?.['kubernetes.io/ingress.class'];
  if (old !== undefined) return old === s.className;
  const name = ing.spec?.ingressClassName;
  if (!name) return s.withoutClass;
  return getObject(s.server, 'ingressclasses.networking.k8s.io', '', name)?.spec?.controller === s.controllerClass;
}

/** Oldest first: of two that claim the same path the older one has it. */
export const mine = (s: Settings): KubeObject[] =>
  listObjects(s.server, 'ingresses.networking.k8s.io')
    .filter(i => isMine(s, i) && !i.metadata.deletionTimestamp)
    .sort((a, b) => {
      const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
      return x < y ? -1 : x > y ? 1 : Number(a.metadata.uid! > b.metadata.uid!) || -1;
    });

function upstreamOf(s: Settings, namespace: string, backend: any, o?: KubeObject): Upstream | null {
  if (!backend?.service) return null;
  const { name, port } = backend.service;
  const service = getObject(s.server, 'services', namespace, name);
  const upstream: Upstream = {
    name: `${namespace}-${name}-${port?.number ?? port?.name ?? 80}`,
    endpoints: [],
    hashBy: o ? annotation(o, 'upstream-hash-by') : undefined,
  };
  if (!service) return upstream;
  if (service.spec.type === 'ExternalName') {
    upstream.endpoints.push({ host: service.spec.externalName, port: port?.number ?? 80 });
    return upstream;
  }
  const matched = (service.spec.ports ?? []).find((p: any) => (port?.name ? p.name === port.name : p.port === port?.number));
  if (!matched) return upstream;
  if (o && flagged(o, 'service-upstream') && service.spec.clusterIP !== 'None') {
    upstream.endpoints.push({ host: service.spec.clusterIP, port: matched.port });
    return upstream;
  }
  upstream.endpoints = endpointsOf(s.server, namespace, name, matched.name ?? '');
  return upstream;
}

/** Has a backend of an Ingress anybody who answers? */
export const readyEndpoints = (s: Settings, namespace: string, service: unknown): boolean =>
  (upstreamOf(s, namespace, { service })?.endpoints.length ?? 0) > 0;

function endpointsOf(server: ApiServer, namespace: string, service: string, portName: string): { host: string; port: number }[] {
  const seen = new Map<string, { host: string; port: number }>();
  for (const slice of listObjects(server, 'endpointslices.discovery.k8s.io', namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    for (const p of slice.ports ?? []) {
      if ((p.name ?? '') !== portName || !p.port) continue;
      for (const e of slice.endpoints ?? [])
        if (e.conditions?.ready !== false) for (const host of e.addresses ?? []) seen.set(`${host} ${p.port}`, { host, port: p.port });
    }
  }
  return [...seen.values()];
}

function certificateIn(server: ApiServer, namespace: string | undefined, secret: string | undefined): Certificate | null {
  const found = secret ? getObject(server, 'secrets', namespace, secret) : undefined;
  const pem = bytesToString(unbase64(found?.data?.['tls.crt'] ?? '') ?? new Uint8Array(0));
  return pem ? certificateOf(pem) : null;
}

export function translate(s: Settings): Config {
  const settings = configData(s);
  const servers = new Map<string, Server>();
  const serverFor = (host: string): Server => {
    let server = servers.get(host);
    if (!server) servers.set(host, (server = { host, aliases: [], certificate: null, locations: [] }));
    return server;
  };
  const regexHosts = new Set<string>();
  const all = mine(s);
  const plain = all.filter(i => !flagged(i, 'canary'));
  serverFor('_');
  for (const ing of plain) {
    const options = optionsOf(s.server, ing, settings);
    const namespace = ing.metadata.namespace ?? '';
    const ingress = `${namespace}/${ing.metadata.name}`;
    for (const rule of ing.spec?.rules ?? []) {
      const server = serverFor(rule.host || '_');
      const alias = annotation(ing, 'server-alias');
      if (alias) server.aliases.push(...alias.split(',').map(x => x.trim()));
      if (flagged(ing, 'use-regex') || options.rewriteTarget) regexHosts.add(server.host);
      for (const path of rule.http?.paths ?? []) {
        const location: Location = {
          path: path.path || '/',
          type: path.pathType ?? 'ImplementationSpecific',
          regex: null,
          upstream: upstreamOf(s, namespace, path.backend, ing),
          options,
          canaries: [],
          ingress,
        };
        if (!server.locations.some(l => l.path === location.path && l.type === location.type)) server.locations.push(location);
      }
    }
    const fallback = upstreamOf(s, namespace, ing.spec?.defaultBackend, ing);
    // Without rules it is the answer to every host; with rules, to what the hosts' paths leave over.
    const hosts: string[] = ing.spec?.rules?.length ? ing.spec.rules.map((r: any) => r.host || '_') : ['_'];
    if (fallback)
      for (const host of hosts) {
        const server = serverFor(host);
        const rest: Location = { path: '/', type: 'Prefix', regex: null, upstream: fallback, options, canaries: [], ingress };
        if (!server.locations.some(l => l.path === '/')) server.locations.push(rest);
      }
  }
  for (const ing of plain) addCertificates(s, ing, servers);
  for (const ing of all) if (flagged(ing, 'canary')) addCanary(s, ing, servers);
  for (const server of servers.values()) order(server, regexHosts.has(server.host));
  const [namespace, name] = s.defaultBackend.split('/');
  const service = s.defaultBackend ? getObject(s.server, 'services', namespace, name) : undefined;
  const port = service?.spec?.ports?.[0];
  return {
    servers: [...servers.values()],
    defaultUpstream: port ? upstreamOf(s, namespace, { service: { name, port: { number: port.port } } }) : null,
    hsts: (settings.hsts ?? 'true') === 'true',
    http2: (settings['use-http2'] ?? 'true') === 'true',
  };
}

/** A host's certificate: the tls entry that names it, or one without hosts whose certificate fits. */
function addCertificates(s: Settings, ing: KubeObject, servers: Map<string, Server>): void {
  for (const entry of ing.spec?.tls ?? []) {
    const hosts: string[] = entry.hosts?.length ? entry.hosts : (ing.spec.rules ?? []).map((r: any) => r.host || '_');
    for (const host of hosts) {
      const server = servers.get(host);
      if (server && !server.certificate) server.certificate = certificateIn(s.server, ing.metadata.namespace, entry.secretName) ?? FAKE;
    }
  }
}

/** What the controller makes for itself when it starts, for hosts that have no certificate of their own (internal/net/ssl). */
const FAKE: Certificate = {
  subject: 'O = Acme Co, CN = Kubernetes Ingress Controller Fake Certificate',
  issuer: 'O = Acme Co, CN = Kubernetes Ingress Controller Fake Certificate',
  sans: ['ingress.local'],
  notBeforeMs: 0,
  notAfterMs: 0,
};
const FAKE_LASTS_MS = 365 * 86_400_000;

/** What a controller that has started then shows for a host. */
export function shownFor(server: Server | undefined, startedMs: number): Certificate {
  const own = server?.certificate;
  if (own && (own.pem || own.notAfterMs)) return own;
  const notBeforeMs = Math.floor(startedMs / 1000) * 1000;
  return { ...FAKE, notBeforeMs, notAfterMs: notBeforeMs + FAKE_LASTS_MS };
}

function addCanary(s: Settings, ing: KubeObject, servers: Map<string, Server>): void {
  const a = (name: string) => annotation(ing, name);
  for (const rule of ing.spec?.rules ?? []) {
    for (const path of rule.http?.paths ?? []) {
      const main = servers.get(rule.host || '_')?.locations.find(l => l.path === (path.path || '/'));
      const upstream = upstreamOf(s, ing.metadata.namespace ?? '', path.backend, ing);
      if (!main || !upstream) continue;
      const pattern = a('canary-by-header-pattern');
      const canary: Canary = {
        upstream,
        weight: Number(a('canary-weight') ?? 0),
        weightTotal: Number(a('canary-weight-total') ?? 100),
        header: a('canary-by-header'),
        headerValue: a('canary-by-header-value'),
        headerPattern: pattern ? new RegExp(pattern) : undefined,
        cookie: a('canary-by-cookie'),
      };
      main.canaries.push(canary);
    }
  }
}

/** nginx asks exact locations first, then the longest; regular expressions in the order of their length. */
function order(server: Server, regex: boolean): void {
  const exact = (l: Location) => Number(l.type === 'Exact');
  server.locations.sort((a, b) => exact(b) - exact(a) || b.path.length - a.path.length || (a.path < b.path ? -1 : 1));
  if (!regex) return;
  for (const l of server.locations) {
    try {
      l.regex = new RegExp(`^${l.path}`, 'i');
    } catch {
      l.regex = null;
    }
  }
}

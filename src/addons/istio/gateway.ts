// Gateways: what a router's listeners take, by the Gateway objects that select its pod (pilot/pkg/networking/core/gateway.go 1.28).
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import type { Certificate } from '../../userland/tls.ts';
import { certificateOf } from '../../userland/x509.ts';
import { type Asked as AskedRule, type Rule, ruleFor } from '../gateway-api/model.ts';
import { translate } from '../gateway-api/translate.ts';
import { gatewayOf } from './gateway-api.ts';
import { GATEWAYS } from './names.ts';

/** In the place of a Gateway's name: rules of the Gateway API say where requests go. */
export const API_GATEWAY = 'gateway.networking.k8s.io';

import { coversHost } from './registry.ts';
import { hostsOf, virtualServices } from './virtual-service.ts';

export interface Server {
  /** namespace/name of its Gateway. */
  gateway: string;
  /** As the Gateway says, and what the pod listens on. */
  port: number;
  listens: number;
  protocol: 'HTTP' | 'HTTPS' | 'TCP' | 'TLS';
  /** Without the namespace in front. */
  hosts: string[];
  /** '' in front of a host: any namespace may bind to it. */
  namespaces: string[];
  tls: string | null;
  certificate: Certificate | null;
  /** Of clients, with mode MUTUAL. */
  authority: Certificate | null;
  redirects: boolean;
}

const created = (o: KubeObject) => `${o.metadata.creationTimestamp} ${o.metadata.namespace}/${o.metadata.name}`;

/** The pod's port behind a Service's: Services that select the pod translate; without one it is the port itself. */
function targetOf(server: ApiServer, pod: KubeObject, port: number): number | null {
  const labels = pod.metadata.labels ?? {};
  const own = listObjects(server, 'services', pod.metadata.namespace).filter(s => {
    const selector = Object.entries((s.spec?.selector ?? {}) as Record<string, string>);
    return selector.length > 0 && selector.every(([k, v]) => labels[k] === v);
  });
  for (const s of own) {
    const found = (s.spec.ports ?? []).find((p: any) => p.port === port);
    if (!found) continue;
    const { targetPort } = found;
    if (typeof targetPort === 'number') return targetPort;
    const named = pod.spec.containers.flatMap((c: any) => c.ports ?? []).find((p: any) => p.name === targetPort);
    if (named) return named.containerPort;
  }
  return port;
}

/** credentialName: a Secret of the gateway's own namespace, of either of the two shapes that Istio knows. */
function certificate(server: ApiServer, pod: KubeObject, name: string): Certificate | null {
  const data = getObject(server, 'secrets', pod.metadata.namespace, name)?.data ?? {};
  const text = data['tls.crt'] ?? data.cert;
  return text ? certificateOf(bytesToString(unbase64(text) ?? new Uint8Array(0))) : null;
}

/** The CA beside it, or in a Secret of its own: `NAME-cacert`. */
function authorityOf(server: ApiServer, pod: KubeObject, name: string): Certificate | null {
  const data = (n: string) => getObject(server, 'secrets', pod.metadata.namespace, n)?.data ?? {};
  const text = data(name)['ca.crt'] ?? data(name).cacert ?? data(`${name}-cacert`)['ca.crt'] ?? data(`${name}-cacert`).cacert;
  return text ? certificateOf(bytesToString(unbase64(text) ?? new Uint8Array(0))) : null;
}

const PROTOCOLS: Record<string, Server['protocol']> = {
  HTTP: 'HTTP',
  HTTP2: 'HTTP',
  GRPC: 'HTTP',
  HTTPS: 'HTTPS',
  TLS: 'TLS',
  TCP: 'TCP',
  MONGO: 'TCP',
};

/** Servers of all Gateways that select the pod, the oldest first. Those that terminate TLS without a certificate do not listen. */
export function serversOf(server: ApiServer, pod: KubeObject): Server[] {
  const labels = pod.metadata.labels ?? {};
  const own = listObjects(server, GATEWAYS)
    .filter(g => Object.entries((g.spec?.selector ?? {}) as Record<string, string>).every(([k, v]) => labels[k] === v))
    .sort((a, b) => (created(a) < created(b) ? -1 : 1));
  const api = apiServers(server, pod);
  if (api) return api;
  const seen = new Set<string>();
  return own.flatMap(g =>
    (g.spec.servers ?? []).flatMap((s: any): Server[] => {
      const protocol = PROTOCOLS[(s.port.protocol ?? '').toUpperCase()] ?? 'TCP';
      const listens = targetOf(server, pod, s.port.number);
      const mode = s.tls && !s.tls.httpsRedirect ? (s.tls.mode ?? 'PASSTHROUGH') : null;
      const ends = mode !== null && mode !== 'PASSTHROUGH' && mode !== 'AUTO_PASSTHROUGH';
      const cert = ends && s.tls.credentialName ? certificate(server, pod, s.tls.credentialName) : null;
      if (listens === null || (ends && mode !== 'ISTIO_MUTUAL' && !cert)) return [];
      const split = (s.hosts as string[]).map(h => (h.includes('/') ? h.split('/') : ['*', h]));
      // Two that say the same: the older one has it.
      const hosts = split.filter(([ns, h]) => {
        const key = `${listens} ${mode} ${ns}/${h} ${protocol === 'HTTP' ? `${g.metadata.namespace}/${g.metadata.name}` : ''}`;
        return seen.has(key) ? false : !!seen.add(key);
      });
      if (!hosts.length) return [];
      return [
        {
          gateway: `${g.metadata.namespace}/${g.metadata.name}`,
          port: s.port.number,
          listens,
          protocol,
          hosts: hosts.map(([, h]) => h),
          namespaces: hosts.map(([ns]) => (ns === '.' ? (g.metadata.namespace ?? '') : ns)),
          tls: mode,
          certificate: cert,
          authority: mode === 'MUTUAL' ? authorityOf(server, pod, s.tls.credentialName ?? '') : null,
          redirects: !!s.tls?.httpsRedirect,
        },
      ];
    }),
  );
}

/** Of a proxy that was made for a Gateway of the Gateway API: its listeners. null: it is no such proxy */
function apiServers(server: ApiServer, pod: KubeObject): Server[] | null {
  const gateway = gatewayOf(server, pod);
  if (!gateway) return null;
  return translate(server, gateway).listeners.flatMap((l): Server[] => {
    if (!l.refs.ok) return [];
    return [
      {
        gateway: API_GATEWAY,
        port: l.port,
        listens: l.port,
        protocol: PROTOCOLS[l.protocol] ?? 'TCP',
        hosts: [l.hostname || '*'],
        namespaces: ['*'],
        tls: l.certificate ? 'SIMPLE' : null,
        certificate: l.certificate,
        authority: null,
        redirects: false,
      },
    ];
  });
}

/** The rule for a request to such a proxy. null: none fits */
export function apiRule(server: ApiServer, pod: KubeObject, port: number, asked: AskedRule): Rule | null {
  const gateway = gatewayOf(server, pod);
  return gateway && ruleFor(translate(server, gateway).listeners, port, asked);
}

/** The server's host that a VirtualService of this namespace may have for a name. */
export const admits = (s: Server, host: string, namespace: string): boolean =>
  s.hosts.some((h, i) => coversHost(h, host) && (s.namespaces[i] === '*' || s.namespaces[i] === namespace));

/** VirtualServices that are bound to a server and speak of a host: those with the most specific name, the oldest first. */
export function boundTo(server: ApiServer, s: Server, host: string): KubeObject[] {
  const rated = virtualServices(server, s.gateway, null).flatMap(vs => {
    const ranks = hostsOf(vs)
      .filter(h => coversHost(h, host) && s.hosts.some(own => coversHost(own, h) || coversHost(h, own)))
      .filter(() => admits(s, host, vs.metadata.namespace ?? ''))
      .map(h => (h === host ? 1e6 : h.length));
    return ranks.length ? [{ vs, rank: Math.max(...ranks) }] : [];
  });
  const best = Math.max(...rated.map(r => r.rank));
  return rated.filter(r => r.rank === best).map(r => r.vs);
}

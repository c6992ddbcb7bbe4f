// describe of Services, endpoints, Ingresses and NetworkPolicies (k8s.io/kubectl v0.36.3, pkg/describe/describe.go).

import { formatLabelSelector } from '../../apiserver/labels.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { type Cmd, connect } from '../command.ts';
import { isFailure } from '../failure.ts';
import { mappingFor } from '../mapping.ts';
import { getObject, listObjects } from '../requests.ts';
import { goTime, rfc1123z } from '../time.ts';
import { describeEvents } from './events.ts';
import { annotationsMultiline, type Description, formatLabels, labelsMultiline, orNone, put } from './writer.ts';

type Describe = (cmd: Cmd, d: Description, o: KubeObject, events: KubeObject[] | null) => void;

function head(d: Description, o: KubeObject, namespaced = true): void {
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  if (namespaced) put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
}

const slicesOf = (cmd: Cmd, namespace: string, service: string): KubeObject[] =>
  listObjects(cmd, mappingFor(connect(cmd), 'endpointslices.discovery.k8s.io'), namespace, {
    labelSelector: `kubernetes.io/service-name=${service}`,
  });

const joinHostPort = (host: string, port: unknown) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** formatEndpointSlices: three ready addresses, then how many more. */
function formatSlices(slices: KubeObject[], portName: string): string {
  if (!slices.length) return '<none>';
  const list: string[] = [];
  let [more, count] = [false, 0];
  const add = (endpoint: any, port: any): void => {
    if (list.length === 3) more = true;
    if (endpoint.conditions?.ready === false) return;
    if (!more) list.push(port === null ? endpoint.addresses[0] : joinHostPort(endpoint.addresses[0], port));
    count++;
  };
  for (const s of slices) {
    if (!(s as any).ports?.length) for (const e of (s as any).endpoints ?? []) add(e, null);
    else for (const p of (s as any).ports) if ((p.name ?? '') === portName) for (const e of (s as any).endpoints ?? []) add(e, p.port);
  }
  return more ? `${list.join(',')} + ${count - 3} more...` : list.join(',');
}

export const describeService: Describe = (cmd, d, o, events) => {
  const { spec, status = {} } = o;
  head(d, o);
  put(d, 0, `Selector:\t${formatLabels(spec.selector)}\n`);
  put(d, 0, `Type:\t${spec.type ?? ''}\n`);
  if (spec.ipFamilyPolicy) put(d, 0, `IP Family Policy:\t${spec.ipFamilyPolicy}\n`);
  put(d, 0, `IP Families:\t${spec.ipFamilies?.length ? spec.ipFamilies.join(',') : '<none>'}\n`);
  put(d, 0, `IP:\t${spec.clusterIP ?? ''}\n`);
  put(d, 0, `IPs:\t${spec.clusterIPs?.length ? spec.clusterIPs.join(',') : '<none>'}\n`);
  if (spec.externalIPs?.length) put(d, 0, `External IPs:\t${spec.externalIPs.join(',')}\n`);
  if (spec.loadBalancerIP) put(d, 0, `Desired LoadBalancer IP:\t${spec.loadBalancerIP}\n`);
  if (spec.externalName) put(d, 0, `External Name:\t${spec.externalName}\n`);
  const ingress = status.loadBalancer?.ingress ?? [];
  if (ingress.length)
    put(
      d,
      0,
      `LoadBalancer Ingress:\t${ingress.map((i: any) => (i.ip ? `${i.ip}${i.ipMode ? ` (${i.ipMode})` : ''}` : (i.hostname ?? ''))).join(', ')}\n`,
    );
  const slices = slicesOf(cmd, o.metadata.namespace ?? '', o.metadata.name);
  for (const p of spec.ports ?? []) {
    const name = p.name || '<unset>';
    put(d, 0, `Port:\t${name}\t${p.port}/${p.protocol}\n`);
    put(d, 0, `TargetPort:\t${p.targetPort ?? 0}/${p.protocol}\n`);
    if (p.appProtocol) put(d, 0, `AppProtocol:\t${p.appProtocol}\n`);
    if (p.nodePort) put(d, 0, `NodePort:\t${name}\t${p.nodePort}/${p.protocol}\n`);
    put(d, 0, `Endpoints:\t${formatSlices(slices, p.name ?? '')}\n`);
  }
  put(d, 0, `Session Affinity:\t${spec.sessionAffinity ?? ''}\n`);
  if (spec.externalTrafficPolicy) put(d, 0, `External Traffic Policy:\t${spec.externalTrafficPolicy}\n`);
  if (spec.internalTrafficPolicy) put(d, 0, `Internal Traffic Policy:\t${spec.internalTrafficPolicy}\n`);
  if (spec.healthCheckNodePort) put(d, 0, `HealthCheck NodePort:\t${spec.healthCheckNodePort}\n`);
  if (spec.loadBalancerSourceRanges?.length) put(d, 0, `LoadBalancer Source Ranges:\t${spec.loadBalancerSourceRanges.join(',')}\n`);
  if (spec.trafficDistribution) put(d, 0, `Traffic Distribution:\t${spec.trafficDistribution}\n`);
  describeEvents(cmd, d, events);
};

export const describeEndpoints: Describe = (cmd, d, o, events) => {
  head(d, o);
  put(d, 0, 'Subsets:\n');
  for (const s of (o as any).subsets ?? []) {
    const ips = (list: any[] | undefined) => (list ?? []).map(a => a.ip).join(',') || '<none>';
    put(d, 1, `Addresses:\t${ips(s.addresses)}\n`);
    put(d, 1, `NotReadyAddresses:\t${ips(s.notReadyAddresses)}\n`);
    if (s.ports?.length) {
      put(d, 1, 'Ports:\n');
      put(d, 2, 'Name\tPort\tProtocol\n');
      put(d, 2, '----\t----\t--------\n');
      for (const p of s.ports) put(d, 2, `${p.name || '<unset>'}\t${p.port}\t${p.protocol ?? 'TCP'}\n`);
    }
    put(d, 0, '\n');
  }
  describeEvents(cmd, d, events);
};

export const describeEndpointSlice: Describe = (cmd, d, o, events) => {
  const s = o as any;
  head(d, o);
  put(d, 0, `AddressType:\t${s.addressType}\n`);
  if (!s.ports?.length) put(d, 0, 'Ports: <unset>\n');
  else {
    put(d, 0, 'Ports:\n');
    put(d, 1, 'Name\tPort\tProtocol\n');
    put(d, 1, '----\t----\t--------\n');
    for (const p of s.ports) put(d, 1, `${p.name || '<unset>'}\t${p.port ?? '<unset>'}\t${p.protocol ?? 'TCP'}\n`);
  }
  if (!s.endpoints?.length) put(d, 0, 'Endpoints: <none>\n');
  else {
    put(d, 0, 'Endpoints:\n');
    for (const e of s.endpoints) {
      put(d, 1, `- Addresses:\t${(e.addresses ?? []).join(', ') || '<none>'}\n`);
      put(d, 2, 'Conditions:\n');
      put(d, 3, `Ready:\t${e.conditions?.ready ?? '<unset>'}\n`);
      put(d, 2, `Hostname:\t${e.hostname ?? '<unset>'}\n`);
      if (e.targetRef) put(d, 2, `TargetRef:\t${e.targetRef.kind ?? ''}/${e.targetRef.name ?? ''}\n`);
      put(d, 2, `NodeName:\t${e.nodeName ?? '<unset>'}\n`);
      put(d, 2, `Zone:\t${e.zone ?? '<unset>'}\n`);
    }
  }
  describeEvents(cmd, d, events);
};

function backendText(cmd: Cmd, ns: string, backend: any): string {
  if (backend.service) {
    const { name, port = {} } = backend.service;
    const text = `${name}:${port.number || port.name || ''}`;
    const slices = slicesOf(cmd, ns, name);
    const service = getObject(cmd, mappingFor(connect(cmd), 'services'), ns, name);
    if (isFailure(service)) return `${text} (<error: ${service.message}>)`;
    let portName = '';
    for (const p of service.spec.ports ?? [])
      if ((port.number && port.number === p.port) || (port.name && port.name === p.name)) portName = p.name ?? '';
    return `${text} (${formatSlices(slices, portName)})`;
  }
  if (backend.resource)
    return `APIGroup: ${backend.resource.apiGroup ?? '<none>'}, Kind: ${backend.resource.kind}, Name: ${backend.resource.name}`;
  return '';
}

export const describeIngress: Describe = (cmd, d, o, events) => {
  const { spec, metadata } = o;
  const ns = metadata.namespace ?? '';
  put(d, 0, `Name:\t${metadata.name}\n`);
  labelsMultiline(d, 'Labels', metadata.labels);
  put(d, 0, `Namespace:\t${ns}\n`);
  const addresses = (o.status?.loadBalancer?.ingress ?? []).map((i: any) => i.ip || i.hostname).filter(Boolean);
  put(d, 0, `Address:\t${[...new Set(addresses)].sort().join(',')}\n`);
  put(d, 0, `Ingress Class:\t${spec.ingressClassName ?? '<none>'}\n`);
  const fallback = spec.defaultBackend ? backendText(cmd, ns, spec.defaultBackend) : '<default>';
  put(d, 0, `Default backend:\t${fallback}\n`);
  if (spec.tls?.length) {
    put(d, 0, 'TLS:\n');
    for (const t of spec.tls) {
      const hosts = (t.hosts ?? []).join(',');
      put(d, 1, t.secretName ? `${t.secretName} terminates ${hosts}\n` : `SNI routes ${hosts}\n`);
    }
  }
  put(d, 0, 'Rules:\n  Host\tPath\tBackends\n');
  put(d, 1, '----\t----\t--------\n');
  let count = 0;
  for (const r of spec.rules ?? []) {
    if (!r.http) continue;
    count++;
    put(d, 1, `${r.host || '*'}\t\n`);
    for (const p of r.http.paths ?? []) put(d, 2, `\t${p.path ?? ''} \t${backendText(cmd, ns, p.backend)}\n`);
  }
  if (!count) put(d, 1, `*\t*\t${fallback}\n`);
  annotationsMultiline(d, 'Annotations', metadata.annotations);
  describeEvents(cmd, d, events);
};

export const describeIngressClass: Describe = (cmd, d, o, events) => {
  head(d, o, false);
  put(d, 0, `Controller:\t${o.spec?.controller ?? ''}\n`);
  const p = o.spec?.parameters;
  if (p) {
    put(d, 0, 'Parameters:\n');
    if (p.apiGroup) put(d, 1, `APIGroup:\t${p.apiGroup}\n`);
    put(d, 1, `Kind:\t${p.kind}\n`);
    put(d, 1, `Name:\t${p.name}\n`);
  }
  describeEvents(cmd, d, events);
};

export const describeServiceCIDR: Describe = (cmd, d, o, events) => {
  head(d, o, false);
  put(d, 0, `CIDRs:\t${(o.spec?.cidrs ?? []).join(', ')}\n`);
  if (o.status?.conditions?.length) {
    put(d, 0, 'Status:\n');
    put(d, 0, 'Conditions:\n');
    put(d, 1, 'Type\tStatus\tLastTransitionTime\tReason\tMessage\n');
    put(d, 1, '----\t------\t------------------\t------\t-------\n');
    for (const c of o.status.conditions)
      put(d, 1, `${c.type}\t${c.status}\t${rfc1123z(c.lastTransitionTime)}\t${c.reason ?? ''}\t${c.message ?? ''}\n`);
  }
  describeEvents(cmd, d, events);
};

export const describeIPAddress: Describe = (cmd, d, o, events) => {
  head(d, o, false);
  const p = o.spec?.parentRef;
  if (p) {
    put(d, 0, 'Parent Reference:\n');
    for (const [title, v] of [
      ['Group', p.group],
      ['Resource', p.resource],
      ['Namespace', p.namespace],
      ['Name', p.name],
    ])
      put(d, 1, `${title}:\t${v ?? ''}\n`);
  }
  describeEvents(cmd, d, events);
};

// ----------------------------------------------------------- NetworkPolicy

export const describeNetworkPolicy: Describe = (_cmd, d, o) => {
  const spec = o.spec ?? {};
  put(d, 0, `Name:\t${o.metadata.name}\n`);
  put(d, 0, `Namespace:\t${o.metadata.namespace}\n`);
  put(d, 0, `Created on:\t${goTime(o.metadata.creationTimestamp)}\n`);
  labelsMultiline(d, 'Labels', o.metadata.labels);
  annotationsMultiline(d, 'Annotations', o.metadata.annotations);
  put(d, 0, 'Spec:\n');
  put(d, 1, 'PodSelector: ');
  const selector = formatLabelSelector(spec.podSelector ?? {});
  put(d, 2, selector === '<none>' ? '<none> (Allowing the specific traffic to all pods in this namespace)\n' : `${selector}\n`);
  const types: string[] = spec.policyTypes ?? [];
  if (types.includes('Ingress')) {
    put(d, 1, 'Allowing ingress traffic:\n');
    policyRules(d, spec.ingress ?? [], 'ingress');
  } else put(d, 1, 'Not affecting ingress traffic\n');
  if (types.includes('Egress')) {
    put(d, 1, 'Allowing egress traffic:\n');
    policyRules(d, spec.egress ?? [], 'egress');
  } else put(d, 1, 'Not affecting egress traffic\n');
  put(d, 1, `Policy Types: ${orNone(types.join(', '))}\n`);
};

function policyRules(d: Description, rules: any[], direction: 'ingress' | 'egress'): void {
  const at = '    ';
  if (!rules.length) {
    put(d, 0, `${at}<none> (Selected pods are isolated for ${direction} connectivity)\n`);
    return;
  }
  const [word, what] = direction === 'ingress' ? ['From', 'source'] : ['To', 'destination'];
  rules.forEach((rule, i) => {
    if (!rule.ports?.length) put(d, 0, `${at}To Port: <any> (traffic allowed to all ports)\n`);
    for (const p of rule.ports ?? []) {
      const protocol = p.protocol ?? 'TCP';
      put(
        d,
        0,
        p.endPort === undefined
          ? `${at}To Port: ${p.port ?? '<nil>'}/${protocol}\n`
          : `${at}To Port Range: ${p.port}-${p.endPort}/${protocol}\n`,
      );
    }
    const peers = (direction === 'ingress' ? rule.from : rule.to) ?? [];
    if (!peers.length) put(d, 0, `${at}${word}: <any> (traffic not restricted by ${what})\n`);
    for (const peer of peers) {
      put(d, 0, `${at}${word}:\n`);
      if (peer.namespaceSelector) put(d, 1, `${at}NamespaceSelector: ${formatLabelSelector(peer.namespaceSelector)}\n`);
      if (peer.podSelector) put(d, 1, `${at}PodSelector: ${formatLabelSelector(peer.podSelector)}\n`);
      if (!peer.namespaceSelector && !peer.podSelector && peer.ipBlock) {
        put(d, 1, `${at}IPBlock:\n`);
        put(d, 2, `${at}CIDR: ${peer.ipBlock.cidr}\n`);
        put(d, 2, `${at}Except: ${(peer.ipBlock.except ?? []).join(', ')}\n`);
      }
    }
    if (i !== rules.length - 1) put(d, 0, `${at}----------\n`);
  });
}

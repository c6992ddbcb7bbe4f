// /etc/hosts, /etc/hostname and /etc/resolv.conf of a pod (pkg/kubelet/kubelet_pods.go, pkg/kubelet/network/dns/dns.go v1.36; containerd writes them).

import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import type { Kubelet } from './types.ts';

export interface DnsConfig {
  servers: string[];
  searches: string[];
  options: string[];
}

/** The parts of a resolv.conf that the kubelet takes over. */
export function parseResolvConf(text: string): DnsConfig {
  const out: DnsConfig = { servers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    if (word === 'nameserver' && rest.length) out.servers.push(rest[0]);
    // Normalizing fields as glibc: the last `search` wins, a trailing dot goes; options add up.
    else if (word === 'search') out.searches = rest.filter(s => s !== '.').map(s => s.replace(/\.$/, ''));
    else if (word === 'options') out.options.push(...rest);
  }
  return out;
}

const unique = (list: string[]) => [...new Set(list)];

export interface DnsInput {
  namespace: string;
  policy: string;
  hostNetwork: boolean;
  dnsConfig?: { nameservers?: string[]; searches?: string[]; options?: { name: string; value?: string }[] };
}

/** GetPodDNS before its limits: by policy, then the pod's own dnsConfig on top. */
export function podDns(input: DnsInput, host: DnsConfig, clusterDNS: string[], clusterDomain: string): DnsConfig {
  let dns: DnsConfig = { servers: [...host.servers], searches: [...host.searches], options: [...host.options] };
  const cluster = input.policy === 'ClusterFirstWithHostNet' || ((input.policy || 'ClusterFirst') === 'ClusterFirst' && !input.hostNetwork);
  if (input.policy === 'None') dns = { servers: [], searches: [], options: [] };
  else if (cluster && clusterDNS.length) {
    const own = clusterDomain ? [`${input.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain] : [];
    dns = { servers: [...clusterDNS], searches: unique([...own, ...host.searches]), options: ['ndots:5'] };
  }
  const extra = input.dnsConfig;
  if (extra) {
    dns.servers = unique([...dns.servers, ...(extra.nameservers ?? [])]);
    dns.searches = unique([...dns.searches, ...(extra.searches ?? [])]);
    dns.options = mergeOptions(dns.options, extra.options ?? []);
  }
  return dns;
}

function mergeOptions(have: string[], more: { name: string; value?: string }[]): string[] {
  const values = new Map<string, string>();
  for (const o of have) {
    const colon = o.indexOf(':');
    if (colon < 0) values.set(o, '');
    else values.set(o.slice(0, colon), o.slice(colon + 1));
  }
  for (const o of more) values.set(o.name, o.value ?? '');
  return [...values].map(([k, v]) => (v ? `${k}:${v}` : k));
}

const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;

/** formDNSConfigFitsLimits. -> what was cut, in the event's words */
export function fitLimits(dns: DnsConfig): string[] {
  const cut: string[] = [];
  if (dns.servers.length > MAX_SERVERS) {
    dns.servers = dns.servers.slice(0, MAX_SERVERS);
    cut.push(
      `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${dns.servers.join(' ')}`,
    );
  }
  const before = dns.searches.length;
  dns.searches = dns.searches.slice(0, MAX_SEARCHES).filter(s => s.length <= 253);
  while (dns.searches.join(' ').length > MAX_SEARCH_CHARS) dns.searches.pop();
  if (dns.searches.length < before) {
    cut.push(
      `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${dns.searches.join(' ')}`,
    );
  }
  return cut;
}

export function resolvConf(dns: DnsConfig): string {
  let out = '';
  if (dns.searches.length) out += `search ${dns.searches.join(' ')}\n`;
  for (const s of dns.servers) out += `nameserver ${s}\n`;
  if (dns.options.length) out += `options ${dns.options.join(' ')}\n`;
  return out;
}

export function podResolvConf(k: Kubelet, pod: KubeObject, told = false): string {
  const host = parseResolvConf(k.deps.hostResolvConf?.() ?? '');
  const input = {
    namespace: pod.metadata.namespace as string,
    policy: pod.spec.dnsPolicy,
    hostNetwork: !!pod.spec.hostNetwork,
    dnsConfig: pod.spec.dnsConfig,
  };
  const read = k.deps.dnsOf?.(pod);
  const dns = podDns(input, host, read?.servers ?? k.deps.clusterDNS, read?.domain ?? k.deps.clusterDomain);
  for (const message of fitLimits(dns)) if (told) recordEvent(k.recorder, pod, 'Warning', 'DNSConfigForming', message);
  return resolvConf(dns);
}

function aliases(list: { ip: string; hostnames?: string[] }[] | undefined): string {
  if (!list?.length) return '';
  return `\n# Entries added by HostAliases.\n${list.map(a => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('')}`;
}

export interface HostsInput {
  ips: string[];
  hostname: string;
  domain: string;
  hostAliases?: { ip: string; hostnames?: string[] }[];
}

export function managedHosts(h: HostsInput): string {
  const names = h.domain ? `${h.hostname}.${h.domain}\t${h.hostname}` : h.hostname;
  return `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${h.ips.map(ip => `${ip}\t${names}\n`).join('')}${aliases(h.hostAliases)}`;
}

export const hostNetworkHosts = (nodeHosts: string, hostAliases?: HostsInput['hostAliases']): string =>
  `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliases(hostAliases)}`;

/** GeneratePodHostNameAndDomain. */
function hostnameAndDomain(pod: KubeObject, clusterDomain: string): { hostname: string; domain: string } {
  const hostname = (pod.spec.hostnameOverride || pod.spec.hostname || pod.metadata.name).slice(0, 63).replace(/[-.]+$/, '');
  const domain =
    pod.spec.subdomain && !pod.spec.hostnameOverride ? `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : '';
  return { hostname, domain };
}

/** What the UTS namespace is called: the node's name for hostNetwork, the FQDN for setHostnameAsFQDN. */
export function utsHostname(k: Kubelet, pod: KubeObject): string {
  if (pod.spec.hostNetwork) return k.nodeName;
  const { hostname, domain } = hostnameAndDomain(pod, k.deps.clusterDomain);
  return pod.spec.setHostnameAsFQDN && domain ? `${hostname}.${domain}` : hostname;
}

export function podHosts(k: Kubelet, pod: KubeObject, ips: string[]): string {
  if (pod.spec.hostNetwork) {
    const own = k.deps.hostHosts?.() ?? `127.0.0.1\tlocalhost\n${k.deps.node.addresses.map(a => `${a}\t${k.nodeName}\n`).join('')}`;
    return hostNetworkHosts(own, pod.spec.hostAliases);
  }
  return managedHosts({ ips, ...hostnameAndDomain(pod, k.deps.clusterDomain), hostAliases: pod.spec.hostAliases });
}

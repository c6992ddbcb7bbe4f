// What a proxier of one family is configured with: cmd/kube-proxy/app/server_linux.go and pkg/proxy/util of v1.36.3.
import type { KubeObject } from '../apiserver/types.ts';
import { type Family, formatCidr, network, parseCidr } from '../wire/ip.ts';
import type { KubeProxyConfiguration } from './configuration.ts';
import { ofFamily } from './serviceport.ts';

export interface RuleSettings {
  family: Family;
  nodeName: string;
  nodeIP: string | null;
  zone: string;
  /** `0x00004000` */
  mark: string;
  masqueradeAll: boolean;
  localhostNodePorts: boolean;
  /** iptables arguments that match traffic from a pod; '' without a local detector. */
  detectLocal: string;
  detectNotLocal: string;
  /** null: all local addresses. */
  nodePortCIDRs: string[] | null;
  dropInvalid: boolean;
  externalIPs: boolean;
  /** Only the nftables mode: how local traffic is told, and the Services' own networks. */
  nft: { local: string; notLocal: string; serviceCIDRs: string[] };
}

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map(t => t.trim())
    .filter(t => t);

/** proxyutil.LocalTrafficDetector: [match, not match] */
function localDetector(config: KubeProxyConfiguration, node: KubeObject | null, family: Family): [string, string] {
  const byCidr = (cidrs: string[]): [string, string] => {
    const first = cidrs.filter(c => ofFamily(c, family)).flatMap(c => parseCidr(c) ?? [])[0];
    const text = first ? formatCidr(network(first)) : '';
    return text ? [`-s ${text}`, `! -s ${text}`] : ['', ''];
  };
  const byInterface = (name: string): [string, string] => [`-i ${name}`, `! -i ${name}`];
  switch (config.detectLocalMode || 'ClusterCIDR') {
    case 'NodeCIDR':
      return byCidr(node?.spec?.podCIDRs ?? list(node?.spec?.podCIDR));
    case 'BridgeInterface':
      return byInterface(config.detectLocal?.bridgeInterface ?? '');
    case 'InterfaceNamePrefix':
      return byInterface(`${config.detectLocal?.interfaceNamePrefix ?? ''}+`);
    default:
      return byCidr(list(config.clusterCIDR));
  }
}

/** The node's own addresses, the primary first. */
function nodeAddresses(node: KubeObject | null): string[] {
  const all = (node?.status?.addresses ?? []) as { type: string; address: string }[];
  const of = (type: string) => all.filter(a => a.type === type).map(a => a.address);
  return [...of('InternalIP'), ...of('ExternalIP')];
}

/** The CIDRs of one family where nodePorts answer; null: all addresses. `primary` is the node's own. */
export function nodePortCIDRs(config: KubeProxyConfiguration, node: KubeObject | null, family: Family): string[] | null {
  let cidrs = config.nodePortAddresses ?? [];
  if (cidrs.length === 1 && cidrs[0] === 'primary') {
    const ips = [4, 6].flatMap(f => nodeAddresses(node).filter(a => ofFamily(a, f as Family))[0] ?? []);
    cidrs = ips.map(ip => `${ip}/${ip.includes(':') ? 128 : 32}`);
  }
  const mine = cidrs.filter(c => ofFamily(c, family));
  return !mine.length || mine.some(c => /\/0+$/.test(c)) ? null : mine;
}

const containsLoopback = (cidrs: string[] | null) => cidrs === null || cidrs.some(c => c.startsWith('127.'));

/** The same detector in nftables' words. */
function nftDetector(iptables: string, family: Family): { local: string; notLocal: string } {
  const [option, value] = iptables.split(' ');
  if (!value) return { local: '', notLocal: '' };
  const what = option === '-s' ? `${family === 4 ? 'ip' : 'ip6'} saddr` : 'iifname';
  const name = option === '-s' ? value : `"${value.replace(/\+$/, '*')}"`;
  return { local: `${what} ${name}`, notLocal: `${what} != ${name}` };
}

export function ruleSettings(
  config: KubeProxyConfiguration,
  node: KubeObject | null,
  nodeName: string,
  family: Family,
  tcpBeLiberal: boolean,
  serviceCIDRs: string[] = [],
): RuleSettings {
  const [detectLocal, detectNotLocal] = localDetector(config, node, family);
  const nftables = config.mode === 'nftables';
  const addresses = nftables && !config.nodePortAddresses?.length ? ['primary'] : config.nodePortAddresses;
  const cidrs = nodePortCIDRs({ ...config, nodePortAddresses: addresses }, node, family);
  const own = nftables ? config.nftables : config.iptables;
  const bit = own?.masqueradeBit ?? 14;
  return {
    family,
    nodeName,
    nodeIP: nodeAddresses(node).find(a => ofFamily(a, family)) ?? null,
    zone: node?.metadata.labels?.['topology.kubernetes.io/zone'] ?? '',
    mark: `0x${((1 << bit) >>> 0).toString(16).padStart(8, '0')}`,
    masqueradeAll: config.linux?.masqueradeAll ?? own?.masqueradeAll ?? false,
    localhostNodePorts:
      !nftables && config.mode !== 'ipvs' && family === 4 && (config.iptables?.localhostNodePorts ?? true) && containsLoopback(cidrs),
    detectLocal,
    detectNotLocal,
    nodePortCIDRs: cidrs,
    dropInvalid: !tcpBeLiberal,
    externalIPs: config.featureGates?.['AllowServiceExternalIPs'] ?? true,
    nft: { ...nftDetector(detectLocal, family), serviceCIDRs: serviceCIDRs.filter(c => ofFamily(c, family)) },
  };
}

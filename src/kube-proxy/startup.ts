// What kube-proxy says when it starts, or why it does not (cmd/kube-proxy/app and pkg/proxy, v1.36.3). Of the sysctls it tells what it has set
// here: nf_conntrack_max stays as the machine has it, so nothing is said of it.

import { complain } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import { goQuote } from '../sim/quote.ts';
import { klogStamp } from '../sim/time.ts';
import { parseCidr, parseIp } from '../wire/ip.ts';
import type { KubeProxyConfiguration } from './configuration.ts';
import type { KubeProxy } from './types.ts';

/** One line of klog on standard error; in its container it is process 1. Where nobody keeps it, it is not made. */
function klog(p: Process, severity: 'I' | 'E', where: string, text: string): void {
  complain(p, p.stderr.dropsLine?.() ? '\n' : `${severity}${klogStamp(p.kernel.sim.nowMs)}       1 ${where}] ${text}\n`);
}

const MODES = ['iptables', 'ipvs', 'nftables'];
const LOCAL_MODES = ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix', ''];

/** What validation.go has against it. */
function invalidFields(c: KubeProxyConfiguration): string[] {
  const errors: string[] = [];
  const invalid = (field: string, value: unknown, why: string) =>
    void errors.push(`KubeProxyConfiguration.${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
  if (c.mode && !MODES.includes(c.mode))
    invalid('Mode.ProxyMode', c.mode, `must be ${MODES.join(', ')} or blank (blank means the best-available proxy [currently iptables])`);
  const bind = (c.bindAddress as string | undefined) || '0.0.0.0';
  if (!parseIp(bind)) invalid('BindAddress', bind, 'not a valid textual representation of an IP address');
  const ports = c.nodePortAddresses ?? [];
  for (const [i, address] of ports.entries()) {
    if (address === 'primary') {
      if (ports.length > 1) invalid(`NodePortAddresses[${i}]`, address, "can't use both 'primary' and CIDRs");
      break;
    }
    if (!parseCidr(address)) invalid(`NodePortAddresses[${i}]`, address, 'must be a valid CIDR');
  }
  if (!LOCAL_MODES.includes(c.detectLocalMode ?? ''))
    errors.push(
      `KubeProxyConfiguration.DetectLocalMode: Unsupported value: ${goQuote(c.detectLocalMode ?? '')}: supported values: "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix", ""`,
    );
  return errors;
}

/** null: the configuration may be used. Otherwise why not; it has been said. */
export function refusal(p: Process, c: KubeProxyConfiguration | { error: string }): string | null {
  const errors = 'error' in c && typeof c.error === 'string' ? [c.error] : invalidFields(c as KubeProxyConfiguration);
  if (!errors.length) return null;
  const all = errors.length > 1 ? `[${errors.join(', ')}]` : errors[0];
  const error = 'error' in c ? all : `failed validate: ${all}`;
  klog(p, 'E', 'run.go:72', `"command failed" err=${goQuote(error)}`);
  return error;
}

function proxierLines(p: Process, { config: c, proxiers }: KubeProxy): void {
  if (c.mode === 'nftables') {
    klog(p, 'I', 'server_linux.go:254', '"Using nftables Proxier"');
    return;
  }
  if (c.mode === 'ipvs') {
    klog(p, 'I', 'server_linux.go:194', '"Using ipvs Proxier"');
    const deprecated = `"The ipvs proxier is now deprecated and may be removed in a future release. Please use 'nftables' instead."`;
    klog(p, 'E', 'server_linux.go:196', deprecated);
    if (!c.ipvs?.scheduler)
      for (const family of ['IPv4', 'IPv6'])
        klog(p, 'I', 'proxier.go:351', `"IPVS scheduler not specified, use rr by default" ipFamily="${family}"`);
    return;
  }
  klog(p, 'I', 'server_linux.go:137', '"Using iptables Proxier"');
  if (proxiers.some(x => x.settings.localhostNodePorts))
    klog(
      p,
      'I',
      'proxier.go:241',
      '"Setting route_localnet=1 to allow node-ports on localhost; to change this either disable iptables.localhostNodePorts (--iptables-localhost-nodeports) or set nodePortAddresses (--nodeport-addresses) to filter loopback addresses" ipFamily="IPv4"',
    );
}

/** All of it at once: the second that it really takes would put off what is observable of its rules. */
export function sayStart(p: Process, proxy: KubeProxy): void {
  const { config: c, node } = proxy;
  const info = (where: string, text: string) => klog(p, 'I', where, text);
  const ips = (node?.status?.addresses ?? []).filter((a: any) => a.type === 'InternalIP').map((a: any) => a.address as string);
  if (!c.mode) info('server_linux.go:49', '"Using iptables proxy"');
  info('shared_informer.go:402', '"Waiting for caches to sync"');
  info('shared_informer.go:409', '"Caches are synced"');
  info('server.go:228', `"Successfully retrieved NodeIPs" NodeIPs=${JSON.stringify(ips)}`);
  if (c.mode !== 'nftables' && !c.nodePortAddresses?.length)
    klog(
      p,
      'E',
      'server.go:265',
      '"Kube-proxy configuration may be incomplete or incorrect" err="nodePortAddresses is unset; NodePort connections will be accepted on all local IPs. Consider using `--nodeport-addresses primary`"',
    );
  info('server.go:274', `"kube-proxy running in dual-stack mode" primary ipFamily="${ips[0]?.includes(':') ? 'IPv6' : 'IPv4'}"`);
  proxierLines(p, proxy);
  info('server.go:539', '"Version info" version="v1.36.3"');
  info('server.go:541', '"Golang settings" GOGC="" GOMAXPROCS="" GOTRACEBACK=""');
  const controllers: [string, string][] = [
    ['config.go:200', 'service config'],
    ['config.go:106', 'endpoint slice config'],
    ['config.go:403', 'serviceCIDR config'],
    ['config.go:309', 'node config'],
  ];
  for (const [where, name] of controllers) {
    info(where, `"Starting ${name} controller"`);
    info('shared_informer.go:381', `"Waiting for caches to sync" controller="${name}"`);
  }
  for (const [, name] of controllers) info('shared_informer.go:388', `"Caches are synced" controller="${name}"`);
}

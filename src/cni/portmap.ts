// hostPort: the portmap plugin's chains (github.com/containernetworking/plugins v1.9.1 plugins/meta/portmap/portmap_iptables.go, utils.go).
import { deleteEntries } from '../linux/netfilter/conntrack.ts';
import { lookupRoute } from '../linux/route.ts';
import { setSysctl } from '../linux/sysctl.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha512 } from '../sim/sha512.ts';
import { type Family, formatCidr, ip, network, parseIp } from '../wire/ip.ts';
import { applyRules, hasChain, hasJump } from './iptables.ts';
import { toCidr } from './plumbing.ts';
import type { CniNode, PodSandbox, PortMapping } from './types.ts';

const MARK = '0x2000/0x2000';
const MULTIPORT_MAX = 15;

/** `CNI-DN-` and as many digits of the hash as fit in 28 characters (pkg/utils/utils.go). */
export const chainName = (prefix: string, network: string, id: string): string =>
  `CNI-${prefix}${hex(sha512(stringToBytes(network + id))).slice(0, 24 - prefix.length)}`;

const bare = (address: string) => address.replace(/\/.*/, '');

function ownMappings(mappings: PortMapping[], family: Family): PortMapping[] {
  return mappings.filter(m => {
    const host = m.hostIP ? parseIp(m.hostIP) : null;
    return !host || (host.length === 4 ? 4 : 6) === family;
  });
}

/** The rules that lead to the pod's own chain: one per protocol and fifteen ports. */
function entryRules(mappings: PortMapping[], name: string, id: string, chain: string): string[] {
  const out: string[] = [];
  for (const protocol of ['tcp', 'udp', 'sctp'] as const) {
    const ports = [...new Set(mappings.filter(m => m.protocol === protocol).map(m => m.hostPort))];
    for (let i = 0; i < ports.length; i += MULTIPORT_MAX) {
      const dports = ports.slice(i, i + MULTIPORT_MAX).join(',');
      const comment = `dnat name: \\"${name}\\" id: \\"${id}\\"`;
      out.push(`CNI-HOSTPORT-DNAT -m comment --comment "${comment}" -m multiport -p ${protocol} --destination-ports ${dports} -j ${chain}`);
    }
  }
  return out;
}

function podRules(mappings: PortMapping[], chain: string, address: string): string[] {
  const c = toCidr(address);
  const four = c.ip.length === 4;
  const out: string[] = [];
  for (const m of mappings) {
    const host = m.hostIP ? parseIp(m.hostIP) : null;
    const unspecified = !host || host.every(x => x === 0);
    const match = `-p ${m.protocol} --dport ${m.hostPort}${unspecified ? '' : ` -d ${m.hostIP}`}`;
    // The pod's own subnet needs masquerading, and so does this machine through its loopback.
    out.push(`-A ${chain} ${match} -s ${formatCidr(network(c))} -j CNI-HOSTPORT-SETMARK`);
    if (four) out.push(`-A ${chain} ${match} -s 127.0.0.1 -j CNI-HOSTPORT-SETMARK`);
    const to = four ? `${bare(address)}:${m.containerPort}` : `[${bare(address)}]:${m.containerPort}`;
    out.push(`-A ${chain} ${match} -j DNAT --to-destination ${to}`);
  }
  return out;
}

function topLevel(node: CniNode, family: Family): string[] {
  const ns = node.netns;
  const chains = ['CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-DNAT'];
  const lines = chains.filter(c => !hasChain(ns, family, 'nat', c)).map(c => `:${c} - [0:0]`);
  const made = (c: string) => !hasChain(ns, family, 'nat', c);
  if (made('CNI-HOSTPORT-SETMARK')) {
    lines.push(`-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark ${MARK}`);
  }
  if (made('CNI-HOSTPORT-MASQ')) lines.push(`-A CNI-HOSTPORT-MASQ -m mark --mark ${MARK} -j MASQUERADE`);
  // Before the masquerading rules of the bridge and ptp plugins, which would take the packet first.
  if (!hasJump(ns, family, 'nat', 'POSTROUTING', 'CNI-HOSTPORT-MASQ')) {
    lines.push('-I POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ');
  }
  for (const c of ['PREROUTING', 'OUTPUT']) {
    if (!hasJump(ns, family, 'nat', c, 'CNI-HOSTPORT-DNAT')) lines.push(`-A ${c} -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT`);
  }
  return lines;
}

/** Addresses with their prefix (`10.22.0.5/24`); bare ones are host routes. */
export function addPortMappings(node: CniNode, networkName: string, sandbox: PodSandbox, addresses: string[] = sandbox.ips): void {
  // Most pods have none, and a chain's name is a costly hash.
  if (!sandbox.portMappings.length) return;
  const chain = chainName('DN-', networkName, sandbox.id);
  for (const address of addresses) {
    const family = address.includes(':') ? 6 : 4;
    const mappings = ownMappings(sandbox.portMappings, family);
    if (!mappings.length) continue;
    const lines = [...topLevel(node, family), `:${chain} - [0:0]`, ...podRules(mappings, chain, address)];
    lines.push(...entryRules(mappings, networkName, sandbox.id, chain).map(r => `-A ${r}`));
    applyRules(node.netns, family, 'nat', lines);
    if (family === 4) enableLocalnet(node, address);
    clearUdp(node, mappings);
  }
}

/** A mapping for 127.0.0.1 leads off the loopback, which the kernel allows only where it is told to. */
function enableLocalnet(node: CniNode, address: string): void {
  const found = lookupRoute(node.netns, ip(bare(address)));
  if (typeof found !== 'string') setSysctl(node.netns, `net.ipv4.conf.${found.dev.name}.route_localnet`, '1');
}

/** Flows that began before the mapping was there would bypass it. */
function clearUdp(node: CniNode, mappings: PortMapping[]): void {
  const ports = new Set(mappings.filter(m => m.protocol === 'udp').map(m => m.hostPort));
  if (ports.size) deleteEntries(node.netns, e => e.original.proto === 17 && ports.has(e.original.dport));
}

export function removePortMappings(node: CniNode, networkName: string, sandbox: PodSandbox): void {
  if (!sandbox.portMappings.length) return;
  const chain = chainName('DN-', networkName, sandbox.id);
  for (const family of [4, 6] as const) {
    if (!hasChain(node.netns, family, 'nat', chain)) continue;
    const entries = entryRules(ownMappings(sandbox.portMappings, family), networkName, sandbox.id, chain);
    applyRules(node.netns, family, 'nat', [`:${chain} - [0:0]`, ...entries.map(r => `-D ${r}`), `-X ${chain}`]);
  }
}

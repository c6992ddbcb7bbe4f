// The plugins' nftables backends: plugins v1.9.1 pkg/ip/ipmasq_nftables_linux.go and plugins/meta/portmap/portmap_nftables.go.
import { runNft } from '../../linux/netfilter/nft/commands.ts';
import { tablesOf } from '../../linux/netfilter/nft/hooks.ts';
import type { NftFamily } from '../../linux/netfilter/nft/types.ts';
import type { Netns } from '../../linux/types.ts';
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha512 } from '../../sim/sha512.ts';
import { formatCidr, network, parseIp } from '../../wire/ip.ts';
import { toCidr } from '../plumbing.ts';
import type { PortMapping } from '../types.ts';

const hash = (text: string): string => hex(sha512(stringToBytes(text))).slice(0, 16);

/** Names one interface of one container; what is there of it is found again by its beginning. */
const instance = (net: string, ifName: string, id: string): string => `${hash(net)}-${hash(`${ifName}:${id}`)}`;

const tableOf = (ns: Netns, family: NftFamily, name: string) => tablesOf(ns).find(t => t.family === family && t.name === name);

/** Rules of a chain whose comment the test takes go away. */
function deleteRules(ns: Netns, family: NftFamily, table: string, chain: string, mine: (comment: string) => boolean): void {
  const rules = tableOf(ns, family, table)?.chains.get(chain)?.rules ?? [];
  const text = rules
    .filter(r => mine(r.comment ?? ''))
    .map(r => `delete rule ${family} ${table} ${chain} handle ${r.handle}\n`)
    .join('');
  if (text) runNft(ns, text);
}

const MASQ = 'inet cni_plugins_masquerade';

export function masquerade(ns: Netns, net: string, ifName: string, id: string, addresses: string[]): void {
  removeMasquerades(ns, net, ifName, id);
  let text =
    `add table ${MASQ} { comment "Masquerading for plugins from github.com/containernetworking/plugins" ; }\n` +
    `add chain ${MASQ} masq_checks { comment "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet" ; }\n` +
    `add chain ${MASQ} postrouting { type nat hook postrouting priority srcnat ; }\nflush chain ${MASQ} postrouting\n` +
    `add rule ${MASQ} postrouting ip daddr 224.0.0.0/4 return\nadd rule ${MASQ} postrouting ip6 daddr ff00::/8 return\n` +
    `add rule ${MASQ} postrouting goto masq_checks\n`;
  const comment = `${instance(net, ifName, id)}, net: ${net}, if: ${ifName}, id: ${id}`.slice(0, 128);
  for (const address of addresses) {
    const x = address.includes(':') ? 'ip6' : 'ip';
    const own = address.replace(/\/.*/, '');
    const subnet = formatCidr(network(toCidr(address)));
    text += `add rule ${MASQ} masq_checks ${x} saddr ${own} ${x} daddr != ${subnet} masquerade comment "${comment}"\n`;
  }
  runNft(ns, text);
}

export function removeMasquerades(ns: Netns, net: string, ifName: string, id: string): void {
  const prefix = instance(net, ifName, id);
  deleteRules(ns, 'inet', 'cni_plugins_masquerade', 'masq_checks', comment => comment.startsWith(prefix));
}

export function publish(ns: Netns, family: 4 | 6, id: string, address: string, mappings: PortMapping[], snat: boolean): void {
  unpublish(ns, family, id);
  const x = family === 4 ? 'ip' : 'ip6';
  const t = `${x} cni_hostport`;
  const chain = (name: string, body = '') => `add chain ${t} ${name}${body}\n`;
  const base = (name: string, hook: string, priority: number) =>
    chain(name, ` { type nat hook ${hook} priority ${priority} ; }`) +
    `flush chain ${t} ${name}\nadd rule ${t} ${name} fib daddr type local jump hostports_all\n`;
  let text = `add table ${t} { comment "CNI portmap plugin" ; }\n`;
  for (const name of ['hostports', 'hostip_hostports', 'hostports_all']) text += chain(name);
  text += `flush chain ${t} hostports_all\nadd rule ${t} hostports_all jump hostip_hostports\nadd rule ${t} hostports_all jump hostports\n`;
  text += base('prerouting', 'prerouting', -100) + base('output', 'output', -100);
  if (snat) text += chain('masquerading', ' { type nat hook postrouting priority 100 ; }');
  const own = address.replace(/\/.*/, '');
  const to = family === 4 ? own : `[${own}]`;
  for (const m of mappings) {
    const host = m.hostIP && parseIp(m.hostIP)?.some(b => b) ? `${x} daddr ${m.hostIP} ` : '';
    const match = `${host}${m.protocol.toLowerCase()} dport ${m.hostPort}`;
    text += `add rule ${t} hostports ${match} dnat to ${to}:${m.containerPort} comment "${id}"\n`;
  }
  for (const from of snat ? [own, ...(family === 4 ? ['127.0.0.1'] : [])] : []) {
    text += `add rule ${t} masquerading ${x} saddr ${from} ${x} daddr ${own} masquerade comment "${id}"\n`;
  }
  runNft(ns, text);
}

export function isPublished(ns: Netns, family: 4 | 6, id: string): boolean {
  const table = tableOf(ns, family === 4 ? 'ip' : 'ip6', 'cni_hostport');
  return [...(table?.chains.values() ?? [])].some(c => c.rules.some(r => r.comment === id));
}

export function unpublish(ns: Netns, family: 4 | 6, id: string): void {
  const x = family === 4 ? 'ip' : 'ip6';
  for (const chain of ['hostports', 'hostip_hostports', 'masquerading']) deleteRules(ns, x, 'cni_hostport', chain, c => c === id);
}

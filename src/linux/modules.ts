// Modules that a machine's kernel has loaded: by its configuration, by hand, and because something on it needs them.
import { lookAt } from './due.ts';
import { rulesOf } from './netfilter/rules.ts';
import type { Kernel } from './types.ts';

/** `name size needs…`: sizes are those of Ubuntu's linux-image-6.8.0-87-generic, what each needs stands before it. */
const ROWS = `
libcrc32c 12288
llc 16384
stp 12288 llc
bridge 421888 stp llc
br_netfilter 32768 bridge
overlay 212992
veth 45056
dummy 12288
udp_tunnel 36864
ip6_udp_tunnel 16384
vxlan 155648 ip6_udp_tunnel udp_tunnel
tunnel4 12288
ip_tunnel 32768
ipip 20480 ip_tunnel tunnel4
tun 69632
8021q 45056
bonding 233472
macvlan 40960
ipvlan 40960
wireguard 114688 udp_tunnel ip6_udp_tunnel
sch_netem 20480
sch_htb 32768
sch_ingress 16384
nfnetlink 20480
x_tables 65536
ip_tables 32768 x_tables
ip6_tables 36864 x_tables
iptable_filter 12288 ip_tables
iptable_mangle 12288 ip_tables
iptable_raw 12288 ip_tables
ip6table_filter 12288 ip6_tables
ip6table_mangle 12288 ip6_tables
nf_tables 376832 nfnetlink libcrc32c
nft_compat 20480 nf_tables x_tables
nf_defrag_ipv4 12288
nf_defrag_ipv6 24576
nf_conntrack 196608 libcrc32c nf_defrag_ipv4 nf_defrag_ipv6
nf_conntrack_netlink 57344 nf_conntrack nfnetlink
nf_nat 61440 nf_conntrack libcrc32c
iptable_nat 12288 ip_tables nf_nat
ip6table_nat 12288 ip6_tables nf_nat
nft_chain_nat 12288 nf_nat nf_tables
nft_ct 24576 nf_conntrack nf_tables
nft_masq 12288 nf_nat nf_tables
xt_tcpudp 16384 x_tables
xt_comment 12288 x_tables
xt_mark 12288 x_tables
xt_connmark 16384 nf_conntrack x_tables
xt_conntrack 12288 nf_conntrack x_tables
xt_addrtype 16384 x_tables
xt_multiport 20480 x_tables
xt_statistic 12288 x_tables
xt_recent 24576 x_tables
xt_limit 12288 x_tables
xt_hashlimit 20480 x_tables
xt_physdev 12288 br_netfilter x_tables
xt_owner 12288 x_tables
xt_pkttype 12288 x_tables
xt_string 12288 x_tables
xt_length 12288 x_tables
xt_mac 12288 x_tables
xt_iprange 12288 x_tables
xt_rpfilter 12288 x_tables
xt_socket 16384 x_tables
xt_u32 12288 x_tables
xt_nfacct 12288 x_tables
xt_nat 12288 nf_nat x_tables
xt_MASQUERADE 16384 nf_nat x_tables
xt_REDIRECT 16384 nf_nat x_tables
xt_CT 16384 nf_conntrack x_tables
xt_TPROXY 16384 x_tables
xt_LOG 16384 x_tables
xt_NFLOG 12288 x_tables
xt_TCPMSS 12288 x_tables
nf_reject_ipv4 12288
ipt_REJECT 12288 nf_reject_ipv4 x_tables
ip_set 61440 nfnetlink
ip_set_hash_ip 49152 ip_set
ip_set_hash_net 53248 ip_set
ip_set_hash_ipport 49152 ip_set
ip_set_hash_ipportip 49152 ip_set
ip_set_hash_ipportnet 57344 ip_set
ip_set_hash_netport 53248 ip_set
ip_set_hash_netiface 57344 ip_set
ip_set_hash_netnet 57344 ip_set
ip_set_hash_mac 36864 ip_set
ip_set_bitmap_port 16384 ip_set
ip_set_bitmap_ip 16384 ip_set
ip_set_list_set 20480 ip_set
xt_set 20480 ip_set x_tables
ip_vs 221184 nf_conntrack libcrc32c
ip_vs_rr 12288 ip_vs
ip_vs_wrr 12288 ip_vs
ip_vs_lc 12288 ip_vs
ip_vs_wlc 12288 ip_vs
ip_vs_sh 12288 ip_vs
ip_vs_dh 12288 ip_vs
ip_vs_sed 12288 ip_vs
ip_vs_nq 12288 ip_vs
ip_vs_lblc 16384 ip_vs
ip_vs_mh 16384 ip_vs
xt_ipvs 16384 ip_vs x_tables
`;

interface Known {
  name: string;
  sizeBytes: number;
  needs: string[];
}

const KNOWN: Known[] = ROWS.trim()
  .split('\n')
  .map(row => {
    const [name, size, ...needs] = row.split(' ');
    return { name, sizeBytes: Number(size), needs };
  });
const byName = new Map(KNOWN.map(m => [m.name, m]));

/** A module's own name: `-` and `_` are the same. undefined: podnet's kernel has none of that name. */
export const findModule = (name: string): Known | undefined => byName.get(name.replace(/-/g, '_'));

/** What kubeadm's guide has modules-load.d load at boot. */
const AT_BOOT = ['overlay', 'br_netfilter'];

const TARGETS: Record<string, string> = {
  DNAT: 'xt_nat',
  SNAT: 'xt_nat',
  NETMAP: 'xt_nat',
  MARK: 'xt_mark',
  CONNMARK: 'xt_connmark',
  NOTRACK: 'xt_CT',
  SET: 'xt_set',
  REJECT: 'ipt_REJECT',
};
const MATCHES: Record<string, string> = { tcp: 'xt_tcpudp', udp: 'xt_tcpudp', state: 'xt_conntrack' };

/** What the machine's devices, rules, sets and virtual servers need. */
function needed(kernel: Kernel): Map<string, number> {
  const names = new Map<string, number>();
  /** `held`: a rule or set that keeps it loaded. */
  const need = (name: string, held = 0) => names.set(name, (names.get(name) ?? 0) + held);
  for (const ns of kernel.netns.values()) {
    lookAt(ns);
    for (const link of ns.links.values()) if (link.kind !== 'loopback' && link.kind !== 'ethernet') need(link.kind);
    const { xt, legacy, ipsets, nft } = ns.netfilter;
    for (const family of [4, 6] as const) {
      for (const table of legacy[family].values()) need(`ip${family === 6 ? '6' : ''}table_${table.name}`, 1);
      for (const table of [...xt[family].values(), ...legacy[family].values()]) {
        if (table.name === 'nat') need('nf_nat');
        for (const chain of table.chains.values()) {
          for (const rule of rulesOf(ns, table, chain)) {
            for (const m of rule.matches) need(MATCHES[m.module] ?? `xt_${m.module}`, 1);
            if (rule.target) need(TARGETS[rule.target.name] ?? `xt_${rule.target.name}`, 1);
          }
        }
      }
      if (xt[family].size) for (const name of ['nft_compat', ...(xt[family].has('nat') ? ['nft_chain_nat'] : [])]) need(name);
    }
    if (nft.length) need('nf_tables');
    for (const set of ipsets.values()) need(`ip_set_${set.type.replace(/[:,]/g, m => (m === ':' ? '_' : ''))}`, 1);
    if (ns.ipvs) for (const service of ns.ipvs.services.values()) need(`ip_vs_${service.scheduler}`, 1);
  }
  return names;
}

export interface LoadedModule {
  name: string;
  sizeBytes: number;
  /** Modules that need it. */
  users: string[];
  /** How often it is used: by them, by rules and by sets. */
  uses: number;
}

/** The loaded modules, the latest first. */
export function loadedModules(kernel: Kernel): LoadedModule[] {
  const loaded = new Set<string>();
  const held = needed(kernel);
  const load = (name: string): void => {
    const m = byName.get(name);
    if (!m || loaded.has(name)) return;
    for (const need of m.needs) load(need);
    loaded.add(name);
  };
  for (const name of [...AT_BOOT, ...held.keys(), ...(kernel.modules ?? [])]) load(name);
  return [...loaded].reverse().map(name => {
    const users = [...loaded].filter(other => byName.get(other)?.needs.includes(name)).reverse();
    return { name, sizeBytes: byName.get(name)?.sizeBytes ?? 0, users, uses: users.length + (held.get(name) ?? 0) };
  });
}

/** /proc/modules. Addresses are hidden, as kptr_restrict has them. */
export const modulesText = (kernel: Kernel): string =>
  loadedModules(kernel)
    .map(m => `${m.name} ${m.sizeBytes} ${m.uses} ${m.users.length ? `${m.users.join(',')},` : '-'} Live 0x0000000000000000\n`)
    .join('');

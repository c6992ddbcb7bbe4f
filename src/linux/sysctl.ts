// net.* and the few others that tools read. What no one wrote has the kernel's default (Documentation/networking/ip-sysctl.rst, v6.12).
import type { Errno, Kernel, Link, Netns } from './types.ts';

const CONF4: Record<string, string> = {
  accept_local: '0',
  accept_redirects: '1',
  accept_source_route: '0',
  arp_accept: '0',
  arp_announce: '0',
  arp_evict_nocarrier: '1',
  arp_filter: '0',
  arp_ignore: '0',
  arp_notify: '0',
  bc_forwarding: '0',
  bootp_relay: '0',
  disable_policy: '0',
  disable_xfrm: '0',
  drop_gratuitous_arp: '0',
  drop_unicast_in_l2_multicast: '0',
  force_igmp_version: '0',
  forwarding: '0',
  igmpv2_unsolicited_report_interval: '10000',
  igmpv3_unsolicited_report_interval: '1000',
  ignore_routes_with_linkdown: '0',
  log_martians: '0',
  mc_forwarding: '0',
  medium_id: '0',
  promote_secondaries: '0',
  proxy_arp: '0',
  proxy_arp_pvlan: '0',
  route_localnet: '0',
  rp_filter: '0',
  secure_redirects: '1',
  send_redirects: '1',
  shared_media: '1',
  src_valid_mark: '0',
  tag: '0',
};

const CONF6: Record<string, string> = {
  accept_dad: '1',
  accept_ra: '1',
  accept_redirects: '1',
  addr_gen_mode: '0',
  autoconf: '1',
  disable_ipv6: '0',
  forwarding: '0',
  hop_limit: '64',
  keep_addr_on_down: '0',
  mtu: '1500',
  proxy_ndp: '0',
  use_tempaddr: '0',
};

const NEIGH: Record<string, string> = {
  anycast_delay: '100',
  app_solicit: '0',
  base_reachable_time_ms: '30000',
  delay_first_probe_time: '5',
  gc_stale_time: '60',
  locktime: '100',
  mcast_resolicit: '0',
  mcast_solicit: '3',
  proxy_delay: '80',
  proxy_qlen: '64',
  retrans_time_ms: '1000',
  ucast_solicit: '3',
  unres_qlen: '101',
  unres_qlen_bytes: '212992',
};

const DEFAULTS: Record<string, string> = {
  'fs.file-max': '9223372036854775807',
  'kernel.ostype': 'Linux',
  'kernel.pid_max': '4194304',
  'net.bridge.bridge-nf-call-arptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-filter-pppoe-tagged': '0',
  'net.bridge.bridge-nf-filter-vlan-tagged': '0',
  'net.bridge.bridge-nf-pass-vlan-input-dev': '0',
  'net.core.rmem_default': '212992',
  'net.core.rmem_max': '212992',
  'net.core.somaxconn': '4096',
  'net.core.wmem_default': '212992',
  'net.core.wmem_max': '212992',
  'net.ipv4.fib_multipath_hash_policy': '0',
  'net.ipv4.fwmark_reflect': '0',
  'net.ipv4.icmp_echo_ignore_all': '0',
  'net.ipv4.icmp_echo_ignore_broadcasts': '1',
  'net.ipv4.icmp_errors_use_inbound_ifaddr': '0',
  'net.ipv4.icmp_msgs_burst': '50',
  'net.ipv4.icmp_msgs_per_sec': '1000',
  'net.ipv4.icmp_ratelimit': '1000',
  'net.ipv4.icmp_ratemask': '6168',
  'net.ipv4.ip_default_ttl': '64',
  'net.ipv4.ip_forward': '0',
  'net.ipv4.ip_local_port_range': '32768\t60999',
  'net.ipv4.ip_local_reserved_ports': '',
  'net.ipv4.ip_no_pmtu_disc': '0',
  'net.ipv4.ip_nonlocal_bind': '0',
  'net.ipv4.ip_unprivileged_port_start': '1024',
  'net.ipv4.ping_group_range': '1\t0',
  'net.ipv4.tcp_congestion_control': 'cubic',
  'net.ipv4.tcp_fin_timeout': '60',
  'net.ipv4.tcp_keepalive_intvl': '75',
  'net.ipv4.tcp_keepalive_probes': '9',
  'net.ipv4.tcp_keepalive_time': '7200',
  'net.ipv4.tcp_max_syn_backlog': '4096',
  'net.ipv4.tcp_retries1': '3',
  'net.ipv4.tcp_retries2': '15',
  'net.ipv4.tcp_orphan_retries': '0',
  'net.ipv4.tcp_rmem': '4096\t131072\t6291456',
  'net.ipv4.tcp_sack': '1',
  'net.ipv4.tcp_syn_linear_timeouts': '4',
  'net.ipv4.tcp_syn_retries': '6',
  'net.ipv4.tcp_synack_retries': '5',
  'net.ipv4.tcp_syncookies': '1',
  'net.ipv4.tcp_timestamps': '1',
  'net.ipv4.tcp_tw_reuse': '2',
  'net.ipv4.tcp_window_scaling': '1',
  'net.ipv4.tcp_wmem': '4096\t16384\t4194304',
  'net.ipv4.vs.conntrack': '0',
  'net.ipv4.neigh.default.gc_interval': '30',
  'net.ipv4.neigh.default.gc_thresh1': '128',
  'net.ipv4.neigh.default.gc_thresh2': '512',
  'net.ipv4.neigh.default.gc_thresh3': '1024',
  'net.ipv6.bindv6only': '0',
  'net.ipv6.icmp.echo_ignore_all': '0',
  'net.ipv6.icmp.ratelimit': '1000',
  'net.ipv6.route.max_size': '2147483647',
  'net.netfilter.nf_conntrack_acct': '0',
  'net.netfilter.nf_conntrack_buckets': '65536',
  'net.netfilter.nf_conntrack_checksum': '1',
  'net.netfilter.nf_conntrack_count': '0',
  'net.netfilter.nf_conntrack_generic_timeout': '600',
  'net.netfilter.nf_conntrack_helper': '0',
  'net.netfilter.nf_conntrack_icmp_timeout': '30',
  'net.netfilter.nf_conntrack_icmpv6_timeout': '30',
  'net.netfilter.nf_conntrack_log_invalid': '0',
  'net.netfilter.nf_conntrack_max': '262144',
  'net.netfilter.nf_conntrack_sctp_timeout_established': '210',
  'net.netfilter.nf_conntrack_tcp_be_liberal': '0',
  'net.netfilter.nf_conntrack_tcp_loose': '1',
  'net.netfilter.nf_conntrack_tcp_timeout_close': '10',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait': '60',
  'net.netfilter.nf_conntrack_tcp_timeout_established': '432000',
  'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_last_ack': '30',
  'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': '300',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': '60',
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_time_wait': '120',
  'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': '300',
  'net.netfilter.nf_conntrack_udp_timeout': '30',
  'net.netfilter.nf_conntrack_udp_timeout_stream': '120',
  'vm.max_map_count': '65530',
  'vm.overcommit_memory': '0',
};

/** Keys of the machine, not of a namespace (br_netfilter's are a namespace's own since Linux 5.3). */
const isGlobal = (key: string) => !key.startsWith('net.');

const initNs = (k: Kernel): Netns | undefined => k.netns.get('');

function builtin(ns: Netns, key: string): string | undefined {
  const fixed = DEFAULTS[key];
  if (fixed !== undefined) return key === 'net.netfilter.nf_conntrack_count' ? String(ns.netfilter.conntrack.count) : fixed;
  if (key === 'kernel.hostname') return ns.kernel.hostname;
  if (key === 'kernel.osrelease') return ns.kernel.release;
  const m = /^net\.(ipv4|ipv6)\.(conf|neigh)\.(.+)\.([^.]+)$/.exec(key);
  if (!m) return undefined;
  const table = m[2] === 'neigh' ? NEIGH : m[1] === 'ipv4' ? CONF4 : CONF6;
  return table[m[4]];
}

/** A key's value as /proc/sys shows it, without the newline; '' when there is no such key (see `hasSysctl`). */
export function sysctl(ns: Netns, key: string): string {
  const own = ns.sysctls.get(key);
  if (own !== undefined) return own;
  if (isGlobal(key)) {
    const machine = initNs(ns.kernel)?.sysctls.get(key);
    if (machine !== undefined) return machine;
  }
  return builtin(ns, key) ?? '';
}

const flagDefault = (table: Record<string, string>, name: string) => Number(table[name] ?? 0);

/** net.ipv4.conf.<link>.<name> as a number; the walk's reader: two map look-ups and no pattern. */
export function conf4(link: Link, name: string): number {
  const v = link.netns.sysctls.get(`net.ipv4.conf.${link.name}.${name}`);
  return v === undefined ? flagDefault(CONF4, name) : Number(v);
}

function all4(ns: Netns, name: string): number {
  const v = ns.sysctls.get(`net.ipv4.conf.all.${name}`);
  return v === undefined ? flagDefault(CONF4, name) : Number(v);
}

/** IN_DEV_ORCONF and IN_DEV_MAXCONF (include/linux/inetdevice.h): `all` counts beside the device's own. */
export const orConf4 = (link: Link, name: string): boolean => conf4(link, name) !== 0 || all4(link.netns, name) !== 0;
export const maxConf4 = (link: Link, name: string): number => Math.max(conf4(link, name), all4(link.netns, name));

export function conf6(ns: Netns, dev: string, name: string): number {
  const v = ns.sysctls.get(`net.ipv6.conf.${dev}.${name}`);
  return v === undefined ? flagDefault(CONF6, name) : Number(v);
}

export function numberSysctl(ns: Netns, key: string): number {
  return Number(sysctl(ns, key));
}

export function hasSysctl(ns: Netns, key: string): boolean {
  return ns.sysctls.has(key) || (builtin(ns, key) !== undefined && deviceOf(ns, key));
}

export const CONF_NAMES = { ipv4: Object.keys(CONF4), ipv6: Object.keys(CONF6) } as const;
export const NEIGH_NAMES: readonly string[] = Object.keys(NEIGH);

const isDeviceKey = (key: string): boolean => /^net\.ipv[46]\.(?:conf|neigh)\./.test(key) && DEFAULTS[key] === undefined;

/** Keys that name no device. */
export function plainKeys(ns: Netns): string[] {
  return [
    ...new Set([...Object.keys(DEFAULTS), 'kernel.hostname', 'kernel.osrelease', ...[...ns.sysctls.keys()].filter(k => !isDeviceKey(k))]),
  ];
}

const deviceNames = (ns: Netns) => ['all', 'default', ...[...ns.links.values()].map(l => l.name)];

/** Whether the device that a key names is there (true for keys that name none). */
function deviceOf(ns: Netns, key: string): boolean {
  const m = /^net\.ipv[46]\.(?:conf|neigh)\.(.+)\.[^.]+$/.exec(key);
  if (!m || m[1] === 'all' || m[1] === 'default') return true;
  for (const link of ns.links.values()) if (link.name === m[1]) return true;
  return false;
}

/** Every key that `sysctl -a` lists, sorted. */
export function sysctlKeys(ns: Netns): string[] {
  const out = new Set([...Object.keys(DEFAULTS), ...ns.sysctls.keys(), 'kernel.hostname', 'kernel.osrelease']);
  for (const dev of deviceNames(ns)) {
    for (const name of Object.keys(CONF4)) out.add(`net.ipv4.conf.${dev}.${name}`);
    for (const name of Object.keys(CONF6)) out.add(`net.ipv6.conf.${dev}.${name}`);
    if (dev === 'all') continue;
    for (const name of Object.keys(NEIGH)) {
      out.add(`net.ipv4.neigh.${dev}.${name}`);
      out.add(`net.ipv6.neigh.${dev}.${name}`);
    }
  }
  return [...out].sort();
}

const READ_ONLY = new Set(['kernel.osrelease', 'kernel.ostype', 'net.netfilter.nf_conntrack_count']);

/** Set a key as writing its file would. ENOENT: no such key; EINVAL: not what it takes; EACCES: read-only. */
export function setSysctl(ns: Netns, key: string, value: string): Errno | null {
  const text = value.trim().replace(/[ \t]+/g, '\t');
  if (READ_ONLY.has(key)) return 'EACCES';
  const known = builtin(ns, key);
  if (!hasSysctl(ns, key)) return 'ENOENT';
  if (known !== undefined && /^-?\d+(\t\d+)*$/.test(known) && !/^-?\d+(\t-?\d+)*$/.test(text)) return 'EINVAL';
  const at = isGlobal(key) ? (initNs(ns.kernel) ?? ns) : ns;
  if (key === 'kernel.hostname') ns.kernel.hostname = text;
  at.sysctls.set(key, text);
  spread(ns, key, text);
  return null;
}

/** Writing one forwarding switch moves the others (net/ipv4/devinet.c inet_forward_change, net/ipv6/addrconf.c addrconf_forward_change). */
function spread(ns: Netns, key: string, value: string): void {
  const forward4 = key === 'net.ipv4.ip_forward' || key === 'net.ipv4.conf.all.forwarding';
  if (forward4) {
    ns.sysctls.set('net.ipv4.ip_forward', value);
    for (const dev of deviceNames(ns)) ns.sysctls.set(`net.ipv4.conf.${dev}.forwarding`, value);
  }
  if (key === 'net.ipv6.conf.all.forwarding' || key === 'net.ipv6.conf.all.disable_ipv6') {
    const name = key.slice(key.lastIndexOf('.') + 1);
    for (const dev of deviceNames(ns)) ns.sysctls.set(`net.ipv6.conf.${dev}.${name}`, value);
  }
}

/** A new device starts with what `conf.default` says then. */
export function inheritDefaults(ns: Netns, dev: string): void {
  // A node has a device for each pod, and with each more of these: they are gone through as they are, the new ones last.
  ns.sysctls.forEach((value, key) => {
    if (!key.includes('.default.')) return;
    const m = /^(net\.ipv[46]\.(?:conf|neigh))\.default\.([^.]+)$/.exec(key);
    if (m && !m[2].startsWith('gc_')) ns.sysctls.set(`${m[1]}.${dev}.${m[2]}`, value);
  });
}

export function forgetDevice(ns: Netns, dev: string): void {
  const tail = `.${dev}.`;
  for (const key of [...ns.sysctls.keys()]) {
    if (!key.includes(tail)) continue;
    const m = /^net\.ipv[46]\.(?:conf|neigh)\.(.+)\.[^.]+$/.exec(key);
    if (m && m[1] === dev) ns.sysctls.delete(key);
  }
}

export function renameDevice(ns: Netns, from: string, to: string): void {
  for (const [key, value] of [...ns.sysctls]) {
    const m = /^(net\.ipv[46]\.(?:conf|neigh))\.(.+)\.([^.]+)$/.exec(key);
    if (m && m[2] === from) {
      ns.sysctls.delete(key);
      ns.sysctls.set(`${m[1]}.${to}.${m[3]}`, value);
    }
  }
}

/** A new namespace takes the machine's IPv4 switches, not the IPv6 ones (net.core.devconf_inherit_init_net = 0). */
export function inheritNetns(ns: Netns, init: Netns): void {
  for (const [key, value] of init.sysctls) {
    if (key === 'net.ipv4.ip_forward' || /^net\.ipv4\.conf\.(all|default)\./.test(key)) ns.sysctls.set(key, value);
  }
  const forward = init.sysctls.get('net.ipv4.ip_forward');
  if (forward !== undefined) ns.sysctls.set('net.ipv4.conf.all.forwarding', forward);
}

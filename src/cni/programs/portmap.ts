// portmap by the CNI protocol: plugins v1.9.1 plugins/meta/portmap/{main,portmap_iptables,chain}.go.
import { restore } from '../../linux/netfilter/restore.ts';
import { rulesOf } from '../../linux/netfilter/rules.ts';
import { lookupRoute } from '../../linux/route.ts';
import { setSysctl } from '../../linux/sysctl.ts';
import type { Family } from '../../wire/ip.ts';
import { parseIp } from '../../wire/ip.ts';
import { applyRules, hasChain, hasJump } from '../iptables.ts';
import { toCidr } from '../plumbing.ts';
import { chainName } from '../portmap.ts';
import type { PortMapping } from '../types.ts';
import { isPublished, publish, unpublish } from './nftables.ts';
import type { CniResult } from './result.ts';
import { type CniError, failure, type PluginArgs, type PluginImpl, previous } from './skel.ts';

const DNAT = 'CNI-HOSTPORT-DNAT';
const SETMARK = 'CNI-HOSTPORT-SETMARK';
const MASQ = 'CNI-HOSTPORT-MASQ';

interface Setup {
  family: Family;
  chain: string;
  address: string;
  mappings: PortMapping[];
  /** Where packets are marked: the plugin's own chain, or one that was named. */
  markChain: string;
  external: boolean;
  snat: boolean;
  mark: string;
  conditions: string[];
}

function parse(conf: any): CniError | null {
  const bit = conf.markMasqBit ?? 13;
  if (bit < 0 || bit > 31) return failure('failed to parse config: MasqMarkBit must be between 0 and 31');
  if (conf.externalSetMarkChain && conf.markMasqBit !== undefined && conf.markMasqBit !== null) {
    return failure('failed to parse config: Cannot specify externalSetMarkChain and markMasqBit');
  }
  for (const m of conf.runtimeConfig?.portMappings ?? []) {
    if (m.containerPort <= 0) return failure(`failed to parse config: Invalid container port number: ${m.containerPort}`);
    if (m.hostPort <= 0) return failure(`failed to parse config: Invalid host port number: ${m.hostPort}`);
  }
  return null;
}

function setups(a: PluginArgs, prev: CniResult | null): Setup[] {
  const { conf } = a;
  const all: PortMapping[] = conf.runtimeConfig?.portMappings ?? [];
  const mark = `0x${(1 << (conf.markMasqBit ?? 13)).toString(16)}`;
  const out: Setup[] = [];
  for (const family of [4, 6] as const) {
    const ip = prev?.ips?.find(i => i.address.includes(':') === (family === 6));
    if (!ip) continue;
    const mappings = all.filter(m => {
      const host = m.hostIP ? parseIp(m.hostIP) : null;
      return !host || (host.length === 4) === (family === 4);
    });
    if (!mappings.length) continue;
    const external = !!conf.externalSetMarkChain;
    out.push({
      family,
      chain: chainName('DN-', conf.name, a.containerId),
      address: ip.address,
      mappings,
      markChain: external ? conf.externalSetMarkChain : SETMARK,
      external,
      snat: conf.snat ?? true,
      mark: `${mark}/${mark}`,
      conditions: (family === 4 ? conf.conditionsV4 : conf.conditionsV6) ?? [],
    });
  }
  return out;
}

/** fillDnatRules: the pod's own chain, as arguments. */
function dnatRules(s: Setup): string[] {
  const out: string[] = [];
  const ip = s.address.replace(/\/.*/, '');
  for (const m of s.mappings) {
    const host = m.hostIP ? parseIp(m.hostIP) : null;
    const match = `-p ${m.protocol.toLowerCase()} --dport ${m.hostPort}${host?.some(x => x) ? ` -d ${m.hostIP}` : ''}`;
    if (s.snat) {
      out.push(`${match} -s ${s.address} -j ${s.markChain}`);
      if (s.family === 4) out.push(`${match} -s 127.0.0.1 -j ${s.markChain}`);
    }
    out.push(`${match} -j DNAT --to-destination ${s.family === 6 ? `[${ip}]` : ip}:${m.containerPort}`);
  }
  return out;
}

function entries(s: Setup, name: string, id: string): string[] {
  const out: string[] = [];
  for (const protocol of [...new Set(s.mappings.map(m => m.protocol.toLowerCase()))].sort()) {
    const ports = [...new Set(s.mappings.filter(m => m.protocol.toLowerCase() === protocol).map(m => m.hostPort))];
    for (let i = 0; i < ports.length; i += 15) {
      const comment = `-m comment --comment "dnat name: \\"${name}\\" id: \\"${id}\\""`;
      const conditions = s.conditions.length ? `${s.conditions.join(' ')} ` : '';
      out.push(`${comment} -m multiport -p ${protocol} --destination-ports ${ports.slice(i, i + 15).join(',')} ${conditions}-j ${s.chain}`);
    }
  }
  return out;
}

/** What iptables says of a rule that it will not take. */
function complaint(a: PluginArgs, s: Setup, rule: string): string | null {
  if (s.external && rule.endsWith(`-j ${s.markChain}`) && !hasChain(a.p.netns, s.family, 'nat', s.markChain))
    return `Chain '${s.markChain}' does not exist`;
  const port = /--dport (\d+)/.exec(rule)?.[1];
  if (port && Number(port) > 65_535) return `invalid port/service \`${port}' specified`;
  if (!/^-p (tcp|udp|sctp|dccp|udplite) /.test(rule)) return 'unknown option "--dport"';
  const problem = restore(a.p.netns, s.family, `*nat\n-A OUTPUT ${rule.replace(/-j \S+.*/, '-j RETURN')}\nCOMMIT\n`, {
    noflush: true,
    test: true,
    check: true,
  });
  return problem?.message ?? null;
}

function topLevel(a: PluginArgs, s: Setup): string[] {
  const ns = a.p.netns;
  const lines: string[] = [];
  const make = (chain: string): boolean => {
    if (hasChain(ns, s.family, 'nat', chain)) return false;
    lines.push(`:${chain} - [0:0]`);
    return true;
  };
  if (s.snat && !s.external) {
    if (make(SETMARK)) lines.push(`-A ${SETMARK} -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark ${s.mark}`);
    if (make(MASQ)) lines.push(`-A ${MASQ} -m mark --mark ${s.mark} -j MASQUERADE`);
    if (!hasJump(ns, s.family, 'nat', 'POSTROUTING', MASQ)) {
      lines.push(`-I POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j ${MASQ}`);
    }
  }
  make(DNAT);
  for (const chain of ['PREROUTING', 'OUTPUT']) {
    if (!hasJump(ns, s.family, 'nat', chain, DNAT)) lines.push(`-A ${chain} -m addrtype --dst-type LOCAL -j ${DNAT}`);
  }
  return lines;
}

function forward(a: PluginArgs, s: Setup): CniError | null {
  const ns = a.p.netns;
  applyRules(ns, s.family, 'nat', topLevel(a, s));
  unforward(a, s.family, s.chain);
  applyRules(ns, s.family, 'nat', [`:${s.chain} - [0:0]`]);
  const rules = dnatRules(s);
  const tool = s.family === 4 ? 'iptables' : 'ip6tables';
  for (const rule of rules) {
    const why = complaint(a, s, rule);
    if (!why) continue;
    const command = `[/usr/sbin/${tool} -t nat -C ${s.chain} ${rule} --wait]`;
    const said = `${tool} v1.8.9 (nf_tables): ${why}\nTry \`${tool} -h' or '${tool} --help' for more information.\n`;
    return failure(`unable to setup DNAT: running ${command}: exit status 2: ${said}`);
  }
  applyRules(ns, s.family, 'nat', [
    ...rules.map(r => `-A ${s.chain} ${r}`),
    ...entries(s, a.conf.name, a.containerId).map(r => `-A ${DNAT} ${r}`),
  ]);
  return null;
}

/** The pod's chain and whatever jumps to it; the shared chains stay. */
function unforward(a: PluginArgs, family: Family, chain: string): void {
  const ns = a.p.netns;
  if (!hasChain(ns, family, 'nat', chain)) return;
  const table = ns.netfilter.xt[family].get('nat');
  const shared = table?.chains.get(DNAT);
  const lines: string[] = [`:${chain} - [0:0]`];
  if (table && shared) {
    const targets = rulesOf(ns, table, shared).map(r => r.target?.name);
    for (let i = targets.length; i > 0; i--) if (targets[i - 1] === chain) lines.push(`-D ${DNAT} ${i}`);
  }
  applyRules(ns, family, 'nat', [...lines, `-X ${chain}`]);
}

function add(a: PluginArgs): CniResult | CniError {
  const bad = parse(a.conf);
  if (bad) return bad;
  const prev = previous(a.conf);
  if (!prev) return failure('must be called as chained plugin');
  for (const s of setups(a, prev)) {
    if (a.conf.backend === 'nftables') publish(a.p.netns, s.family, a.containerId, s.address, s.mappings, s.snat);
    else {
      const problem = forward(a, s);
      if (problem) return problem;
    }
    if (s.snat && s.family === 4) enableLocalnet(a, toCidr(s.address).ip);
  }
  return prev;
}

/** Packets from 127.0.0.1 may leave by the pod's link only where the kernel is told so. */
function enableLocalnet(a: PluginArgs, ip: Uint8Array): void {
  const found = lookupRoute(a.p.netns, ip);
  if (typeof found !== 'string') setSysctl(a.p.netns, `net.ipv4.conf.${found.dev.name}.route_localnet`, '1');
}

function check(a: PluginArgs): CniError | null {
  const bad = parse(a.conf);
  if (bad) return bad;
  const prev = previous(a.conf);
  if (!prev) return failure('Required prevResult missing');
  const nftables = a.conf.backend === 'nftables';
  for (const s of setups(a, prev)) {
    if (nftables && !isPublished(a.p.netns, s.family, a.containerId))
      return failure(`could not check ${s.family === 4 ? 'ipv4' : 'ipv6'} dnat: no rules for container ${a.containerId}`);
    if (nftables) continue;
    const what = `could not check ipv${s.family} dnat:`;
    if (!hasChain(a.p.netns, s.family, 'nat', s.chain)) return failure(`${what} chain ${s.chain} not found in iptables table nat`);
    const table = a.p.netns.netfilter.xt[s.family].get('nat');
    const chain = table?.chains.get(s.chain);
    const rules = dnatRules(s);
    if (!table || !chain || rulesOf(a.p.netns, table, chain).length < rules.length) {
      return failure(`${what} rule [${rules.map(r => `[${r}]`).join(' ')}] in chain ${s.chain} not found in table nat`);
    }
  }
  return null;
}

function del(a: PluginArgs): CniError | null {
  for (const family of [4, 6] as const) {
    unforward(a, family, chainName('DN-', a.conf.name, a.containerId));
    unpublish(a.p.netns, family, a.containerId);
  }
  return null;
}

export const portmapPlugin: PluginImpl = { add, check, del, about: 'CNI portmap plugin v1.9.1' };

// loopback, firewall and tuning: plugins v1.9.1 plugins/main/loopback, plugins/meta/{firewall,tuning}.
import { linkByName, setMac, setUp } from '../../linux/link.ts';
import { netnsAtPath } from '../../linux/namespaces.ts';
import { setSysctl, sysctl } from '../../linux/sysctl.ts';
import type { Netns } from '../../linux/types.ts';
import type { Family } from '../../wire/ip.ts';
import { applyRules, hasChain, hasJump } from '../iptables.ts';
import type { CniResult } from './result.ts';
import { type CniError, failure, isFailure, openNetns, type PluginArgs, type PluginImpl, previous } from './skel.ts';

export const loopbackPlugin: PluginImpl = {
  about: 'CNI loopback plugin v1.9.1',
  unconverted: true,
  add: a => {
    const pod = openNetns(a);
    if (isFailure(pod)) return pod;
    const lo = linkByName(pod, 'lo');
    if (lo) setUp(lo, true);
    return (
      previous(a.conf) ?? {
        interfaces: [{ name: 'lo', mac: '00:00:00:00:00:00', sandbox: a.netnsPath }],
        ips: [
          { address: '127.0.0.1/8', interface: 0 },
          { address: '::1/128', interface: 0 },
        ],
      }
    );
  },
  check: a => {
    const pod = openNetns(a);
    if (isFailure(pod)) return pod;
    return linkByName(pod, 'lo')?.up ? null : failure('loopback interface is down');
  },
  del: a => {
    const lo = a.netnsPath ? linkByName(netnsAtPath(a.p, a.netnsPath) ?? a.p.netns, 'lo') : undefined;
    if (lo && netnsAtPath(a.p, a.netnsPath)) setUp(lo, false);
    return null;
  },
};

// -- firewall (iptables backend)

const comment = (text: string) => `-m comment --comment "${text}"`;
const ADMIN = 'CNI firewall plugin admin overrides';
const PLUGIN = 'CNI firewall plugin rules';
const ISOLATED = 'CNI firewall plugin rules (ingressPolicy: same-bridge|isolated)';

const podRules = (ip: string): string[] => [`-d ${ip} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`, `-s ${ip} -j ACCEPT`];

function firewallChains(ns: Netns, family: Family, admin: string): void {
  const lines: string[] = [];
  for (const c of ['CNI-FORWARD', admin]) if (!hasChain(ns, family, 'filter', c)) lines.push(`:${c} - [0:0]`);
  if (!hasJump(ns, family, 'filter', 'FORWARD', 'CNI-FORWARD')) lines.push(`-I FORWARD 1 ${comment(PLUGIN)} -j CNI-FORWARD`);
  if (!hasJump(ns, family, 'filter', 'CNI-FORWARD', admin)) lines.push(`-I CNI-FORWARD 1 ${comment(ADMIN)} -j ${admin}`);
  applyRules(ns, family, 'filter', lines);
}

/** ingress_policy.go: traffic between bridges is dropped in two stages, as Docker does it. */
function isolate(ns: Netns, family: Family, bridge: string): void {
  const [one, two] = ['CNI-ISOLATION-STAGE-1', 'CNI-ISOLATION-STAGE-2'];
  const lines: string[] = [];
  if (!hasChain(ns, family, 'filter', one)) {
    lines.push(`:${one} - [0:0]`, `:${two} - [0:0]`);
    lines.push(`-I FORWARD 1 ${comment(ISOLATED)} -j ${one}`);
    lines.push(`-A ${one} ${comment(ISOLATED)} -j RETURN`, `-A ${two} ${comment(ISOLATED)} -j RETURN`);
  }
  lines.push(`-I ${one} 1 -i ${bridge} ! -o ${bridge} -j ${two} ${comment('CNI firewall plugin rules (ingressPolicy: same-bridge)')}`);
  lines.push(`-I ${two} 1 -o ${bridge} -j DROP ${comment(ISOLATED)}`);
  applyRules(ns, family, 'filter', lines);
}

function eachIp(a: PluginArgs, prev: CniResult, lines: (ip: string) => string[]): void {
  for (const ip of prev.ips ?? []) {
    const family: Family = ip.address.includes(':') ? 6 : 4;
    if (hasChain(a.p.netns, family, 'filter', 'CNI-FORWARD'))
      applyRules(a.p.netns, family, 'filter', lines(ip.address.replace(/\/.*/, '')));
  }
}

export const firewallPlugin: PluginImpl = {
  about: 'CNI firewall plugin v1.9.1',
  add: a => {
    const prev = previous(a.conf);
    if (!prev) return failure('missing prevResult from earlier plugin');
    const admin = a.conf.iptablesAdminChainName || 'CNI-ADMIN';
    for (const family of new Set((prev.ips ?? []).map(i => (i.address.includes(':') ? 6 : 4)))) firewallChains(a.p.netns, family, admin);
    eachIp(a, prev, ip => podRules(ip).map(r => `-A CNI-FORWARD ${r}`));
    const bridge = prev.interfaces?.find(i => !i.sandbox)?.name;
    if (a.conf.ingressPolicy === 'same-bridge' && bridge) {
      for (const family of new Set((prev.ips ?? []).map(i => (i.address.includes(':') ? 6 : 4)))) isolate(a.p.netns, family, bridge);
    }
    return prev;
  },
  check: () => null,
  del: a => {
    const prev = previous(a.conf);
    if (prev) eachIp(a, prev, ip => podRules(ip).map(r => `-D CNI-FORWARD ${r}`));
    return null;
  },
};

// -- tuning

const sysctlKeys = (a: PluginArgs): [string, string][] =>
  Object.entries((a.conf.sysctl ?? {}) as Record<string, string>).map(([k, v]) => [k.replaceAll('IFNAME', a.ifName), v]);

export const tuningPlugin: PluginImpl = {
  about: 'CNI tuning plugin v1.9.1',
  add: a => {
    const prev = previous(a.conf);
    if (!prev) return failure('Required prevResult missing');
    const pod = openNetns(a);
    if (isFailure(pod)) return pod;
    for (const [key, value] of sysctlKeys(a)) {
      const path = key.replaceAll('.', '/');
      if (!path.startsWith('net/')) return failure(`invalid net sysctl key: "${path}"`);
      if (setSysctl(pod, key, value)) return failure(`open /proc/sys/${path}: no such file or directory`);
    }
    const link = linkByName(pod, a.ifName);
    if (!link) return prev;
    const { mac, mtu, promisc, txQLen } = a.conf;
    if (mac) {
      setMac(link, mac);
      for (const i of prev.interfaces ?? []) if (i.name === a.ifName && i.sandbox) i.mac = link.mac;
    }
    if (mtu) link.mtu = mtu;
    if (promisc) link.promisc = true;
    if (txQLen !== undefined) link.txqlen = txQLen;
    return prev;
  },
  check: a => {
    const pod = openNetns(a);
    if (isFailure(pod)) return pod;
    if (!a.conf.prevResult) return failure('Required prevResult missing');
    for (const [key, value] of sysctlKeys(a)) {
      const now = sysctl(pod, key);
      if (now !== value) return failure(`Error: Tuning configured value of ${key} is ${value}, current value is ${now}`);
    }
    return checkLink(a, pod);
  },
  del: () => null,
};

function checkLink(a: PluginArgs, pod: Netns): CniError | null {
  const link = linkByName(pod, a.ifName);
  if (!link) return failure(`Cannot find container link ${a.ifName}`);
  if (a.conf.mtu && link.mtu !== a.conf.mtu)
    return failure(`Error: Tuning configured MTU of ${a.ifName} is ${a.conf.mtu}, current value is ${link.mtu}`);
  return null;
}

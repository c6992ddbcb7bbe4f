// bridge and ptp by the CNI protocol: plugins v1.9.1 plugins/main/{bridge/bridge.go,ptp/ptp.go}.

import { addAddress, addLink, addVeth, broadcastOf, linkByName, removeLink, setMaster, setUp } from '../../linux/link.ts';
import { netnsAtPath } from '../../linux/namespaces.ts';
import { removeRoute } from '../../linux/route.ts';
import type { Link, Netns } from '../../linux/types.ts';
import { hex } from '../../sim/bytes.ts';
import { bytes } from '../../sim/random.ts';
import { addToIp, formatIp, network, parseIp } from '../../wire/ip.ts';
import { addMasquerade, removeMasquerade } from '../bridge.ts';
import { route, sysctls, toCidr } from '../plumbing.ts';
import { ipamAdd, ipamCheck, ipamDel } from './host-local.ts';
import { masquerade, removeMasquerades } from './nftables.ts';
import type { CniResult } from './result.ts';
import { type CniError, failure, isFailure, openNetns, type PluginArgs, type PluginImpl, previous } from './skel.ts';

const IPAMS = ['host-local'];

function delegate(a: PluginArgs): CniError | null {
  const type: string = a.conf.ipam?.type ?? '';
  if (!type) return failure('no plugin name provided');
  if (!IPAMS.includes(type)) return failure(`failed to find plugin "${type}" in path [${a.path.split(':').join(' ')}]`);
  return null;
}

const randomName = (a: PluginArgs): string => `veth${hex(bytes(a.p.kernel.sim.random, 4))}`;

function validateVlan(conf: any): string | null {
  const vlan = conf.vlan ?? 0;
  if (vlan < 0 || vlan > 4094) return `invalid VLAN ID ${vlan} (must be between 0 and 4094)`;
  for (const t of conf.vlanTrunk ?? []) {
    if (t.minID !== undefined && t.maxID === undefined) return 'minID and maxID should be configured simultaneously, maxID is missing';
    if (t.maxID !== undefined && t.minID === undefined) return 'minID and maxID should be configured simultaneously, minID is missing';
    const bad = [t.minID, t.maxID, t.id].find(v => v !== undefined && (v < 0 || v > 4094));
    if (bad !== undefined) return `incorrect trunk ${bad === t.minID ? 'minID' : bad === t.maxID ? 'maxID' : 'id'} parameter`;
    if (t.minID !== undefined && t.minID > t.maxID) return 'minID is greater than maxID in trunk parameter';
    if (t.id === undefined && t.minID === undefined) return 'incorrect trunk parameter';
  }
  return null;
}

function ensureBridge(a: PluginArgs, name: string): Link | CniError {
  const found = linkByName(a.p.netns, name);
  if (found && found.kind !== 'bridge') return failure(`failed to create bridge "${name}": "${name}" already exists but is not a bridge`);
  const link = found ?? addLink(a.p.netns, { name, kind: 'bridge', mtu: a.conf.mtu || 1500 });
  if (a.conf.promiscMode) link.promisc = true;
  setUp(link, true);
  return link;
}

/** ip.SetupVeth: the pod's end is asked for by name, the host's is random. */
function setupVeth(a: PluginArgs, pod: Netns, mtu: number): [Link, Link] | CniError {
  const mac = a.conf.runtimeConfig?.mac ?? a.conf.args?.cni?.mac ?? '';
  if (mac && !/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(mac))
    return failure(`failed to make veth pair: address ${mac}: invalid MAC address`);
  const hostName = randomName(a);
  if (linkByName(pod, a.ifName)) return failure(`container veth name ("${a.ifName}") peer provided ("${hostName}") already exists`);
  const [host, eth] = addVeth({ netns: a.p.netns, name: hostName, mtu }, { netns: pod, name: a.ifName, mac: mac || undefined, mtu });
  setUp(eth, true);
  setUp(host, true);
  return [host, eth];
}

const defaultDst = (six: boolean): string => (six ? '::/0' : '0.0.0.0/0');
const isSix = (text: string): boolean => text.includes(':');
const bare = (text: string): string => text.replace(/\/.*/, '');

/** calcGateways: addresses for the bridge, and the default route where it was asked for. */
function gateways(conf: any, result: CniResult): void {
  for (const ip of result.ips ?? []) {
    ip.interface = 2;
    const c = toCidr(ip.address);
    if (!ip.gateway && conf.isGateway) ip.gateway = formatIp(addToIp(network(c).ip, 1));
    if (!conf.isDefaultGateway) continue;
    const dst = defaultDst(isSix(ip.address));
    if (!(result.routes ?? []).some(r => r.gw && r.dst === dst)) result.routes = [...(result.routes ?? []), { dst, gw: ip.gateway }];
  }
}

/** ipam.ConfigureIface */
function configure(pod: Netns, eth: Link, result: CniResult): CniError | null {
  for (const ip of result.ips ?? []) {
    const c = toCidr(ip.address);
    addAddress(eth, c.ip, c.bits, { broadcast: broadcastOf(c.ip, c.bits) });
  }
  for (const r of result.routes ?? []) {
    const via = r.gw ?? (result.ips ?? []).find(ip => isSix(ip.address) === isSix(r.dst))?.gateway;
    route(pod, r.dst, { via, dev: eth, metric: r.priority, mtu: r.mtu });
  }
  return null;
}

function dnsOf(conf: any, result: CniResult): void {
  const d = conf.dns;
  if (d && (d.nameservers?.length || d.search?.length || d.options?.length || d.domain)) result.dns = d;
}

const sandboxOf = (a: PluginArgs) => ({ id: a.containerId }) as Parameters<typeof addMasquerade>[1];
const nodeOf = (a: PluginArgs) => ({ netns: a.p.netns }) as Parameters<typeof addMasquerade>[0];

function setupMasquerade(a: PluginArgs, result: CniResult): void {
  const { conf } = a;
  if (!conf.ipMasq) return;
  const addresses = (result.ips ?? []).map(ip => ip.address);
  if (conf.ipMasqBackend === 'nftables') masquerade(a.p.netns, conf.name, a.ifName, a.containerId, addresses);
  else for (const ip of addresses) addMasquerade(nodeOf(a), sandboxOf(a), conf.name, ip);
}

function tearDownMasquerade(a: PluginArgs, addresses: string[] | null): void {
  if (!addresses || !a.conf.ipMasq) return;
  // Which backend it was is not known any more: both are cleaned.
  removeMasquerades(a.p.netns, a.conf.name, a.ifName, a.containerId);
  for (const ip of addresses) removeMasquerade(nodeOf(a), sandboxOf(a), a.conf.name, ip);
}

function forwardPackets(ns: Netns, result: CniResult): void {
  for (const ip of result.ips ?? [])
    sysctls(ns, isSix(ip.address) ? { 'net.ipv6.conf.all.forwarding': '1' } : { 'net.ipv4.ip_forward': '1' });
}

function bridgeAdd(a: PluginArgs): CniResult | CniError {
  const { conf } = a;
  const bad = validateVlan(conf);
  if (bad) return failure(bad);
  if (conf.isDefaultGateway) conf.isGateway = true;
  if (conf.hairpinMode && conf.promiscMode) return failure('cannot set hairpin mode and promiscuous mode at the same time.');
  const layer3 = !!conf.ipam?.type;
  const br = ensureBridge(a, conf.bridge || 'cni0');
  if (isFailure(br)) return br;
  const pod = openNetns(a);
  if (isFailure(pod)) return pod;
  const pair = setupVeth(a, pod, conf.mtu || br.mtu);
  if (isFailure(pair)) return pair;
  const [host, eth] = pair;
  setMaster(host, br);
  host.hairpin = !!conf.hairpinMode;
  const result: CniResult = { interfaces: [], ips: [] };
  const fail = (e: CniError): CniError => {
    removeLink(host);
    return e;
  };
  if (layer3) {
    const missing = delegate(a);
    if (missing) return fail(missing);
    const ipam = ipamAdd(a);
    if (isFailure(ipam)) return fail(ipam);
    Object.assign(result, ipam);
    gateways(conf, result);
    configure(pod, eth, result);
    if (conf.isGateway) {
      for (const ip of result.ips ?? []) {
        const g = parseIp(ip.gateway ?? '');
        if (g) addAddress(br, g, toCidr(ip.address).bits, { broadcast: broadcastOf(g, toCidr(ip.address).bits) });
      }
      forwardPackets(a.p.netns, result);
    }
    setupMasquerade(a, result);
  }
  result.interfaces = [
    { name: br.name, mac: br.mac },
    { name: host.name, mac: host.mac },
    { name: eth.name, mac: eth.mac, sandbox: a.netnsPath },
  ];
  dnsOf(conf, result);
  return result;
}

/** Addresses that the pod's link had, and the link gone. null: the namespace is not there. */
function takeLink(a: PluginArgs): string[] | null {
  const pod = netnsAtPath(a.p, a.netnsPath);
  if (!pod) return null;
  const link = linkByName(pod, a.ifName);
  if (!link) return [];
  const addresses = link.addresses.filter(x => x.scope === 'global').map(x => formatIp(x.ip));
  removeLink(link);
  return addresses;
}

function bridgeDel(a: PluginArgs): CniError | null {
  const layer3 = !!a.conf.ipam?.type;
  const addresses = a.netnsPath ? takeLink(a) : null;
  if (layer3) {
    const missing = delegate(a);
    if (missing) return missing;
    ipamDel(a);
  }
  if (layer3) tearDownMasquerade(a, addresses);
  return null;
}

function checkLink(a: PluginArgs): CniError | null {
  const pod = openNetns(a);
  if (isFailure(pod)) return pod;
  const prev = previous(a.conf) as CniResult;
  const inPod = prev.interfaces?.find(i => i.sandbox && i.name === a.ifName);
  if (!inPod) return failure(`Sandbox in prevResult ${a.netnsPath} doesn't match configured netns: ${a.netnsPath}`);
  const link = linkByName(pod, a.ifName);
  if (!link) return failure(`Interface name ${a.ifName} not found`);
  if (inPod.mac && inPod.mac !== link.mac)
    return failure(`Interface ${a.ifName} Mac ${inPod.mac} doesn't match container Mac: ${link.mac}`);
  for (const ip of prev.ips ?? []) {
    const c = toCidr(ip.address);
    if (!link.addresses.some(x => formatIp(x.ip) === formatIp(c.ip))) {
      return failure(`Failed to match addr ${ip.address} on interface ${a.ifName}`);
    }
  }
  return null;
}

function bridgeCheck(a: PluginArgs): CniError | null {
  const missing = delegate(a);
  if (missing) return missing;
  const problem = ipamCheck(a);
  if (problem) return problem;
  if (!a.conf.prevResult) return failure('Required prevResult missing');
  return checkLink(a);
}

export const bridgePlugin: PluginImpl = { add: bridgeAdd, check: bridgeCheck, del: bridgeDel, about: 'CNI bridge plugin v1.9.1' };

// -- ptp

function ptpAdd(a: PluginArgs): CniResult | CniError {
  const { conf } = a;
  const missing = delegate(a);
  if (missing) return missing;
  const ipam = ipamAdd(a);
  if (isFailure(ipam)) return ipam;
  const result: CniResult = { ...ipam };
  forwardPackets(a.p.netns, result);
  const pod = openNetns(a);
  if (isFailure(pod)) {
    ipamDel(a);
    return pod;
  }
  const pair = setupVeth(a, pod, conf.mtu || 1500);
  if (isFailure(pair)) {
    ipamDel(a);
    return pair;
  }
  const [host, eth] = pair;
  for (const ip of result.ips ?? []) ip.interface = 1;
  for (const ip of result.ips ?? []) wire(a, pod, eth, host, ip.address, ip.gateway ?? '');
  for (const r of result.routes ?? []) {
    const via = r.gw ?? (result.ips ?? []).find(ip => isSix(ip.address) === isSix(r.dst))?.gateway;
    route(pod, r.dst, { via, dev: eth });
  }
  setupMasquerade(a, result);
  result.interfaces = [
    { name: host.name, mac: host.mac },
    { name: eth.name, mac: eth.mac, sandbox: a.netnsPath },
  ];
  dnsOf(conf, result);
  return result;
}

/** All traffic goes by way of the gateway, which is the host's end: the network itself must not be looked for on this link. */
function wire(a: PluginArgs, pod: Netns, eth: Link, host: Link, address: string, gateway: string): void {
  const c = toCidr(address);
  const six = isSix(address);
  addAddress(eth, c.ip, c.bits, { broadcast: broadcastOf(c.ip, c.bits) });
  const connected = (pod.tables.get(254) ?? []).find(
    r => r.proto === 'kernel' && r.dev === eth.ifindex && r.dst.bits === c.bits && r.dst.ip.length === c.ip.length,
  );
  if (connected) removeRoute(pod, connected);
  const src = six ? null : c.ip;
  route(pod, gateway, { dev: eth, scope: 'link', src });
  route(pod, address, { via: gateway, dev: eth, src });
  const g = toCidr(gateway);
  addAddress(host, g.ip, g.bits);
  route(a.p.netns, bare(address), { dev: host, scope: six ? 'global' : 'host' });
}

function ptpDel(a: PluginArgs): CniError | null {
  const missing = delegate(a);
  if (missing) return missing;
  ipamDel(a);
  const addresses = a.netnsPath ? takeLink(a) : null;
  tearDownMasquerade(a, addresses);
  return null;
}

export const ptpPlugin: PluginImpl = { add: ptpAdd, check: bridgeCheck, del: ptpDel, about: 'CNI ptp plugin v1.9.1' };

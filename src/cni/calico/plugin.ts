// Calico's CNI plugin: a routed veth per pod (cni-plugin/pkg/dataplane/linux/dataplane_linux.go v3.32) and the routes between nodes.
import { addAddress, linkByName, linkLocalOf, removeLink } from '../../linux/link.ts';
import { setNeigh } from '../../linux/neigh.ts';
import { removeRoute } from '../../linux/route.ts';
import type { Netns } from '../../linux/types.ts';
import { formatIp, ip } from '../../wire/ip.ts';
import { hostCidr, loopbackUp, macFor, route, sysctls, vethPair } from '../plumbing.ts';
import { addPortMappings, removePortMappings } from '../portmap.ts';
import type { CniNode, CniPlugin, PodSandbox } from '../types.ts';
import { startCalicoNode } from './agent.ts';
import { writeConflist } from './files.ts';
import { allocate, release } from './ipam.ts';
import { vethName } from './names.ts';
import { nodeMtu, syncRoutes } from './routes.ts';

const HOST_MAC = 'ee:ee:ee:ee:ee:ee';
const GATEWAY = '169.254.1.1';
/** Felix's replacement for the plugin's own route: felix/routetable, v3.32. */
const POD_ROUTE_METRIC = 1024;

function vethSysctls(name: string, four: boolean, six: boolean): Record<string, string> {
  const out: Record<string, string> = {
    [`net.ipv6.conf.${name}.accept_ra`]: '0',
    [`net.ipv6.conf.${name}.proxy_ndp`]: six ? '1' : '0',
    [`net.ipv6.conf.${name}.forwarding`]: six ? '1' : '0',
  };
  if (!four) return out;
  return {
    ...out,
    [`net.ipv4.conf.${name}.rp_filter`]: '0',
    [`net.ipv4.conf.${name}.route_localnet`]: '1',
    [`net.ipv4.neigh.${name}.proxy_delay`]: '0',
    [`net.ipv4.conf.${name}.proxy_arp`]: '1',
    [`net.ipv4.conf.${name}.forwarding`]: '1',
  };
}

function plumb(node: CniNode, sandbox: PodSandbox): { error: string } | null {
  const name = vethName(sandbox.namespace, sandbox.name);
  loopbackUp(sandbox.netns);
  const mac = macFor(`${sandbox.namespace}/${sandbox.name}/${sandbox.ips[0]}`);
  const [host, eth0] = vethPair(node.netns, name, HOST_MAC, sandbox.netns, 'eth0', mac, nodeMtu(node));
  const [four, six] = [sandbox.ips.some(a => !a.includes(':')), sandbox.ips.some(a => a.includes(':'))];
  sysctls(node.netns, vethSysctls(name, four, six));
  for (const text of sandbox.ips) {
    const host128 = hostCidr(text);
    addAddress(eth0, host128.ip, host128.bits);
    if (text.includes(':')) {
      route(sandbox.netns, '::/0', { via: formatIp(linkLocalOf(HOST_MAC)), dev: eth0, metric: POD_ROUTE_METRIC });
      route(node.netns, text, { dev: host, metric: POD_ROUTE_METRIC });
    } else {
      route(sandbox.netns, GATEWAY, { dev: eth0, scope: 'link' });
      route(sandbox.netns, 'default', { via: GATEWAY, dev: eth0 });
      // The kubelet's first probe has made the pod ask for its gateway long before anyone looks: the entry is there, and stale by now.
      setNeigh(sandbox.netns, ip(GATEWAY), eth0, HOST_MAC, 'STALE');
      route(node.netns, text, { dev: host, scope: 'link', metric: POD_ROUTE_METRIC });
    }
  }
  addPortMappings(node, 'k8s-pod-network', sandbox);
  node.sandboxes.set(`${sandbox.namespace}/${sandbox.name}`, sandbox);
  return null;
}

function unplumb(node: CniNode, sandbox: PodSandbox): void {
  const link = linkByName(node.netns, vethName(sandbox.namespace, sandbox.name));
  if (link) {
    for (const a of sandbox.ips) dropRoute(node.netns, a, link.ifindex);
    removeLink(link);
  }
  removePortMappings(node, 'k8s-pod-network', sandbox);
  node.sandboxes.delete(`${sandbox.namespace}/${sandbox.name}`);
}

function dropRoute(ns: Netns, text: string, dev: number): void {
  removeRoute(ns, { dst: { ip: ip(text), bits: text.includes(':') ? 128 : 32 }, dev });
}

function setupNode(node: CniNode): void {
  sysctls(node.netns, { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.rp_filter': '1' });
  syncRoutes(node);
  writeConflist(node);
}

export const calico: CniPlugin = { name: 'calico', allocate, release, setupNode, plumb, unplumb, startAgent: startCalicoNode };

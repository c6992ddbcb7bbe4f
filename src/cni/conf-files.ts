// What a CNI made of the reference plugins leaves on its node: its configuration, and host-local's reservations
// (plugins v1.9.1 plugins/ipam/host-local/backend/disk; kindnetd v20251212 writes the same kind of list).
import { lookup, newFile, place } from '../linux/vfs.ts';
import { formatCidr } from '../wire/ip.ts';
import { rangeOf } from './host-local.ts';
import type { CniNode, PodSandbox } from './types.ts';

/** `network`: the list's name. `type`: the plugin that makes the interface, with its own settings. */
export function writeConflist(node: CniNode, network: string, type: string, settings: Record<string, unknown>): void {
  if (!node.fs) return;
  const ranges = node.cluster.config.families.flatMap(family => {
    const range = rangeOf(node.cluster, node.nodeName, family);
    return range ? [[{ subnet: formatCidr(range) }]] : [];
  });
  const routes = node.cluster.config.families.map(family => ({ dst: family === 6 ? '::/0' : '0.0.0.0/0' }));
  const plugins = [
    { type, ...settings, ipam: { type: 'host-local', dataDir: RESERVATIONS, routes, ranges } },
    { type: 'portmap', capabilities: { portMappings: true } },
  ];
  const text = JSON.stringify({ cniVersion: '0.3.1', name: network, plugins }, null, 2);
  place(node.fs, `/etc/cni/net.d/10-${network}.conflist`, newFile(`${text}\n`));
}

/** A folder for each network, a file for each address that is given out. */
export const RESERVATIONS = '/var/lib/cni/networks';

/** One file for each address, with whom it was given to. */
export function reserve(node: CniNode, network: string, sandbox: PodSandbox): void {
  if (!node.fs) return;
  const folder = `${RESERVATIONS}/${network}`;
  place(node.fs, `${folder}/lock`, newFile(''));
  for (const ip of sandbox.ips) {
    place(node.fs, `${folder}/${ip.replace(/:/g, '_')}`, newFile(`${sandbox.id}\r\neth0`));
    place(node.fs, `${folder}/last_reserved_ip.${ip.includes(':') && sandbox.ips.length > 1 ? 1 : 0}`, newFile(ip));
  }
}

export function unreserve(node: CniNode, network: string, sandbox: PodSandbox): void {
  const folder = node.fs && lookup(node.fs, `${RESERVATIONS}/${network}`);
  if (!folder || typeof folder === 'string' || folder.kind !== 'dir') return;
  for (const ip of sandbox.ips) folder.entries.delete(ip.replace(/:/g, '_'));
}

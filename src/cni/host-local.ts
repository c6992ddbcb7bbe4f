// host-local: each node gives out the addresses of its own podCIDR (plugins v1.9.1 plugins/ipam/host-local/backend/allocator).
import { addToIp, type Cidr, cidrSize, type Family, formatCidr, formatIp, inCidr, network, parseCidr, parseIp } from '../wire/ip.ts';
import { nodeNamed, ofFamily } from './nodes.ts';
import type { CniCluster, IpamBlock, PodRef } from './types.ts';

export function rangeOf(cluster: CniCluster, nodeName: string, family: Family): Cidr | null {
  const text = ofFamily(nodeNamed(cluster.server, nodeName)?.podCIDRs ?? [], family);
  const cidr = text ? parseCidr(text) : null;
  return cidr && network(cidr);
}

/** The gateway is the first address of the range. */
export const gatewayOf = (range: Cidr): string => formatIp(addToIp(range.ip, 1));

function blockOf(cluster: CniCluster, nodeName: string, family: Family): IpamBlock | null {
  const blocks = cluster.ipam.blocks[family];
  const found = blocks.find(b => b.node === nodeName);
  if (found) return found;
  const range = rangeOf(cluster, nodeName, family);
  if (!range) return null;
  const block: IpamBlock = { cidr: formatCidr(range), node: nodeName, used: {}, last: null };
  blocks.push(block);
  for (const tell of [...cluster.blocksChanged]) tell();
  return block;
}

const NONE: ReadonlySet<string> = new Set();

/** The next address behind the last one given out, going round at the end; network, gateway and broadcast are left out. */
function next(block: IpamBlock, reserved: ReadonlySet<string>): string | null {
  const cidr = parseCidr(block.cidr) as Cidr;
  const size = Math.min(cidrSize(cidr), 65_536);
  const top = size - (cidr.ip.length === 4 ? 1 : 0);
  const from = block.last ? offset(cidr, block.last) + 1 : 1;
  for (let i = 0; i < size; i++) {
    const n = (from + i) % size;
    if (n < 2 || n >= top) continue;
    const text = formatIp(addToIp(cidr.ip, n));
    if (!(text in block.used) && !reserved.has(text)) return text;
  }
  return null;
}

function offset(cidr: Cidr, text: string): number {
  const a = parseIp(text) as Uint8Array;
  let n = 0;
  for (let i = Math.max(0, a.length - 4); i < a.length; i++) n = n * 256 + a[i] - cidr.ip[i];
  return n;
}

export function allocate(cluster: CniCluster, pod: PodRef): string[] | { error: string } {
  const owner = `${pod.namespace}/${pod.name}`;
  const ips: string[] = [];
  for (const family of cluster.config.families) {
    const block = blockOf(cluster, pod.nodeName, family);
    if (!block) return { error: `failed to allocate for range 0: node "${pod.nodeName}" has no podCIDR` };
    const wanted = (pod.wanted ?? []).find(w => w.includes(':') === (family === 6));
    const ip = wanted ? parseIp(wanted) : null;
    let text = ip && (!(formatIp(ip) in block.used) || block.used[formatIp(ip)] === owner) ? formatIp(ip) : null;
    if (text === null) {
      text = next(block, pod.reserved ?? NONE);
      if (text === null) {
        release(cluster, pod);
        const range = parseCidr(block.cidr) as Cidr;
        const last = formatIp(addToIp(range.ip, cidrSize(range) - (family === 4 ? 2 : 1)));
        return { error: `failed to allocate for range 0: no IP addresses available in range set: ${gatewayOf(range)}-${last}` };
      }
      block.last = text;
    }
    block.used[text] = owner;
    ips.push(text);
  }
  return ips;
}

export function release(cluster: CniCluster, pod: { namespace: string; name: string }): void {
  const owner = `${pod.namespace}/${pod.name}`;
  for (const family of [4, 6] as const) {
    for (const b of cluster.ipam.blocks[family]) for (const [ip, who] of Object.entries(b.used)) if (who === owner) delete b.used[ip];
  }
}

/** The address with its range's prefix length, as the plugins' results have it. */
export function withPrefix(range: Cidr | null, ip: string): string {
  const address = parseIp(ip) as Uint8Array;
  return range && inCidr(range, address) ? `${ip}/${range.bits}` : `${ip}/${address.length * 8}`;
}

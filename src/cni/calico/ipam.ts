// Calico's IPAM: blocks of 64 addresses with an affinity to a node (libcalico-go/lib/ipam v3.32). Which block a node gets first is decided by
// its podCIDR here, not by a hash of its name, so that addresses can be read; everything else follows upstream.
import {
  addToIp,
  type Cidr,
  cidrSize,
  type Family,
  familyOf,
  formatCidr,
  formatIp,
  inCidr,
  network,
  parseCidr,
  parseIp,
} from '../../wire/ip.ts';
import { allNodes, nodeNamed, ofFamily } from '../nodes.ts';
import type { CniCluster, IpamBlock, PodRef } from '../types.ts';
import { inEnabledPool, poolsOf } from './pools.ts';

const BLOCK_BITS = { 4: 26, 6: 122 } as const;
/** The first address of a node's first block belongs to its tunnel device. */
const TUNNEL = 'tunnel address';

export const blocksOf = (cluster: CniCluster, family: Family): IpamBlock[] => cluster.ipam.blocks[family];

const changed = (cluster: CniCluster): void => {
  for (const tell of [...cluster.blocksChanged]) tell();
};

const blockAt = (ip: Uint8Array): Cidr => network({ ip, bits: BLOCK_BITS[familyOf(ip)] });

/** The block of a node's own podCIDR, claimed when the node is first seen: `10.244.N.0/26`. */
export function ensureNodeBlock(cluster: CniCluster, nodeName: string, family: Family): IpamBlock | null {
  const owned = blocksOf(cluster, family).find(b => b.node === nodeName && !isHost(b));
  if (owned) return owned;
  const pools = poolsOf(cluster, family);
  if (!pools.some(p => p.enabled)) return null;
  const own = parseCidr(ofFamily(nodeNamed(cluster.server, nodeName)?.podCIDRs ?? [], family) ?? '');
  const first = own && blockAt(own.ip);
  if (first && inEnabledPool(pools, first) && !ownerOf(cluster, first)) return claim(cluster, nodeName, first);
  return claimNext(cluster, nodeName, family);
}

const isHost = (b: IpamBlock): boolean => b.cidr.endsWith('/32') || b.cidr.endsWith('/128');

function ownerOf(cluster: CniCluster, block: Cidr): IpamBlock | undefined {
  const text = formatCidr(block);
  return blocksOf(cluster, familyOf(block.ip)).find(b => b.cidr === text);
}

function claim(cluster: CniCluster, node: string, cidr: Cidr): IpamBlock {
  const family = familyOf(cidr.ip);
  const blocks = blocksOf(cluster, family);
  const first = !blocks.some(b => b.node === node && !isHost(b)) && cidr.bits === BLOCK_BITS[family];
  const block: IpamBlock = { cidr: formatCidr(cidr), node, used: first ? { [formatIp(cidr.ip)]: TUNNEL } : {}, last: null };
  blocks.push(block);
  changed(cluster);
  return block;
}

/** A further block: of the node's own podCIDR, else one that is in nobody's, else any free one of the pool. */
function claimNext(cluster: CniCluster, node: string, family: Family): IpamBlock | null {
  const pools = poolsOf(cluster, family).filter(p => p.enabled);
  const nodes = allNodes(cluster.server);
  const taken = new Set(blocksOf(cluster, family).map(b => b.cidr));
  const own = ofFamily(nodes.find(n => n.name === node)?.podCIDRs ?? [], family);
  const others = nodes.flatMap(n => (n.name === node ? [] : (parseCidr(ofFamily(n.podCIDRs, family) ?? '') ?? [])));
  const search = (text: string, allowed: (c: Cidr) => boolean): IpamBlock | null => {
    const range = parseCidr(text);
    if (!range) return null;
    const bits = Math.max(range.bits, BLOCK_BITS[family]);
    const size = 2 ** (range.ip.length * 8 - bits);
    // Looking at some thousands of blocks is enough for any cluster that fits in memory.
    for (let i = 0; i < Math.min(cidrSize(range) / size, 65_536); i++) {
      const block = { ip: addToIp(network(range).ip, i * size), bits };
      if (!taken.has(formatCidr(block)) && allowed(block)) return claim(cluster, node, block);
    }
    return null;
  };
  const inAny = (allowed: (c: Cidr) => boolean): IpamBlock | null => {
    for (const p of pools) {
      const found = search(p.cidr, allowed);
      if (found) return found;
    }
    return null;
  };
  const ofOwn = own ? search(own, b => inEnabledPool(pools, b)) : null;
  return ofOwn || inAny(b => !others.some(o => inCidr(o, b.ip))) || inAny(() => true);
}

/** The next free address behind the one given out last: what was released waits its turn at the end. */
function nextFree(block: IpamBlock): string | null {
  const cidr = parseCidr(block.cidr) as Cidr;
  const size = cidrSize(cidr);
  if (Object.keys(block.used).length >= size) return null;
  const from = block.last ? offsetOf(cidr, parseIp(block.last) as Uint8Array) + 1 : 0;
  for (let i = 0; i < size; i++) {
    const text = formatIp(addToIp(cidr.ip, (from + i) % size));
    if (!(text in block.used)) return text;
  }
  return null;
}

const offsetOf = (cidr: Cidr, ip: Uint8Array): number => ip[ip.length - 1] - cidr.ip[cidr.ip.length - 1];

function assign(block: IpamBlock, ip: string, pod: string): string {
  block.used[ip] = pod;
  return ip;
}

/** An address that was asked for; null: someone else has it. A block that is nobody's becomes the node's own. */
function assignWanted(cluster: CniCluster, pod: PodRef, owner: string, text: string): string | null {
  const ip = parseIp(text);
  if (!ip) return null;
  const family = familyOf(ip);
  const canonical = formatIp(ip);
  const blocks = blocksOf(cluster, family);
  const holder = blocks.find(b => canonical in b.used);
  if (holder) return holder.used[canonical] === owner ? canonical : null;
  const cidr = blockAt(ip);
  const block = ownerOf(cluster, cidr);
  const inPool = poolsOf(cluster, family).some(p => inCidr(parseCidr(p.cidr) as Cidr, ip));
  if (block && block.node === pod.nodeName) return assign(block, canonical, owner);
  if (!block && inPool) return assign(claim(cluster, pod.nodeName, cidr), canonical, owner);
  // Of another node's block, or of no pool: a route of its own leads to it.
  return assign(claim(cluster, pod.nodeName, { ip, bits: ip.length * 8 }), canonical, owner);
}

export function allocate(cluster: CniCluster, pod: PodRef): string[] | { error: string } {
  const owner = `${pod.namespace}/${pod.name}`;
  const ips: string[] = [];
  for (const family of cluster.config.families) {
    const pools = poolsOf(cluster, family);
    ensureNodeBlock(cluster, pod.nodeName, family);
    const wanted = (pod.wanted ?? []).find(w => w.includes(':') === (family === 6));
    let ip = wanted ? assignWanted(cluster, pod, owner, wanted) : null;
    if (ip === null) {
      for (const b of blocksOf(cluster, family)) {
        const usable = b.node === pod.nodeName && !isHost(b) && inEnabledPool(pools, parseCidr(b.cidr) as Cidr);
        const free = usable ? nextFree(b) : null;
        if (free === null) continue;
        b.last = free;
        ip = assign(b, free, owner);
        break;
      }
    }
    if (ip === null && !pools.some(p => p.enabled)) {
      release(cluster, pod);
      return { error: `failed to request IPv${family} addresses: no configured Calico pools for node ${pod.nodeName}` };
    }
    if (ip === null) {
      const block = claimNext(cluster, pod.nodeName, family);
      const free = block && nextFree(block);
      if (!block || !free) {
        release(cluster, pod);
        return {
          error: `failed to request IPv${family} addresses: failed to allocate new IPs: Assigned 0 out of 1 requested IPv${family} addresses; No more free affine blocks and strict affinity enabled`,
        };
      }
      block.last = free;
      ip = assign(block, free, owner);
    }
    ips.push(ip);
  }
  return ips;
}

export function release(cluster: CniCluster, pod: { namespace: string; name: string }): void {
  const owner = `${pod.namespace}/${pod.name}`;
  let gone = false;
  for (const family of [4, 6] as const) {
    const blocks = blocksOf(cluster, family);
    for (const b of [...blocks]) {
      for (const [ip, who] of Object.entries(b.used)) if (who === owner) delete b.used[ip];
      if (isHost(b) && !Object.keys(b.used).length) {
        blocks.splice(blocks.indexOf(b), 1);
        gone = true;
      }
    }
  }
  if (gone) changed(cluster);
}

/** The tunnel's address on a node: the first of its first block. */
export function tunnelAddress(cluster: CniCluster, nodeName: string, family: Family): string | null {
  const block = blocksOf(cluster, family).find(b => b.node === nodeName && !isHost(b));
  const cidr = block && parseCidr(block.cidr);
  return cidr ? formatIp(cidr.ip) : null;
}

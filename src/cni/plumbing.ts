// Steps that several plugins share: the veth pair, addresses and routes, by the names that libcni's plugins give them.
import { addAddress, addVeth, linkByName, removeLink, setUp } from '../linux/link.ts';
import { addRoute } from '../linux/route.ts';
import { setSysctl } from '../linux/sysctl.ts';
import type { Link, Netns, Route } from '../linux/types.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha1 } from '../sim/sha1.ts';
import { type Cidr, cidr, ip, parseIp } from '../wire/ip.ts';

/** A locally administered address that follows from what it is for: the same pod gets the same one again. */
export function macFor(text: string): string {
  const h = hex(sha1(stringToBytes(text)));
  const first = ((Number.parseInt(h.slice(0, 2), 16) & 0xfc) | 2).toString(16).padStart(2, '0');
  return [first, ...[2, 4, 6, 8, 10].map(i => h.slice(i, i + 2))].join(':');
}

export const hostCidr = (text: string): Cidr => {
  const address = ip(text);
  return { ip: address, bits: address.length * 8 };
};

export const toCidr = (text: string): Cidr => (text.includes('/') ? cidr(text) : hostCidr(text));

/** A veth pair with both ends up: `[host's, pod's]`. Remains of an earlier pod of the same name go first. */
export function vethPair(
  host: Netns,
  hostName: string,
  hostMac: string | undefined,
  pod: Netns,
  podName: string,
  podMac: string,
  mtu: number,
): [Link, Link] {
  const stale = linkByName(host, hostName);
  if (stale) removeLink(stale);
  const inPod = linkByName(pod, podName);
  if (inPod) removeLink(inPod);
  const [a, b] = addVeth({ netns: host, name: hostName, mac: hostMac, mtu }, { netns: pod, name: podName, mac: podMac, mtu });
  setUp(a, true);
  setUp(b, true);
  return [a, b];
}

export function loopbackUp(pod: Netns): void {
  const lo = linkByName(pod, 'lo');
  if (lo && !lo.up) setUp(lo, true);
}

export function address(link: Link, text: string, bits?: number): void {
  const c = toCidr(text);
  addAddress(link, c.ip, bits ?? c.bits);
}

/** `ip route replace` in main; `boot` is what routes get whose maker names no protocol. */
export function route(ns: Netns, dst: string, r: Omit<Partial<Route>, 'dst' | 'via' | 'dev'> & { via?: string; dev?: Link } = {}): void {
  const { via, dev, ...rest } = r;
  const full: Partial<Route> & { dst: Cidr } = {
    proto: 'boot',
    ...rest,
    dst: dst === 'default' ? cidr('0.0.0.0/0') : toCidr(dst),
    via: via ? parseIp(via) : null,
    dev: dev?.ifindex ?? null,
  };
  addRoute(ns, full, 254, 'replace');
}

export function sysctls(ns: Netns, values: Record<string, string>): void {
  for (const [key, value] of Object.entries(values)) setSysctl(ns, key, value);
}

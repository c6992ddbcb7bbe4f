// MetalLB's admission webhooks: a pool or an advertisement that would make the configuration wrong is refused (metallb v0.15.3
// internal/k8s/webhooks/webhookv1beta1, internal/config/config.go). Those of BGP take what comes: nothing here speaks it.
import { listObjects } from '../../apiserver/store.ts';
import type { AdmissionAnswer, AdmissionReview, KubeObject } from '../../apiserver/types.ts';
import { addToIp, type Cidr, compareIp, formatCidr, type Ip, inCidr, network, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import type { AdmissionContext } from '../context.ts';
import { POOLS } from './pools.ts';

const denied = (message: string): AdmissionAnswer => ({ allowed: false, code: 403, message });

/** Go's %q. */
const quoted = (text: string): string => JSON.stringify(text);

/** The prefixes that make up a range, from its beginning (ipaddr.Summarize). */
export function summarize(first: Ip, last: Ip): Cidr[] {
  const out: Cidr[] = [];
  const width = first.length * 8;
  for (let ip = first; compareIp(ip, last) <= 0; ) {
    let bits = width;
    while (bits > 0) {
      const wider = { ip, bits: bits - 1 };
      if (!sameIp(network(wider).ip, ip) || compareIp(lastOf(wider), last) > 0) break;
      bits--;
    }
    const block = { ip, bits };
    out.push(block);
    const end = lastOf(block);
    if (sameIp(end, last)) break;
    ip = addToIp(end, 1);
  }
  return out;
}

function lastOf(c: Cidr): Ip {
  const ip = Uint8Array.from(c.ip);
  for (let bit = c.bits; bit < ip.length * 8; bit++) ip[bit >> 3] |= 0x80 >> (bit & 7);
  return ip;
}

/** config.ParseCIDR: the prefixes of `A-B` or of a CIDR, or what is wrong with it. */
function prefixesOf(entry: string): Cidr[] | string {
  if (!entry.includes('-')) {
    const c = entry.includes('/') ? parseCidr(entry) : null;
    return c ? [network(c)] : `invalid CIDR ${quoted(entry)}`;
  }
  const at = entry.indexOf('-');
  const [from, to] = [entry.slice(0, at), entry.slice(at + 1)];
  const [first, last] = [parseIp(from.trim()), parseIp(to.trim())];
  const wrong = `invalid IP range ${quoted(entry)}`;
  if (!first) return `${wrong}: invalid start IP ${quoted(from)}`;
  if (!last) return `${wrong}: invalid end IP ${quoted(to)}`;
  if (first.length !== last.length || compareIp(first, last) > 0)
    return `${wrong}: start IP ${quoted(from.trim())} is after the end IP ${quoted(to.trim())}`;
  return summarize(first, last);
}

const overlap = (a: Cidr, b: Cidr): boolean => a.ip.length === b.ip.length && (inCidr(a, b.ip) || inCidr(b, a.ip));

/** poolsFor: the first mistake of these pools taken together. */
function poolsMistake(pools: KubeObject[]): string | null {
  const all: Cidr[] = [];
  for (const pool of pools) {
    const { name } = pool.metadata;
    const addresses: string[] = pool.spec?.addresses ?? [];
    if (!addresses.length) return `parsing address pool ${name}: pool has no prefixes defined`;
    const own: Cidr[] = [];
    for (const entry of addresses) {
      const prefixes = prefixesOf(entry);
      if (typeof prefixes === 'string')
        return `parsing address pool ${name}: invalid CIDR ${quoted(entry)} in pool ${quoted(name)}: ${prefixes}`;
      own.push(...prefixes);
    }
    for (const c of own) {
      const other = all.find(o => overlap(c, o));
      if (other)
        return `CIDR ${quoted(formatCidr(c))} in pool ${quoted(name)} overlaps with already defined CIDR ${quoted(formatCidr(other))}`;
      all.push(c);
    }
  }
  return null;
}

const foreign = (o: KubeObject, pod: KubeObject): string | null =>
  o.metadata.namespace === pod.metadata.namespace ? null : `resource must be created in ${pod.metadata.namespace} namespace`;

/** The kept ones with the new or changed one in its place, or at the end. */
function withUpdate(kept: KubeObject[], o: KubeObject): KubeObject[] {
  const at = kept.findIndex(k => k.metadata.name === o.metadata.name && k.metadata.namespace === o.metadata.namespace);
  return at < 0 ? [...kept, o] : kept.map((k, i) => (i === at ? o : k));
}

function checkPool({ operation, object }: AdmissionReview, { server, pod }: AdmissionContext): AdmissionAnswer {
  const message = (operation === 'CREATE' ? foreign(object, pod) : null) ?? poolsMistake(withUpdate(listObjects(server, POOLS), object));
  return message === null ? { allowed: true } : denied(message);
}

function checkL2({ operation, object }: AdmissionReview, { pod }: AdmissionContext): AdmissionAnswer {
  const names: string[] = object.spec?.ipAddressPools ?? [];
  const twice = names.find((n, i) => names.indexOf(n) < i);
  const message =
    (operation === 'CREATE' ? foreign(object, pod) : null) ??
    (twice === undefined ? null : `duplicate definition of ipAddressPools ${quoted(twice)}`);
  return message === null ? { allowed: true } : denied(message);
}

const allow = (): AdmissionAnswer => ({ allowed: true });

export const METALLB_WEBHOOKS = {
  '/validate-metallb-io-v1beta1-ipaddresspool': checkPool,
  '/validate-metallb-io-v1beta1-l2advertisement': checkL2,
  '/validate-metallb-io-v1beta1-bgpadvertisement': allow,
  '/validate-metallb-io-v1beta1-community': allow,
  '/validate-metallb-io-v1beta1-bfdprofile': allow,
  '/validate-metallb-io-v1beta2-bgppeer': allow,
};

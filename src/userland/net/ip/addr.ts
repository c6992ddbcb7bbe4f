// `ip address` (iproute2 6.1 ip/ipaddress.c).
import { addAddress, broadcastOf, removeAddress } from '../../../linux/link.ts';
import type { Link, LinkAddress } from '../../../linux/types.ts';
import { type Cidr, formatIp, type Ip, inCidr, network, sameIp } from '../../../wire/ip.ts';
import { ADDRESS_USAGE } from '../usage/ip.ts';
import {
  address,
  complainTo,
  deviceNamed,
  fail,
  type IpContext,
  type IpObject,
  matches,
  needAdmin,
  next,
  out,
  outJson,
  paintIp,
  perform,
  prefix,
  refused,
  refusedWith,
  type Words,
  wrong,
} from './context.ts';
import { linkFilter, selectLinks } from './link.ts';
import { briefHead, linkHead, linkJson, statsText } from './link-text.ts';

const ADDRESS: IpObject = {
  name: 'address',
  short: 'addr',
  usage: ADDRESS_USAGE,
  verbs: [
    [['show', 'list', 'lst'], show],
    [['add'], (c, w) => change(c, w, 'add')],
    [['replace', 'change'], (c, w) => change(c, w, 'replace')],
    [['delete'], (c, w) => change(c, w, 'del')],
    [['flush'], flush],
  ],
};

export const ipAddr = (c: IpContext, w: Words): void => perform(c, w, ADDRESS);

/** A second address of the same network. */
function isSecondary(link: Link, a: LinkAddress): boolean {
  if (a.ip.length !== 4) return false;
  for (const other of link.addresses) {
    if (other === a) return false;
    if (other.ip.length === 4 && other.bits === a.bits && inCidr(network({ ip: other.peer ?? other.ip, bits: other.bits }), a.peer ?? a.ip))
      return true;
  }
  return false;
}

const kernelProto = (c: IpContext, link: Link, a: LinkAddress): string | undefined => {
  if (c.u.tools < 13 || c.busybox || a.ip.length !== 16) return undefined;
  if (link.kind === 'loopback') return 'kernel_lo';
  return a.scope === 'link' ? 'kernel_ll' : undefined;
};

function addressText(c: IpContext, link: Link, a: LinkAddress): string {
  const four = a.ip.length === 4;
  let s = `    inet${four ? '' : '6'} ${paintIp(c, a.ip, formatIp(a.ip))}${a.peer ? ` peer ${paintIp(c, a.peer, formatIp(a.peer))}` : ''}/${a.bits}`;
  if (a.broadcast) s += ` brd ${paintIp(c, a.broadcast, formatIp(a.broadcast))}`;
  s += ` scope ${a.scope} `;
  if (isSecondary(link, a)) s += 'secondary ';
  const proto = kernelProto(c, link, a);
  if (proto) s += `proto ${proto} `;
  if (four) s += a.label ?? link.name;
  return `${s}${c.oneline ? '\\' : '\n'}       valid_lft forever preferred_lft forever`;
}

function addressJson(c: IpContext, link: Link, a: LinkAddress): Record<string, unknown> {
  return {
    family: a.ip.length === 4 ? 'inet' : 'inet6',
    local: formatIp(a.ip),
    address: a.peer ? formatIp(a.peer) : undefined,
    prefixlen: a.bits,
    broadcast: a.broadcast ? formatIp(a.broadcast) : undefined,
    scope: a.scope,
    protocol: kernelProto(c, link, a),
    secondary: isSecondary(link, a) || undefined,
    label: a.ip.length === 4 ? (a.label ?? link.name) : undefined,
    valid_life_time: 4294967295,
    preferred_life_time: 4294967295,
  };
}

const SCOPES = ['global', 'link', 'host', 'site', 'nowhere'];

const inOrder = (c: IpContext, link: Link): LinkAddress[] =>
  c.linkOnly
    ? []
    : [
        ...(c.family === 6 ? [] : link.addresses.filter(a => a.ip.length === 4)),
        ...(c.family === 4 ? [] : link.addresses.filter(a => a.ip.length === 16)),
      ];

interface AddressFilter {
  to: Cidr | null;
  label: string | null;
}

function addressFilter(c: IpContext, words: string[]): AddressFilter {
  const at = (word: string) => (words.includes(word) ? (words[words.indexOf(word) + 1] ?? '') : null);
  const to = at('to');
  return { to: to === null ? null : prefix(c, to), label: at('label') };
}

/** A shell's pattern (fnmatch); addresses of IPv6 have no label. */
function labelled(link: Link, a: LinkAddress, pattern: string | null): boolean {
  if (pattern === null) return true;
  const as = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return a.ip.length === 4 && new RegExp(`^${as}$`).test(a.label ?? link.name);
}

function show(c: IpContext, w: Words): void {
  const words = [...w.left];
  const scope = words.includes('scope') ? words[words.indexOf('scope') + 1] : null;
  if (scope && !SCOPES.includes(scope) && !/^\d+$/.test(scope) && !c.busybox) wrong(scope, 'invalid "scope"\n');
  const { to, label } = addressFilter(c, words);
  const filter = linkFilter(c, w);
  const links = selectLinks(c, filter);
  const wanted = (l: Link) =>
    inOrder(c, l).filter(a => (!scope || a.scope === scope) && (!to || inCidr(to, a.ip)) && labelled(l, a, label));
  const shown = links.filter(l => (c.family === null && !to && !scope && label === null) || wanted(l).length > 0);
  if (c.json) {
    const rows = shown.map(l => {
      const full = { ...linkJson(c, l, false), addr_info: wanted(l).map(a => addressJson(c, l, a)) };
      if (!c.brief) return full;
      const { link, link_index, ifname, operstate } = full as Record<string, unknown>;
      return { link, link_index, ifname, operstate, addr_info: wanted(l).map(a => ({ local: formatIp(a.ip), prefixlen: a.bits })) };
    });
    outJson(c, rows);
    return;
  }
  for (const l of shown) {
    if (c.brief) {
      const words6 = wanted(l).map(
        a => `${paintIp(c, a.ip, formatIp(a.ip))}${a.peer ? ` peer ${paintIp(c, a.peer, formatIp(a.peer))}` : ''}/${a.bits} `,
      );
      out(c, `${briefHead(c, l)}${words6.join('')}\n`);
      continue;
    }
    if (c.oneline) {
      for (const a of wanted(l)) out(c, `${l.ifindex}: ${l.name}${addressText(c, l, a)}\n`);
      continue;
    }
    const lines = [
      linkHead(c, l, { mode: false, withLayer2: c.family === null && !to && label === null, full: filter.dev !== null }),
      ...wanted(l).map(a => addressText(c, l, a)),
    ];
    out(c, `${lines.join('\n')}${c.stats ? statsText(c, l) : ''}\n`);
  }
}

const WILDCARD = (address: string): string =>
  `Warning: Executing wildcard deletion to stay compatible with old scripts.
         Explicitly specify the prefix length (${address}/32) to avoid this warning.
         This special behaviour is likely to disappear in further releases,
         fix your scripts!
`;

function change(c: IpContext, w: Words, what: 'add' | 'replace' | 'del'): void {
  let local: { ip: Ip; bits: number } | null = null;
  let peer: { ip: Ip; bits: number } | null = null;
  let link: Link | null = null;
  let broadcast: Ip | '+' | '-' | null = null;
  let scope: LinkAddress['scope'] | undefined;
  let label: string | undefined;
  let bitsGiven = false;
  const localOf = (text: string) => {
    bitsGiven = text.includes('/');
    return prefix(c, text);
  };
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'dev') link = deviceNamed(c, next(c, w));
    else if (word === 'peer' || word === 'remote') peer = prefix(c, next(c, w));
    else if (matches(word, 'broadcast') || word === 'brd') {
      const text = next(c, w);
      broadcast = text === '+' || text === '-' ? text : address(c, text);
    } else if (word === 'scope') scope = next(c, w) as LinkAddress['scope'];
    else if (word === 'label') label = next(c, w);
    else if (word === 'nodad' || word === 'noprefixroute' || word === 'home') continue;
    else if (word === 'valid_lft' || word === 'preferred_lft' || word === 'metric') next(c, w);
    else if (word === 'local') local = localOf(next(c, w));
    else if (local) fail(`Error: either "local" is duplicate, or "${word}" is a garbage.`, 255);
    else local = localOf(word);
  }
  if (!link) {
    fail(c.busybox ? 'ip: need "dev" argument' : 'Not enough information: "dev" argument is required.', 1);
    return;
  }
  if (!local) {
    // The kernel is asked for an address of no family.
    refused(c, 'EOPNOTSUPP');
    return;
  }
  needAdmin(c);
  if (what === 'del') {
    if (!c.busybox && !bitsGiven && local.ip.length === 4) complainTo(c, WILDCARD(formatIp(local.ip)));
    remove(c, link, local);
    return;
  }
  const bits = peer ? peer.bits : local.bits;
  const brd = broadcast === '+' ? broadcastOf(local.ip, bits) : broadcast === '-' ? null : (broadcast as Ip | null);
  if (what === 'replace' && link.addresses.some(a => sameIp(a.ip, local.ip) && a.bits === bits)) return;
  const e = addAddress(link, local.ip, bits, { scope, label, broadcast: brd, peer: peer?.ip });
  if (e === 'EEXIST') refusedWith(c, local.ip.length === 4 ? 'ipv4: Address already assigned.' : 'ipv6: address already assigned.', e);
  else if (e) refusedWith(c, 'IPv6 is disabled on this device.', e);
  c.ns.dirty.add('links').add('routes');
}

function remove(c: IpContext, link: Link, local: { ip: Ip; bits: number }): void {
  const found = link.addresses.find(a => sameIp(a.ip, local.ip) && (a.bits === local.bits || local.bits === local.ip.length * 8));
  if (!found) {
    refusedWith(c, local.ip.length === 4 ? 'ipv4: Address not found.' : 'ipv6: address not found.', 'EADDRNOTAVAIL');
    return;
  }
  // The secondaries of a network go with its primary (promote_secondaries = 0).
  const secondaries = isSecondary(link, found)
    ? []
    : link.addresses.filter(
        a =>
          a !== found &&
          a.ip.length === 4 &&
          found.ip.length === 4 &&
          a.bits === found.bits &&
          inCidr(network({ ip: found.ip, bits: found.bits }), a.ip),
      );
  removeAddress(link, found.ip, found.bits);
  for (const a of secondaries) removeAddress(link, a.ip, a.bits);
  c.ns.dirty.add('links').add('routes');
}

function flush(c: IpContext, w: Words): void {
  if (!w.left.length) {
    fail('Flush requires arguments.', 1);
    return;
  }
  const scope = w.left.includes('scope') ? w.left[w.left.indexOf('scope') + 1] : null;
  const { to, label } = addressFilter(c, w.left);
  const f = linkFilter(c, w);
  needAdmin(c);
  for (const l of selectLinks(c, f))
    for (const a of inOrder(c, l))
      if ((!scope || a.scope === scope) && (!to || inCidr(to, a.ip)) && labelled(l, a, label)) removeAddress(l, a.ip, a.bits);
  c.ns.dirty.add('links').add('routes');
}

// DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP (libxt_NAT.c, libxt_MASQUERADE.c, libxt_REDIRECT.c, libxt_NETMAP.c 1.8.9; xt_nat.c,
// nf_nat_masquerade.c, nf_nat_redirect.c of Linux 6.18).
import { formatIp, type Ip, ip as literal, parseIp } from '../../../wire/ip.ts';
import { selectSource } from '../../route.ts';
import type { Skb } from '../../types.ts';
import { last } from '../matches/row.ts';
import { type NatRange, setupNat } from '../nat.ts';
import type { HookContext } from '../types.ts';
import { isProblem, masked, maskOf, type Option, type ParseContext, type Problem, parseAddress, parsePort, usage } from '../values.ts';
import type { BuiltTarget, TargetRow } from './row.ts';

const NEED_PROTO = 'Need TCP, UDP, SCTP or DCCP with port specification';
const portProto = (c: ParseContext) => !c.protoInvert && [6, 17, 33, 132].includes(c.proto);

/** `ADDR[-ADDR][:PORT[-PORT]]`, `:PORT`, `[v6]:PORT`. */
function parseTo(text: string, c: ParseContext): NatRange | Problem {
  const range: NatRange = { min: null, max: null, portMin: 0, portMax: 0, random: false, randomFully: false, persistent: false };
  let addresses = text;
  let ports: string | null = null;
  if (c.family === 6) {
    const m = /^\[([^\]]*)\](?:-\[([^\]]*)\])?(?::(.*))?$/.exec(text);
    if (m) {
      addresses = m[2] === undefined ? m[1] : `${m[1]}-${m[2]}`;
      ports = m[3] ?? null;
    }
  } else if (text.includes(':')) {
    ports = text.slice(text.indexOf(':') + 1);
    addresses = text.slice(0, text.indexOf(':'));
  }
  if (ports !== null) {
    if (!portProto(c)) return usage(NEED_PROTO);
    const [a, b] = ports.split('-');
    const low = parsePort(a, c.proto);
    const high = b === undefined ? low : parsePort(b, c.proto);
    if (low === null || high === null || low === 0) return usage(`Port \`${ports}' not valid`);
    if (low > high) return usage(`Port range \`${ports}' funky`);
    range.portMin = low;
    range.portMax = high;
  }
  if (addresses !== '') {
    const [a, b] = addresses.split('-');
    range.min = parseIp(a);
    range.max = b === undefined ? range.min : parseIp(b);
    const size = c.family === 4 ? 4 : 16;
    if (!range.min || range.min.length !== size) return usage(`Bad IP address "${a}"`);
    if (!range.max || range.max.length !== size) return usage(`Bad IP address "${b}"`);
  }
  return range;
}

function rangeText(r: NatRange): string {
  let text = '';
  if (r.min && r.max) {
    const brackets = r.min.length === 16 && r.portMin > 0;
    const one = (ip: Ip) => (brackets ? `[${formatIp(ip)}]` : formatIp(ip));
    text = formatIp(r.min) === formatIp(r.max) ? one(r.min) : `${one(r.min)}-${one(r.max)}`;
  }
  return r.portMin ? `${text}:${r.portMin}${r.portMax === r.portMin ? '' : `-${r.portMax}`}` : text;
}

const flagsText = (r: NatRange, dashes: string) =>
  (r.random ? ` ${dashes}random` : '') + (r.randomFully ? ` ${dashes}random-fully` : '') + (r.persistent ? ` ${dashes}persistent` : '');

function natRow(name: 'DNAT' | 'SNAT'): TargetRow {
  const option = name === 'DNAT' ? '--to-destination' : '--to-source';
  const build = (options: Option[], c: ParseContext): BuiltTarget | Problem => {
    const o = last(options, option);
    if (!o) return usage(`${name}: option "${option}" must be specified\n`);
    const range = parseTo(o.value, c);
    if (isProblem(range)) return range;
    range.random = last(options, '--random') !== undefined;
    range.randomFully = last(options, '--random-fully') !== undefined;
    range.persistent = last(options, '--persistent') !== undefined;
    const manip = name === 'DNAT' ? 'dst' : 'src';
    return {
      run: (skb, ctx) => setupNat(ctx.netns, skb, manip, range),
      save: ` ${option} ${rangeText(range)}${flagsText(range, '--')}`,
      list: () => ` to:${rangeText(range)}${flagsText(range, '')}`,
    };
  };
  return {
    name,
    tables: ['nat'],
    hooks: name === 'DNAT' ? ['PREROUTING', 'OUTPUT'] : ['POSTROUTING', 'INPUT'],
    options: { [option]: 1, '--random': 0, '--random-fully': 0, '--persistent': 0 },
    build,
  };
}

function parsePorts(options: Option[], c: ParseContext): [number, number] | null | Problem {
  const o = last(options, '--to-ports');
  if (!o) return null;
  if (!portProto(c)) return usage(NEED_PROTO);
  const [a, b] = o.value.split('-');
  const low = parsePort(a, c.proto);
  const high = b === undefined ? low : parsePort(b, c.proto);
  if (low === null || high === null || low > high) return usage(`Port \`${o.value}' not valid`);
  return [low, high];
}

const portsText = (p: [number, number]) => (p[0] === p[1] ? `${p[0]}` : `${p[0]}-${p[1]}`);

const natRange = (ports: [number, number] | null, options: Option[]): NatRange => ({
  min: null,
  max: null,
  portMin: ports?.[0] ?? 0,
  portMax: ports?.[1] ?? 0,
  random: last(options, '--random') !== undefined,
  randomFully: last(options, '--random-fully') !== undefined,
  persistent: false,
});

/** nf_nat_masquerade: the address of the way out, nearest to the next hop. */
export function masquerade(skb: Skb, ctx: Pick<HookContext, 'netns' | 'out'>, range: NatRange): 'ACCEPT' | 'DROP' {
  const ct = skb.ct;
  if (!ct || !ctx.out) return 'DROP';
  if (ct.entry.original.src.every(b => b === 0)) return 'ACCEPT'; // DHCP
  const src = selectSource(ctx.netns, ctx.out, skb.nexthop ?? skb.packet.dst);
  if (!src) return 'DROP';
  return setupNat(ctx.netns, skb, 'src', { ...range, min: src, max: src });
}

/** nf_nat_redirect: to this machine, by the address of the device it came in, or loopback for its own. */
export function redirect(skb: Skb, ctx: Pick<HookContext, 'netns' | 'in' | 'hook' | 'family'>, range: NatRange): 'ACCEPT' | 'DROP' {
  const v6 = ctx.family === 6;
  const own = ctx.in?.addresses.find(a => a.ip.length === (v6 ? 16 : 4) && !(v6 && a.scope === 'link'))?.ip;
  const to = ctx.hook === 'OUTPUT' ? literal(v6 ? '::1' : '127.0.0.1') : own;
  return to ? setupNat(ctx.netns, skb, 'dst', { ...range, min: to, max: to }) : 'DROP';
}

const MASQUERADE: TargetRow = {
  name: 'MASQUERADE',
  tables: ['nat'],
  hooks: ['POSTROUTING'],
  options: { '--to-ports': 1, '--random': 0, '--random-fully': 0 },
  build: (options, c) => {
    const ports = parsePorts(options, c);
    if (isProblem(ports)) return ports;
    const range = natRange(ports, options);
    return {
      run: (skb, ctx) => masquerade(skb, ctx, range),
      save: (ports ? ` --to-ports ${portsText(ports)}` : '') + flagsText(range, '--'),
      list: () => (ports ? ` masq ports: ${portsText(ports)}` : '') + flagsText(range, ''),
    };
  },
};

const REDIRECT: TargetRow = {
  name: 'REDIRECT',
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT'],
  options: { '--to-ports': 1, '--random': 0 },
  build: (options, c) => {
    const ports = parsePorts(options, c);
    if (isProblem(ports)) return ports;
    const range = natRange(ports, options);
    return {
      run: (skb, ctx) => redirect(skb, ctx, range),
      save: (ports ? ` --to-ports ${portsText(ports)}` : '') + flagsText(range, '--'),
      list: () => (ports ? ` redir ports ${portsText(ports)}` : '') + flagsText(range, ''),
    };
  },
};

const NETMAP: TargetRow = {
  name: 'NETMAP',
  tables: ['nat'],
  hooks: ['PREROUTING', 'OUTPUT', 'POSTROUTING', 'INPUT'],
  options: { '--to': 1 },
  build: (options, c) => {
    const o = last(options, '--to');
    if (!o) return usage('NETMAP: option "--to" must be specified\n');
    const net = parseAddress(o.value, c.family);
    if (isProblem(net)) return net;
    const text = `${formatIp(net.ip)}/${net.bits < 0 ? formatIp(net.mask) : net.bits}`;
    const inverse = masked(
      maskOf(net.mask.length * 8, c.family),
      net.mask.map(b => ~b & 255),
    ); // prettier-ignore
    return {
      run: (skb, ctx) => {
        const manip = ctx.hook === 'PREROUTING' || ctx.hook === 'OUTPUT' ? 'dst' : 'src';
        const host = masked(skb.packet[manip], inverse);
        const to = net.ip.map((b, i) => b | host[i]);
        return setupNat(ctx.netns, skb, manip, { ...natRange(null, []), min: to, max: to });
      },
      save: ` --to ${text}`,
      list: () => ` to:${text}`,
    };
  },
};

export const NAT_TARGETS: TargetRow[] = [natRow('DNAT'), natRow('SNAT'), MASQUERADE, REDIRECT, NETMAP];

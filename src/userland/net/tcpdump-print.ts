// How tcpdump 4.99 writes one packet: print-ip.c, print-tcp.c, print-icmp.c, print-domain.c, print-arp.c.

import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { decodeMessage } from '../../wire/dns-codec.ts';
import { formatIp, type Ip } from '../../wire/ip.ts';
import {
  type Arp,
  type Frame,
  frameLength,
  type Icmp,
  type Packet,
  packetLength,
  TCP_FLAG,
  type Tcp,
  type Udp,
} from '../../wire/packet.ts';
import { checksums } from './pcap-file.ts';
import { serviceName } from './services.ts';

export interface PrintOptions {
  verbose: number;
  quiet: boolean;
  link: boolean;
  /** Names of hosts, looked up before printing; null: numbers. */
  hosts: Map<string, string> | null;
  /** -n leaves port names, -nn takes them away. */
  ports: boolean;
  absoluteSeq: boolean;
  /** Checksums are looked at; -K leaves them. */
  sums: boolean;
  /** The device leaves checksums to hardware that it does not have (veth, lo): captures show them unfinished. */
  offload: boolean;
}

/** What earlier packets of a connection said: relative sequence numbers and time stamps. */
export interface Flows {
  first: Map<string, { seq: number; ack: number }>;
  stamps: Map<string, number>;
}

export const newFlows = (): Flows => ({ first: new Map(), stamps: new Map() });

const host = (o: PrintOptions, a: Ip): string => o.hosts?.get(formatIp(a)) ?? formatIp(a);
const port = (o: PrintOptions, n: number, proto: string): string => (o.ports ? (serviceName(n, proto) ?? String(n)) : String(n));

/** The part behind the time stamp. */
export function describeFrame(f: Frame, o: PrintOptions, flows: Flows, atMs: number): string {
  const p = f.payload;
  if (o.link) {
    const types: Record<string, string> = { arp: 'ARP (0x0806)', 4: 'IPv4 (0x0800)', 6: 'IPv6 (0x86dd)' };
    const dst = f.dst === 'ff:ff:ff:ff:ff:ff' && o.hosts ? 'Broadcast' : f.dst;
    const type = types[p.kind === 'arp' ? 'arp' : p.family];
    const body = p.kind === 'arp' ? arpText(p, o, true) : o.verbose ? ipVerbose(p, o, flows, atMs) : ipText(p, o, flows, atMs);
    return `${f.src} > ${dst}, ethertype ${type}, length ${Math.max(frameLength(f), p.kind === 'arp' ? 42 : 0)}: ${body}`;
  }
  if (p.kind === 'arp') return `ARP, ${arpText(p, o, false)}`;
  if (o.verbose) return `${p.family === 4 ? 'IP' : 'IP6'} ${ipVerbose(p, o, flows, atMs)}`;
  return `${p.family === 4 ? 'IP' : 'IP6'} ${ipText(p, o, flows, atMs)}`;
}

function arpText(a: Arp, o: PrintOptions, link: boolean): string {
  const head = o.verbose || link ? (o.verbose ? 'Ethernet (len 6), IPv4 (len 4), ' : '') : '';
  const body =
    a.op === 'request'
      ? `Request who-has ${host(o, a.targetIp)}${a.targetMac && !/^(?:00:){5}00$|^(?:ff:){5}ff$/.test(a.targetMac) ? ` (${a.targetMac})` : ''} tell ${host(o, a.senderIp)}`
      : `Reply ${host(o, a.senderIp)} is-at ${a.senderMac}`;
  return `${head}${body}, length 28`;
}

const PROTO_NAMES: Record<number, string> = { 1: 'ICMP', 4: 'IPIP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

function ipVerbose(p: Packet, o: PrintOptions, flows: Flows, atMs: number): string {
  const proto = `${PROTO_NAMES[p.proto] ?? 'unknown'} (${p.proto})`;
  if (p.family === 6) {
    const next = `next-header ${proto}`;
    return `(hlim ${p.ttl}, ${next} payload length: ${packetLength(p) - 40}) ${ipText(p, o, flows, atMs)}`;
  }
  const flags = p.df ? 'DF' : 'none';
  return `(tos 0x${p.tos.toString(16)}, ttl ${p.ttl}, id ${p.id}, offset 0, flags [${flags}], proto ${proto}, length ${packetLength(p)})\n    ${ipText(p, o, flows, atMs)}`;
}

function ipText(p: Packet, o: PrintOptions, flows: Flows, atMs: number): string {
  const b = p.body;
  switch (b.kind) {
    case 'tcp':
      return `${host(o, p.src)}.${port(o, b.sport, 'tcp')} > ${host(o, p.dst)}.${port(o, b.dport, 'tcp')}: ${tcpText(p, b, o, flows, atMs)}`;
    case 'udp':
      return `${host(o, p.src)}.${port(o, b.sport, 'udp')} > ${host(o, p.dst)}.${port(o, b.dport, 'udp')}: ${udpText(p, b, o, flows, atMs)}`;
    case 'icmp':
      return `${host(o, p.src)} > ${host(o, p.dst)}: ${p.family === 4 ? icmpText(p, b, o) : icmp6Text(p, b, o)}`;
    case 'sctp':
      return `${host(o, p.src)}.${b.sport} > ${host(o, p.dst)}.${b.dport}: sctp (1) [${b.chunk.replace('_', ' ')}]`;
    case 'ipip':
      return `${host(o, p.src)} > ${host(o, p.dst)}: ${b.inner.family === 4 ? 'IP' : 'IP6'} ${ipText(b.inner, o, flows, atMs)}`;
    default:
      return `${host(o, p.src)} > ${host(o, p.dst)}: ip-proto-${p.proto} ${packetLength(p) - (p.family === 4 ? 20 : 40)}`;
  }
}

function flagText(flags: number): string {
  const letters: [number, string][] = [
    [TCP_FLAG.FIN, 'F'],
    [TCP_FLAG.SYN, 'S'],
    [TCP_FLAG.RST, 'R'],
    [TCP_FLAG.PSH, 'P'],
    [TCP_FLAG.ACK, '.'],
    [TCP_FLAG.URG, 'U'],
  ];
  return (
    letters
      .filter(([bit]) => flags & bit)
      .map(([, c]) => c)
      .join('') || 'none'
  );
}

const flowKey = (p: Packet, t: Tcp) => `${formatIp(p.src)} ${t.sport} ${formatIp(p.dst)} ${t.dport}`;
const backKey = (p: Packet, t: Tcp) => `${formatIp(p.dst)} ${t.dport} ${formatIp(p.src)} ${t.sport}`;

/** Sequence numbers count from the first packet with an ACK that was seen of a connection; that one shows its own (print-tcp.c). */
function relative(p: Packet, t: Tcp, o: PrintOptions, flows: Flows): { seq: number; ack: number } {
  const raw = { seq: t.seq >>> 0, ack: t.ack >>> 0 };
  if (o.absoluteSeq || !(t.flags & TCP_FLAG.ACK)) return raw;
  // One entry for both directions, under the lesser port.
  const turned = t.sport > t.dport || (t.sport === t.dport && formatIp(p.src) > formatIp(p.dst));
  const key = turned ? backKey(p, t) : flowKey(p, t);
  const base = flows.first.get(key);
  if (!base || t.flags & TCP_FLAG.SYN) {
    flows.first.set(key, turned ? { seq: t.ack - 1, ack: t.seq } : { seq: t.seq, ack: t.ack - 1 });
    return raw;
  }
  return turned
    ? { seq: (t.seq - base.ack) >>> 0, ack: (t.ack - base.seq) >>> 0 }
    : { seq: (t.seq - base.seq) >>> 0, ack: (t.ack - base.ack) >>> 0 };
}

function tcpText(p: Packet, t: Tcp, o: PrintOptions, flows: Flows, atMs: number): string {
  if (o.quiet) return `tcp ${t.data.length}`;
  const { seq, ack } = relative(p, t, o, flows);
  let out = `Flags [${flagText(t.flags)}]`;
  if (o.verbose && o.sums) out += `, ${tcpSum(p, o)}`;
  if (o.verbose > 1 || t.data.length > 0 || t.flags & (TCP_FLAG.SYN | TCP_FLAG.FIN | TCP_FLAG.RST))
    out += `, seq ${seq}${t.data.length ? `:${(seq + t.data.length) >>> 0}` : ''}`;
  if (t.flags & TCP_FLAG.ACK) out += `, ack ${ack}`;
  out += `, win ${t.window}`;
  if (!(t.flags & TCP_FLAG.RST)) out += `, options [${options(p, t, flows, atMs)}]`;
  out += `, length ${t.data.length}`;
  return t.data.length ? out + applicationText(t, o) : out;
}

const hex4 = (n: number) => `0x${n.toString(16).padStart(4, '0')}`;

function tcpSum(p: Packet, o: PrintOptions): string {
  const c = checksums(p);
  return o.offload ? `cksum ${hex4(c.partial)} (incorrect -> ${hex4(c.full)})` : `cksum ${hex4(c.full)} (correct)`;
}

function udpSum(p: Packet, o: PrintOptions): string {
  if (o.verbose < 2 || !o.sums) return '';
  const c = checksums(p);
  return o.offload ? `[bad udp cksum ${hex4(c.partial)} -> ${hex4(c.full)}!] ` : '[udp sum ok] ';
}

/** Linux's options: the time stamp's value runs in milliseconds from the connection's own start. */
function options(p: Packet, t: Tcp, flows: Flows, atMs: number): string {
  const key = flowKey(p, t);
  let hash = 0;
  for (const c of key) hash = (Math.imul(hash, 31) + c.charCodeAt(0)) >>> 0;
  const value = (hash + Math.floor(atMs)) >>> 0;
  const echo = t.flags & TCP_FLAG.ACK ? (flows.stamps.get(backKey(p, t)) ?? 0) : 0;
  flows.stamps.set(key, value);
  const stamp = `TS val ${value} ecr ${echo}`;
  return t.mss === undefined ? `nop,nop,${stamp}` : `mss ${t.mss},sackOK,${stamp},nop,wscale 7`;
}

function applicationText(t: Tcp, o: PrintOptions): string {
  const http = [80, 8080, 3128].some(n => t.sport === n || t.dport === n);
  if (t.sport === 53 || t.dport === 53) {
    const m = decodeMessage(t.data.subarray(2));
    if (m) return ` ${dnsText(m, t.data.length - 2, 0)}`;
  }
  if (!http) return '';
  const text = Array.from(t.data, b => String.fromCharCode(b)).join('');
  const line = /^(?:(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) \S+ HTTP\/\d\.\d|HTTP\/\d\.\d \d{3}[^\r\n]*)/.exec(text);
  if (!line) return ': HTTP';
  return o.verbose ? `: HTTP, length: ${t.data.length}${textLines(text)}` : `: HTTP: ${line[0]}`;
}

/** Every line as far as there is text; one without its end counts as cut off (print.c of 4.99, print_txt_line). */
function textLines(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const m = /^([\t\x20-\x7e]*)(?:(\r?\n|$)|)/.exec(text.slice(at)) as RegExpExecArray;
    if (m[2] === undefined) return out;
    out += `\n\t${m[1]}${m[2] ? '' : ' [|http]'}`;
    at += m[0].length;
  }
  return out;
}

function udpText(p: Packet, u: Udp, o: PrintOptions, flows: Flows, atMs: number): string {
  if (u.vxlan) {
    const inner = u.vxlan.frame;
    const what = u.dport === 8472 || u.sport === 8472 ? 'OTV, flags [I] (0x08), overlay 0, instance' : 'VXLAN, flags [I] (0x08), vni';
    const body =
      inner.payload.kind === 'arp'
        ? `ARP, ${arpText(inner.payload, o, false)}`
        : `${inner.payload.family === 4 ? 'IP' : 'IP6'} ${o.verbose ? ipVerbose(inner.payload, o, flows, atMs) : ipText(inner.payload, o, flows, atMs)}`;
    return `${what} ${u.vxlan.vni}\n${body}`;
  }
  const length = u.data.length;
  if (o.quiet) return `UDP, length ${length}`;
  if (u.sport === 53 || u.dport === 53) {
    const m = decodeMessage(u.data);
    if (m) return udpSum(p, o) + dnsText(m, length, o.verbose);
  }
  return `${udpSum(p, o)}UDP, length ${length}`;
}

const UNREACHABLE: Record<number, string> = { 0: 'net', 1: 'host', 2: 'protocol', 3: 'port' };

function icmpText(p: Packet, m: Icmp, o: PrintOptions): string {
  const length = `length ${packetLength(p) - 20}`;
  const inner = m.original;
  if (m.type === 8 || m.type === 0) return `ICMP echo ${m.type === 8 ? 'request' : 'reply'}, id ${m.id}, seq ${m.seq}, ${length}`;
  if (m.type === 11) return `ICMP ${m.code === 0 ? 'time exceeded in-transit' : 'ip reassembly time exceeded'}, ${length}`;
  if (m.type === 3 && inner) {
    const target = host(o, inner.dst);
    const b = inner.body;
    const verboseInner = o.verbose && inner ? `\n\tIP ${ipVerbose(inner, o, newFlows(), 0).replace('\n    ', '\n    ')}` : '';
    if (m.code === 3 && (b.kind === 'udp' || b.kind === 'tcp'))
      return `ICMP ${target} ${b.kind} port ${port(o, b.dport, b.kind)} unreachable, ${length}${verboseInner}`;
    if (m.code === 2) return `ICMP ${target} protocol ${inner.proto} unreachable, ${length}${verboseInner}`;
    if (m.code === 4) return `ICMP ${target} unreachable - need to frag${m.mtu ? ` (mtu ${m.mtu})` : ''}, ${length}${verboseInner}`;
    if (m.code === 9) return `ICMP net ${target} unreachable - admin prohibited, ${length}${verboseInner}`;
    if (m.code === 10) return `ICMP host ${target} unreachable - admin prohibited, ${length}${verboseInner}`;
    if (m.code === 13) return `ICMP host ${target} unreachable - admin prohibited filter, ${length}${verboseInner}`;
    return `ICMP ${UNREACHABLE[m.code] ?? 'host'} ${target} unreachable, ${length}${verboseInner}`;
  }
  if (m.type === 5) return `ICMP redirect ${inner ? host(o, inner.dst) : ''} to host, ${length}`;
  return `ICMP type-#${m.type}, ${length}`;
}

function icmp6Text(p: Packet, m: Icmp, o: PrintOptions): string {
  const length = `length ${packetLength(p) - 40}`;
  const target = m.target ? host(o, m.target) : '';
  switch (m.type) {
    case 128:
    case 129:
      return `ICMP6, echo ${m.type === 128 ? 'request' : 'reply'}, id ${m.id}, seq ${m.seq}, ${length}`;
    case 135:
      return `ICMP6, neighbor solicitation, who has ${target}, ${length}`;
    case 136:
      return `ICMP6, neighbor advertisement, tgt is ${target}, ${length}`;
    case 133:
      return `ICMP6, router solicitation, ${length}`;
    case 134:
      return `ICMP6, router advertisement, ${length}`;
    case 3:
      return `ICMP6, time exceeded in-transit for ${m.original ? host(o, m.original.dst) : ''}, ${length}`;
    case 2:
      return `ICMP6, packet too big, mtu ${m.mtu ?? 0}, ${length}`;
    case 1: {
      const dst = m.original ? host(o, m.original.dst) : '';
      const b = m.original?.body;
      if (m.code === 4 && (b?.kind === 'udp' || b?.kind === 'tcp'))
        return `ICMP6, destination unreachable, unreachable port, ${dst} ${b.kind} port ${b.dport}, ${length}`;
      const why = { 0: 'unreachable route', 1: 'unreachable prohibited', 3: 'unreachable address' }[m.code as 0 | 1 | 3] ?? 'unreachable';
      return `ICMP6, destination unreachable, ${why} ${dst}, ${length}`;
    }
    default:
      return `ICMP6, type-#${m.type}, ${length}`;
  }
}

const RCODES: Record<string, string> = {
  FORMERR: ' FormErr',
  SERVFAIL: ' ServFail',
  NXDOMAIN: ' NXDomain',
  NOTIMP: ' NotImp',
  REFUSED: ' Refused',
};

/** print-domain.c: `32447+ [1au] A? name. (74)` and `32447*- 1/0/1 A 10.96.0.21 (123)`. */
function dnsText(m: DnsMessage, length: number, verbose: number): string {
  const q = m.questions[0];
  const counts = m.additional.length + (m.edns ? 1 : 0);
  const question = q ? `${q.type}${q.class === 'IN' ? '' : ` (Class ${q.class})`}? ${q.name}` : '';
  if (!m.response) {
    const au = counts ? ` [${counts}au]` : '';
    return `${m.id}${m.rd ? '+' : ''}${m.cd ? '%' : ''}${au}${question ? ` ${question}` : ''} (${length})`;
  }
  let out = `${m.id}${RCODES[m.rcode] ?? ''}${m.aa ? '*' : ''}${m.ra ? '' : '-'}${m.tc ? '|' : ''}${m.ad ? '$' : ''}`;
  if (verbose > 1) out += ` q: ${question}`;
  out += ` ${m.answers.length}/${m.authority.length}/${counts}`;
  if (m.answers.length) out += ` ${m.answers.map(r => dnsRecord(r, verbose)).join(', ')}`;
  if (verbose > 1 && m.authority.length) out += ` ns: ${m.authority.map(r => `${r.name} ${dnsRecord(r, verbose, true)}`).join(', ')}`;
  if (verbose > 1 && m.additional.length) out += ` ar: ${m.additional.map(r => `${r.name} ${dnsRecord(r, verbose, true)}`).join(', ')}`;
  return `${out} (${length})`;
}

function dnsRecord(r: DnsRecord, verbose: number, named = false): string {
  const d = r.data;
  const prefix = verbose && !named ? `${r.name} ` : '';
  return `${prefix}${recordData(r, d, verbose)}`;
}

function recordData(r: DnsRecord, d: DnsRecord['data'], verbose: number): string {
  if ('ip' in d) return `${r.type} ${formatIp(d.ip)}`;
  if ('preference' in d) return `MX ${d.host} ${d.preference}`;
  if ('host' in d) return `${r.type} ${d.host}`;
  if ('texts' in d) return `TXT ${d.texts.map(t => `"${t}"`).join(' ')}`;
  if ('target' in d) return `SRV ${d.target}:${d.port} ${d.priority} ${d.weight}`;
  if ('mname' in d) {
    return verbose ? `SOA ${d.mname} ${d.rname} ${d.serial} ${d.refresh} ${d.retry} ${d.expire} ${d.minimum}` : 'SOA';
  }
  return r.type.replace('TYPE', 'Type');
}

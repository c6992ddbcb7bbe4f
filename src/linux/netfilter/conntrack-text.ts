// Conntrack entries as conntrack(8) 1.4.7 and /proc/net/nf_conntrack print them.
import { formatIp } from '../../wire/ip.ts';
import { PROTO } from '../../wire/packet.ts';
import type { Netns } from '../types.ts';
import { shownId } from './conntrack.ts';
import type { CtEntry, CtTuple } from './types.ts';

const NAMES: Record<number, string> = {
  [PROTO.ICMP]: 'icmp',
  [PROTO.TCP]: 'tcp',
  [PROTO.UDP]: 'udp',
  [PROTO.ICMPV6]: 'icmpv6',
  [PROTO.SCTP]: 'sctp',
};

const ctProtoName = (proto: number): string => NAMES[proto] ?? 'unknown';

function tupleText(t: CtTuple): string {
  const ends = `src=${formatIp(t.src)} dst=${formatIp(t.dst)}`;
  if (t.icmpType !== undefined) return `${ends} type=${t.icmpType} code=${t.icmpCode} id=${t.icmpId}`;
  return t.proto in NAMES ? `${ends} sport=${t.sport} dport=${t.dport}` : ends;
}

const hasState = (e: CtEntry) => (e.original.proto === PROTO.TCP || e.original.proto === PROTO.SCTP) && e.state !== 'NONE';

/** Whole seconds: a moment has always passed since the packet, so a fresh flow of 120 s shows 119. */
const secondsLeft = (ns: Netns, e: CtEntry): number => Math.max(0, Math.ceil((e.expiresAtMs - ns.kernel.sim.nowMs) / 1000) - 1);

interface EntryTextOptions {
  extended?: boolean;
  id?: boolean;
  /** Events of ended flows say neither time nor mark. */
  withoutTimeout?: boolean;
  use?: number;
}

/** One line of `conntrack -L`, without its newline. */
export function entryText(ns: Netns, e: CtEntry, o: EntryTextOptions = {}): string {
  const { original, reply } = e;
  const acct = (i: 0 | 1) => (e.acct ? ` packets=${e.counters.packets[i]} bytes=${e.counters.bytes[i]}` : '');
  let s = o.extended ? (original.family === 4 ? 'ipv4     2 ' : 'ipv6     10 ') : '';
  s += `${ctProtoName(original.proto).padEnd(8)} ${original.proto} `;
  if (!o.withoutTimeout) s += `${secondsLeft(ns, e)} `;
  if (hasState(e)) s += `${e.state} `;
  s += tupleText(original) + acct(0);
  if (!e.seenReply) s += ' [UNREPLIED]';
  s += ` ${tupleText(reply)}${acct(1)}`;
  if (e.assured) s += ' [ASSURED]';
  if (!o.withoutTimeout || e.mark) s += ` mark=${e.mark}`;
  if (e.zone) s += ` zone=${e.zone}`;
  if (!o.withoutTimeout) s += ` use=${o.use ?? 1}`;
  if (o.id) s += ` id=${shownId(e)}`;
  return s;
}

/** One line of /proc/net/nf_conntrack (nf_conntrack_standalone.c, ct_seq_show). */
export function procText(ns: Netns, e: CtEntry): string {
  const line = entryText(ns, e, { extended: true, use: 2 });
  return line.replace(/ mark=(\d+)/, ` mark=$1${e.zone ? '' : ' zone=0'}`);
}

const tag = (name: string, value: string | number) => `<${name}>${value}</${name}>`;

function xmlTuple(t: CtTuple, direction: string, counters: string): string {
  const l3 = `<layer3 protonum="${t.family === 4 ? 2 : 10}" protoname="ipv${t.family}">${tag('src', formatIp(t.src))}${tag('dst', formatIp(t.dst))}</layer3>`;
  const ports =
    t.icmpType !== undefined
      ? tag('type', t.icmpType) + tag('code', t.icmpCode ?? 0) + tag('id', t.icmpId ?? 0)
      : tag('sport', t.sport) + tag('dport', t.dport);
  const l4 = `<layer4 protonum="${t.proto}" protoname="${ctProtoName(t.proto)}">${ports}</layer4>`;
  return `<meta direction="${direction}">${l3}${l4}${counters}</meta>`;
}

export function entryXml(ns: Netns, e: CtEntry): string {
  const counters = (i: 0 | 1) =>
    e.acct ? `<counters>${tag('packets', e.counters.packets[i])}${tag('bytes', e.counters.bytes[i])}</counters>` : '';
  const own =
    (hasState(e) ? tag('state', e.state) : '') +
    tag('timeout', secondsLeft(ns, e)) +
    tag('mark', e.mark) +
    (e.zone ? tag('zone', e.zone) : '') +
    tag('use', 1) +
    tag('id', shownId(e)) +
    (e.seenReply ? '' : '<unreplied/>') +
    (e.assured ? '<assured/>' : '');
  return `<flow>${xmlTuple(e.original, 'original', counters(0))}${xmlTuple(e.reply, 'reply', counters(1))}<meta direction="independent">${own}</meta></flow>`;
}

/** `conntrack -o save`: a command that would make the entry again. */
export function entryCommand(ns: Netns, e: CtEntry): string {
  const { original: o, reply: r } = e;
  const status = [e.seenReply && 'SEEN_REPLY', e.assured && 'ASSURED'].filter(Boolean).join(',') || 'UNSET';
  const from = e.dnat ? `-g ${formatIp(r.src)}` : `-r ${formatIp(r.src)}`;
  const to = e.snat ? `-n ${formatIp(r.dst)}` : `-q ${formatIp(r.dst)}`;
  const ports =
    o.icmpType !== undefined
      ? `--icmp-type ${o.icmpType} --icmp-code ${o.icmpCode} --icmp-id ${o.icmpId}`
      : `--sport ${o.sport} --dport ${o.dport} --reply-port-src ${r.sport} --reply-port-dst ${r.dport}`;
  const state = hasState(e) ? ` --state ${e.state}` : '';
  return `-A -t ${secondsLeft(ns, e)} -u ${status} -s ${formatIp(o.src)} -d ${formatIp(o.dst)} ${from} ${to} -p ${ctProtoName(o.proto)} ${ports}${state}`;
}

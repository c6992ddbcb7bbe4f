// dig +yaml (bin/dig/dig.c printmessage, lib/dns/message.c of 9.18): an answer, or the query before it, as an item of a list.
import { rfc3339Micro } from '../../sim/time.ts';
import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { encodeMessage } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import type { Answered } from './bind-lookup.ts';
import type { Query } from './dig-words.ts';
import { optLines } from './dns-edns.ts';
import { opcodeText, rdataText } from './dns-text.ts';

const FLAGS = ['aa', 'tc', 'rd', 'ra', 'ad', 'cd'] as const;

/** Milliseconds are enough. */
const stamp = (ms: number): string => `${rfc3339Micro(ms).slice(0, -4)}Z`;

const quoted = (text: string): string => `'${text.replace(/'/g, "''")}'`;

function kind(m: DnsMessage): string {
  if (!m.response) return m.rd ? 'RECURSIVE_QUERY' : 'AUTH_QUERY';
  return m.rd && m.ra ? 'RECURSIVE_RESPONSE' : 'AUTH_RESPONSE';
}

/** `shown`: the sections too; without them only what the message is. */
export function yamlMessage(q: Query, r: Answered, m: DnsMessage, nowMs: number, shown: boolean): string {
  const six = r.server.ip.length === 16;
  const size = m.response ? r.bytes.length : encodeMessage(m).length;
  const flags = ['qr', ...FLAGS].filter(f => (f === 'qr' ? m.response : m[f as (typeof FLAGS)[number]]));
  const rows = [
    '- type: MESSAGE',
    '  message:',
    `    type: ${kind(m)}`,
    `    query_time: !!timestamp ${stamp(nowMs - r.ms)}`,
    ...(m.response ? [`    response_time: !!timestamp ${stamp(nowMs)}`] : []),
    `    message_size: ${size}b`,
    `    socket_family: ${six ? 'INET6' : 'INET'}`,
    `    socket_protocol: ${r.tcp ? 'TCP' : 'UDP'}`,
    `    response_address: "${r.server.name}"`,
    `    response_port: ${q.port}`,
    `    query_address: "${six ? '::' : '0.0.0.0'}"`,
    '    query_port: 0',
    `    ${m.response ? 'response' : 'query'}_message_data:`,
    `      opcode: ${opcodeText(m.opcode)}`,
    `      status: ${m.rcode}`,
    `      id: ${m.id}`,
    `      flags:${flags.map(f => ` ${f}`).join('')}`,
    `      QUESTION: ${m.questions.length}`,
    `      ANSWER: ${m.answers.length}`,
    `      AUTHORITY: ${m.authority.length}`,
    `      ADDITIONAL: ${m.additional.length + (m.edns ? 1 : 0)}`,
    ...(shown ? sections(q, r, m) : []),
  ];
  return rows.map(x => `${x}\n`).join('');
}

function sections({ on }: Query, r: Answered, m: DnsMessage): string[] {
  const out: string[] = [];
  if (on.comments && m.edns) out.push('      OPT_PSEUDOSECTION:', '        EDNS:', ...edns(m, r.cookie));
  const section = (name: string, wanted: boolean, lines: string[]) => {
    if (wanted && lines.length) out.push(`      ${name}_SECTION:`, ...lines.map(l => `        - ${quoted(l)}`));
  };
  const record = (x: DnsRecord) =>
    [x.name, ...(on.ttlid ? [x.ttl] : []), ...(on.class ? [x.class] : []), typeText(x.type), rdataText(x)].join(' ');
  section(
    'QUESTION',
    on.question,
    m.questions.map(x => `${x.name} ${x.class} ${typeText(x.type)}`),
  );
  section('ANSWER', on.answer, m.answers.map(record));
  section('AUTHORITY', on.authority, m.authority.map(record));
  section('ADDITIONAL', on.additional, m.additional.map(record));
  return out;
}

/** The lines of the usual form, each thing on one of its own. */
function edns(m: DnsMessage, cookie: Uint8Array | null): string[] {
  const [, head, ...options] = optLines(m, cookie).trimEnd().split('\n');
  const parts = head.replace(/^; EDNS: /, '').replace(/, flags/, '; flags');
  return [...parts.split('; '), ...options.map(o => o.replace(/^; /, ''))].map(x => `          ${x}`);
}

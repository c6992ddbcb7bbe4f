// plugin/log (coredns 1.14.2) with its formats (plugin/pkg/replacer) and classes (plugin/pkg/response).
import type { DnsMessage } from '../../wire/dns.ts';
import { encodeMessage, encodeSparingly, fqdn, rcodeNumber } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp } from '../../wire/ip.ts';
import { sizeOf, withEdns } from '../edns.ts';
import { argumentError, type Instance, type Outcome, type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { inZone } from '../zones.ts';

const COMMON = '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';
const COMBINED = `${COMMON} "{>opcode}"`;
const CLASSES = ['all', 'denial', 'error', 'success'];
const EMPTY = '-';

interface Rule {
  scope: string;
  format: string;
  classes: Set<string>;
}

function rules({ all }: Setup): Rule[] {
  const out: Rule[] = [];
  for (const d of all) {
    const classes = new Set<string>();
    for (const p of d.body) {
      if (p.name !== 'class' || !p.args.length) throw argumentError(p);
      for (const c of p.args) {
        if (!CLASSES.includes(c)) throw plainError(`invalid Class: ${c}`);
        classes.add(c);
      }
    }
    if (!classes.size) classes.add('all');
    const last = d.args[d.args.length - 1] ?? '';
    const given = d.args.length > 1 && last.includes('{');
    const format = given ? last.replaceAll('{common}', COMMON).replaceAll('{combined}', COMBINED) : COMMON;
    const scopes = given ? d.args.slice(0, -1) : d.args;
    for (const scope of scopes.length ? scopes : ['.']) out.push({ scope: fqdn(scope), format, classes });
  }
  return out;
}

/** response.Typify and Classify. */
function classOf({ reply }: Outcome): string {
  if (!reply) return 'error';
  if (reply.rcode === 'NXDOMAIN') return 'denial';
  if (reply.rcode !== 'NOERROR') return 'error';
  if (reply.answers.length) return 'success';
  return reply.authority.some(x => x.type === 'SOA') ? 'denial' : 'success';
}

type Field = (i: Instance, r: Request, o: Outcome) => string;

const address = (ip: Request['client']) => (ip.length === 16 ? `[${formatIp(ip)}]` : formatIp(ip));

const seconds: Field = (i, r) => {
  const s = (i.server.sim.nowMs - r.startedAtMs) / 1000;
  return `${s.toFixed(9).replace(/\.?0+$/, '') || '0'}s`;
};

const FLAGS = ['aa', 'tc', 'rd', 'ra', 'ad', 'cd'] as const;

/** Whose OPT record went back with an answer that has none of its own: it has lost the options that nobody here knows. */
function asLeft(i: Instance, r: Request, { reply }: Outcome): DnsMessage {
  const { query } = r.message;
  return query.edns && reply && !reply.edns ? { ...query, edns: withEdns(query, reply, i.ednsOptions).edns } : query;
}

const FIELDS: Record<string, Field> = {
  '{type}': (_, r) => typeText(r.message.query.questions[0].type),
  '{name}': (_, r) => r.name,
  '{class}': (_, r) => classText(r.message.query.questions[0].class),
  '{proto}': (_, r) => r.proto,
  '{size}': (i, r, o) => String(encodeMessage(asLeft(i, r, o), { compress: false }).length),
  '{remote}': (_, r) => address(r.client),
  '{port}': (_, r) => String(r.clientPort),
  '{local}': (_, r) => address(r.local),
  '{rcode}': (_, __, { reply }) => (!reply ? EMPTY : reply.rcode.startsWith('RCODE') ? String(rcodeNumber(reply.rcode)) : reply.rcode),
  '{rsize}': (_, __, { reply }) => String(reply ? encodeSparingly(reply, 65535).length : 0),
  '{duration}': seconds,
  '{>rflags}': (_, __, { reply }) => (reply ? ['qr', ...FLAGS.filter(f => reply[f])].join(',') : EMPTY),
  '{>id}': (_, r) => String(r.query.id),
  '{>opcode}': (_, r) => String(r.query.opcode),
  '{>do}': (_, r) => String(r.query.edns?.dnssecOk ?? false),
  '{>bufsize}': (_, r) => String(sizeOf(r)),
};

/** dns.Class.String: a name only where no type has it too. */
const classText = (name: string): string => (name === 'ANY' ? 'CLASS255' : name);

/** `{/plugin/label}` is metadata: what plugins on the way left, when the metadata plugin is there. */
function filled(format: string, i: Instance, r: Request, o: Outcome, metadata: boolean): string {
  return format.replace(/\{[^{}]*\}/g, f => {
    if (Object.hasOwn(FIELDS, f)) return FIELDS[f](i, r, o);
    if (!f.startsWith('{/')) return f;
    return (metadata && r.notes.get(f.slice(2, -1))) || EMPTY;
  });
}

export const log: Plugin = {
  name: 'log',
  setup: s => {
    const { instance, block } = s;
    const list = rules(s);
    const metadata = block.directives.some(d => d.name === 'metadata');
    return function* (r, next) {
      const rule = list.find(x => inZone(r.name, x.scope));
      const outcome = yield* next(r);
      if (rule && (rule.classes.has('all') || rule.classes.has(classOf(outcome))))
        instance.log('INFO', filled(rule.format, instance, r, outcome, metadata));
      return outcome;
    };
  },
};

// What the template plugin gives its templates: templateData of plugin/template/template.go (coredns 1.14.2).
import { bad, typed } from '../../sim/go-template/functions.ts';
import { goQuote } from '../../sim/quote.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { classNumber, rcodeNumber, typeNumber } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Request } from '../types.ts';

/** strconv.ParseUint; throws a CallError. */
export function parseUint(text: string, base: number, bits: number): bigint {
  const wrong = (why: string) => bad(`strconv.ParseUint: parsing ${goQuote(text)}: ${why}`);
  if (base !== 0 && (base < 2 || base > 36)) return wrong(`invalid base ${base}`);
  if (bits < 0 || bits > 64) return wrong(`invalid bit size ${bits}`);
  const prefix = base === 0 ? /^0([xXbBoO]?)(?=.)/.exec(text) : null;
  const real = base || (prefix ? ({ x: 16, b: 2, o: 8, '': 8 }[prefix[1].toLowerCase()] as number) : 10);
  const digits = prefix ? text.slice(prefix[0].length).replace(/_/g, '') : text;
  let n = 0n;
  for (const c of digits) {
    const d = /[0-9a-z]/i.test(c) ? Number.parseInt(c, 36) : real;
    if (d >= real) return wrong('invalid syntax');
    n = n * BigInt(real) + BigInt(d);
  }
  if (!digits) return wrong('invalid syntax');
  return n >= 1n << BigInt(bits || 64) ? wrong('value out of range') : n;
}

function question(q: DnsMessage['questions'][number], type: string): object {
  const text = () => `;${q.name}\t${q.class}\t ${typeText(q.type)}`; // dns.Question.String
  return typed({ Name: q.name, Qtype: BigInt(typeNumber(q.type)), Qclass: BigInt(classNumber(q.class)), String: text }, type);
}

function message(m: DnsMessage): object {
  return typed(
    {
      Id: BigInt(m.id),
      Response: m.response,
      Opcode: BigInt(m.opcode),
      Authoritative: m.aa,
      Truncated: m.tc,
      RecursionDesired: m.rd,
      RecursionAvailable: m.ra,
      Zero: false,
      AuthenticatedData: m.ad,
      CheckingDisabled: m.cd,
      Rcode: BigInt(rcodeNumber(m.rcode)),
      Compress: false,
      Question: typed(
        m.questions.map(q => question(q, 'dns.Question')),
        '[]dns.Question',
      ),
    },
    '*dns.Msg',
  );
}

/** `source`: the regular expression that matched; `metadata`: whether that plugin is there. */
export function templateData(
  r: Request,
  found: { zone: string; class: string; type: string },
  source: string,
  m: RegExpExecArray,
  metadata: boolean,
): object {
  const group: Record<string, string> = {};
  m.forEach((x, i) => {
    group[i] = x ?? '';
  });
  for (const [k, v] of Object.entries(m.groups ?? {})) group[k] = v ?? '';
  return typed(
    {
      Zone: found.zone,
      Name: r.name,
      Regex: source,
      Match: typed(
        [...m].map(x => x ?? ''),
        '[]string',
      ),
      Group: typed(group, 'map[string]string'),
      Class: found.class,
      Type: found.type,
      Message: message(r.query),
      Question: question(r.query.questions[0], '*dns.Question'),
      Remote: formatIp(r.client),
      Meta: (name: string) => (metadata && r.notes.get(String(name))) || '',
    },
    '*template.templateData',
  );
}

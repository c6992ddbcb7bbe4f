// plugin/template (coredns 1.14.2): answers made from the question by text templates.
import { execute } from '../../sim/go-template/execute.ts';
import { FUNCTIONS, type Functions, SHORT_CIRCUIT } from '../../sim/go-template/functions.ts';
import { isTemplateError, parseTemplate, type Template } from '../../sim/go-template/parse.ts';
import { templateText } from '../../sim/go-template/text.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, Rcode } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { typeOfName, typeText } from '../../wire/dns-types.ts';
import { extendedError } from '../edns.ts';
import { increase } from '../metrics.ts';
import { goRegExp } from '../regexp.ts';
import { argumentError, CorefileError, type Outcome, Panic, type Plugin, type Request, type Setup } from '../types.ts';
import { parseRecord } from '../zonefile.ts';
import { fallsThrough, longestZone, zoneName, zonesOf } from '../zones.ts';
import { parseUint, templateData } from './template-data.ts';

const NIL_POINTER = 'runtime error: invalid memory address or nil pointer dereference';

type Section = 'answer' | 'additional' | 'authority';

interface Answers {
  class: string;
  type: string;
  zones: string[];
  /** With their text. */
  match: [string, RegExp][];
  answer: Template[];
  additional: Template[];
  authority: Template[];
  rcode: Rcode;
  ederror: { code: number; reason: string } | null;
  fall: string[] | null;
}

const CLASSES = ['IN', 'CH', 'ANY'];
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** The built-in functions and `parseInt`, which is strconv.ParseUint. */
const OWN: Functions = {
  ...FUNCTIONS,
  parseInt: { least: 3, most: 3, types: ['string', 'int', 'int'], call: a => parseUint(a[0] as string, Number(a[1]), Number(a[2])) },
};

const NAMES = new Set([...Object.keys(OWN), ...SHORT_CIRCUIT]);

function compile(section: Section, text: string, line: number, last: string): Template {
  try {
    return parseTemplate(section, text, NAMES);
  } catch (e) {
    if (!isTemplateError(e)) throw e;
    throw new CorefileError(line, `could not compile template: ${last}, ${e.template}${section === 'answer' ? '' : '\n'}`);
  }
}

function read({ block }: Setup, d: Setup['directive']): Answers {
  const [cls, type, ...zones] = d.args;
  if (cls === undefined) throw argumentError(d);
  if (!CLASSES.includes(cls)) throw new CorefileError(d.line, `invalid query class ${cls}`);
  if (type === undefined) throw argumentError(d);
  const wanted = typeOfName(type);
  if (!wanted) throw new CorefileError(d.line, `invalid RR class ${type}`);
  const none = { match: [], answer: [], additional: [], authority: [], ederror: null, fall: null };
  const t: Answers = { class: cls, type: wanted, zones: zonesOf(zones, block.zones), rcode: 'NOERROR', ...none };
  for (const p of d.body) {
    const need = () => {
      if (!p.args.length) throw argumentError(p);
    };
    if (p.name === 'match') {
      need();
      for (const source of p.args) {
        const re = goRegExp(source);
        if (typeof re === 'string') throw new CorefileError(p.line, `could not parse regex: ${source}, ${re}`);
        t.match = [...t.match, [source, re]];
      }
    } else if (p.name === 'answer' || p.name === 'additional' || p.name === 'authority') {
      need();
      const { name, args } = p;
      t[name] = [...t[name], ...args.map(a => compile(name, a, p.line, args[args.length - 1]))];
    } else if (p.name === 'rcode') {
      need();
      if (!RCODES.includes(p.args[0])) throw new CorefileError(p.line, `unknown rcode ${p.args[0]}`);
      t.rcode = p.args[0] as Rcode;
    } else if (p.name === 'ederror') {
      if (p.args.length !== 1 && p.args.length !== 2) throw argumentError(p);
      const why = !/^\d+$/.test(p.args[0]) ? 'invalid syntax' : Number(p.args[0]) > 65535 ? 'value out of range' : null;
      if (why)
        throw new CorefileError(
          p.line,
          `error parsing extended DNS error code ${p.args[p.args.length - 1]}, strconv.ParseUint: parsing "${p.args[0]}": ${why}`,
        );
      t.ederror = { code: Number(p.args[0]), reason: p.args[1] ?? '' };
    } else if (p.name === 'fallthrough') t.fall = p.args.map(zoneName);
    else if (p.name !== 'upstream') throw argumentError(p);
  }
  if (!t.match.length) t.match = [['.*', /.*/]];
  return t;
}

interface Matched {
  zone: string;
  class: string;
  type: string;
  data: object;
}

/** What the templates are made over; 'next': another template may know; 'stop': none may. */
function matched(t: Answers, r: Request, metadata: boolean): Matched | 'next' | 'stop' {
  const q = r.query.questions[0];
  const zone = longestZone(r.name, t.zones);
  if (zone === undefined) return 'next';
  if (t.class !== 'ANY' && q.class !== 'ANY' && q.class !== t.class) return 'next';
  if (t.type !== 'ANY' && r.type !== 'ANY' && r.type !== t.type) return 'next';
  for (const [source, re] of t.match) {
    const m = re.exec(r.name);
    if (!m) continue;
    const found = { zone, class: q.class === 'ANY' ? t.class : q.class, type: typeText(r.type === 'ANY' ? t.type : r.type) };
    return { ...found, data: templateData(r, found, source, m, metadata) };
  }
  return fallsThrough(t.fall, r.name) ? 'next' : 'stop';
}

/** The failure of a template, as the errors plugin tells it, or its record. null: it wrote nothing, which is no record. */
function recordOf(s: Setup, r: Request, m: Matched, section: Section, t: Template): DnsRecord | null | string {
  const failed = (name: 'coredns_template_template_failures_total' | 'coredns_template_rr_failures_total') =>
    increase(s.instance.metrics, name, r.server, m.zone, r.view ?? '', m.class, m.type, section, templateText(t));
  const written: string[] = [];
  try {
    execute(t, m.data, { allowMissing: true, functions: OWN }, written);
  } catch (e) {
    if (!isTemplateError(e)) throw e;
    failed('coredns_template_template_failures_total');
    return e.template;
  }
  const text = written.join('');
  if (/^\s*(;.*)?$/.test(text)) return null;
  const record = parseRecord(text);
  if (typeof record === 'string') failed('coredns_template_rr_failures_total');
  return record;
}

function* answer(s: Setup, t: Answers, r: Request, m: Matched): Co<Outcome> {
  if (t.rcode === 'SERVFAIL') return { reply: null, rcode: 'SERVFAIL' };
  const sections: Record<Section, DnsRecord[]> = { answer: [], additional: [], authority: [] };
  let empty = false;
  for (const section of ['answer', 'additional', 'authority'] as const) {
    for (const each of t[section]) {
      const record = recordOf(s, r, m, section, each);
      if (typeof record === 'string') return { reply: null, rcode: 'SERVFAIL', error: record };
      if (!record) {
        // dns.NewRR of nothing is nil: where the answer looks for a CNAME it is a panic, elsewhere the reply cannot be packed.
        if (section === 'answer' && (r.type === 'A' || r.type === 'AAAA')) throw new Panic(NIL_POINTER);
        empty = true;
        continue;
      }
      sections[section].push(record);
      if (section === 'answer' && record.type === 'CNAME' && (r.type === 'A' || r.type === 'AAAA') && 'host' in record.data) {
        const name = record.data.host;
        const query: DnsMessage = { ...r.query, questions: [{ name, type: r.type, class: 'IN' }] };
        const up = yield* s.instance.resolve({ ...r, query, name: name.toLowerCase() });
        sections.answer.push(...(up.reply?.answers ?? []));
      }
    }
  }
  const reply: DnsMessage = {
    ...replyTo(r.query, t.rcode),
    aa: true,
    answers: sections.answer,
    authority: sections.authority,
    additional: sections.additional,
    edns: t.ederror && extendedError(t.ederror.code, t.ederror.reason),
  };
  return { reply, drop: empty };
}

export const template: Plugin = {
  name: 'template',
  setup: s => {
    const templates = s.all.map(d => read(s, d));
    const zones = templates.flatMap(t => t.zones);
    const metadata = s.block.directives.some(d => d.name === 'metadata');
    return function* (r, next) {
      if (longestZone(r.name, zones) === undefined) return yield* next(r);
      for (const t of templates) {
        const m = matched(t, r, metadata);
        if (m === 'stop') return { reply: null, rcode: 'SERVFAIL' };
        if (m === 'next') continue;
        increase(s.instance.metrics, 'coredns_template_matches_total', r.server, m.zone, r.view ?? '', m.class, m.type);
        return yield* answer(s, t, r, m);
      }
      return yield* next(r);
    };
  },
};

// plugin/template (coredns 1.14.2): answers made from the question by text templates.
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, Rcode } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { isTypeName } from '../../wire/dns-types.ts';
import { formatIp } from '../../wire/ip.ts';
import { extendedError } from '../edns.ts';
import { increase } from '../metrics.ts';
import { goRegExp } from '../regexp.ts';
import { argumentError, CorefileError, type Outcome, type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { parseRecord } from '../zonefile.ts';
import { fallsThrough, longestZone, zoneName, zonesOf } from '../zones.ts';

interface Values {
  [name: string]: string | Values;
}
type Part = string | string[];
type Section = 'answer' | 'additional' | 'authority';

interface Template {
  class: string;
  type: string;
  zones: string[];
  match: RegExp[];
  answer: Part[][];
  additional: Part[][];
  authority: Part[][];
  rcode: Rcode;
  ederror: { code: number; reason: string } | null;
  fall: string[] | null;
}

const CLASSES = ['IN', 'CH', 'ANY'];
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** What text/template and the plugin know beside that: control structures, functions, pipes, variables, literals. */
const MORE =
  /^[-$("`\d]|[|$]|^(if|else|end|range|with|template|block|define|break|continue|and|call|html|index|slice|js|len|not|or|print|printf|println|urlquery|eq|ge|gt|le|lt|ne|parseInt)\b|^\.(\w+)?(\.\w+)*\s/;

/** `text {{ .Name }} {{ .Group.a }} {{ index .Match 1 }}`: literal text, and paths into the values. */
function compile(section: string, text: string, line: number): Part[] {
  const out: Part[] = [];
  const bad = (why: string) => new CorefileError(line, `could not compile template: ${text}, template: ${section}:1: ${why}`);
  let rest = text;
  for (;;) {
    const from = rest.indexOf('{{');
    if (from < 0) break;
    const end = rest.indexOf('}}', from);
    if (end < 0) throw bad('unclosed action');
    out.push(rest.slice(0, from));
    const action = rest.slice(from + 2, end).trim();
    const index = /^index\s+\.(Match|Group)\s+"?(\w+)"?$/.exec(action);
    if (index) out.push([index[1], index[2]]);
    else if (/^\.\w+(\.\w+)*$/.test(action)) out.push(action.slice(1).split('.'));
    else if (MORE.test(action)) throw plainError(`podnet does not model this part of a template: {{ ${action} }}`);
    else throw bad(`function "${action.split(/\s/)[0]}" not defined`);
    rest = rest.slice(end + 2);
  }
  out.push(rest);
  return out;
}

function render(parts: Part[], values: Values): string {
  const at = (path: string[]) => {
    let v: Values | string | undefined = values;
    for (const key of path) v = typeof v === 'object' ? (v as Values)[key] : undefined;
    return typeof v === 'string' ? v : '<no value>';
  };
  return parts.map(p => (typeof p === 'string' ? p : at(p))).join('');
}

function read({ block }: Setup, d: Setup['directive']): Template {
  const [cls, type, ...zones] = d.args;
  if (cls === undefined) throw argumentError(d);
  if (!CLASSES.includes(cls)) throw new CorefileError(d.line, `invalid query class ${cls}`);
  if (type === undefined) throw argumentError(d);
  if (!isTypeName(type)) throw new CorefileError(d.line, `invalid RR class ${type}`);
  const none = { match: [], answer: [], additional: [], authority: [], ederror: null, fall: null };
  const t: Template = { class: cls, type, zones: zonesOf(zones, block.zones), rcode: 'NOERROR', ...none };
  for (const p of d.body) {
    const need = () => {
      if (!p.args.length) throw argumentError(p);
    };
    if (p.name === 'match') {
      need();
      for (const source of p.args) {
        const re = goRegExp(source);
        if (typeof re === 'string') throw new CorefileError(p.line, `could not parse regex: ${source}, ${re}`);
        t.match = [...t.match, re];
      }
    } else if (p.name === 'answer' || p.name === 'additional' || p.name === 'authority') {
      need();
      t[p.name] = [...t[p.name], ...p.args.map(a => compile(p.name, a, p.line))];
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
  if (!t.match.length) t.match = [/.*/];
  return t;
}

/** The values of a template for this question; 'next': another template may know; 'stop': none may. */
function matched(t: Template, r: Request): Values | 'next' | 'stop' {
  const q = r.query.questions[0];
  const zone = longestZone(r.name, t.zones);
  if (zone === undefined) return 'next';
  if (t.class !== 'ANY' && q.class !== 'ANY' && q.class !== t.class) return 'next';
  if (t.type !== 'ANY' && r.type !== 'ANY' && r.type !== t.type) return 'next';
  for (const re of t.match) {
    const m = re.exec(r.name);
    if (!m) continue;
    const positions = Object.fromEntries([...m].map((x, i) => [String(i), x ?? '']));
    const named = Object.fromEntries(Object.entries(m.groups ?? {}).map(([k, v]) => [k, v ?? '']));
    return {
      Zone: zone,
      Name: r.name,
      Class: q.class === 'ANY' ? t.class : q.class,
      Type: r.type === 'ANY' ? t.type : r.type,
      Remote: formatIp(r.client),
      Match: positions,
      Group: { ...positions, ...named },
      Question: { Name: q.name },
      Message: { Id: String(r.query.id) },
    };
  }
  return fallsThrough(t.fall, r.name) ? 'next' : 'stop';
}

function* answer(s: Setup, t: Template, r: Request, values: Values): Co<Outcome> {
  if (t.rcode === 'SERVFAIL') return { reply: null, rcode: 'SERVFAIL' };
  const sections: Record<Section, DnsRecord[]> = { answer: [], additional: [], authority: [] };
  for (const section of ['answer', 'additional', 'authority'] as const) {
    for (const parts of t[section]) {
      const record = parseRecord(render(parts, values));
      if (typeof record === 'string') return { reply: null, rcode: 'SERVFAIL', error: record };
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
  return { reply };
}

export const template: Plugin = {
  name: 'template',
  setup: s => {
    const templates = s.all.map(d => read(s, d));
    const zones = templates.flatMap(t => t.zones);
    return function* (r, next) {
      if (longestZone(r.name, zones) === undefined) return yield* next(r);
      for (const t of templates) {
        const values = matched(t, r);
        if (values === 'stop') return { reply: null, rcode: 'SERVFAIL' };
        if (values === 'next') continue;
        const { Zone, Class, Type } = values as Record<string, string>;
        increase(s.instance.metrics, 'coredns_template_matches_total', r.server, Zone, r.view ?? '', Class, Type);
        return yield* answer(s, t, r, values);
      }
      return yield* next(r);
    };
  },
};

// plugin/rewrite (coredns 1.14.2): the question is changed on its way in, the answer's names on their way out.

import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsQuestion, DnsRecord, Rcode } from '../../wire/dns.ts';
import { rcodeName, replyTo } from '../../wire/dns-codec.ts';
import { typeOfName } from '../../wire/dns-types.ts';
import { withEdns } from '../edns.ts';
import { goRegExp } from '../regexp.ts';
import { type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { zoneName } from '../zones.ts';
import { ednsRule } from './rewrite-edns0.ts';

/** What a rule that matched does to each record of the answer. */
type Revert = (record: DnsRecord) => DnsRecord;
/** What it does to the answer as a whole. */
type Change = (m: DnsMessage, r: Request) => Co<DnsMessage>;
/** The new question and the way back; null: the rule is not for this question. */
type Apply = (q: DnsQuestion, name: string, r: Request) => { question: DnsQuestion; revert: Revert[]; change?: Change } | null;

interface Rule {
  goesOn: boolean;
  apply: Apply;
}

const CLASSES = ['IN', 'CH', 'ANY', 'HS', 'CS', 'NONE'];

const onName =
  (f: (s: string) => string): Revert =>
  r => ({ ...r, name: f(r.name) });

/** getRecordValueForRewrite: the one name in a record's data. */
const onValue =
  (f: (s: string) => string): Revert =>
  r => {
    const { data } = r;
    if ('target' in data) return { ...r, data: { ...data, target: f(data.target) } };
    if ('mname' in data) return { ...r, data: { ...data, mname: f(data.mname) } };
    if ('host' in data) return { ...r, data: { ...data, host: f(data.host) } };
    return r;
  };

const both = (f: (s: string) => string): Revert[] => [onName(f), onValue(f)];

const filled = (replacement: string, m: RegExpExecArray) => [...m].reduce((s, g, i) => s.replaceAll(`{${i}}`, g ?? ''), replacement);

const suffixed = (from: string, to: string) => (s: string) => (s.endsWith(from) ? s.slice(0, s.length - from.length) + to : s);

const remapped = (from: string, to: string) => (s: string) =>
  s === from ? to : s.endsWith(`.${from}`) ? s.slice(0, s.length - from.length) + to : s;

function expression(from: string, to: string): RegExp {
  const re = goRegExp(from);
  if (typeof re === 'string') throw plainError(`invalid regex matching pattern: ${from}`);
  const groups = new RegExp(`${re.source}|`).exec('')!.length - 1;
  // Upstream counts how many different ones are used, not which.
  const used = new Set([...to.matchAll(/\{(\d+)\}/g)].map(m => m[1]));
  if (used.size > groups)
    throw plainError(`the rewrite regex pattern (${to}) uses more subexpressions than its corresponding matching regex pattern (${from})`);
  return re;
}

/** `answer auto`, `answer name RE TO`, `answer value RE TO`. */
function answerRules(match: string, args: string[]): { auto: boolean; rules: Revert[] } {
  if (args.length < 2) throw plainError(`invalid arguments for ${match} rule`);
  const out = { auto: false, rules: [] as Revert[] };
  let named = false;
  let last = '';
  for (let i = 0; i < args.length; ) {
    if (last === '' && args[i] !== 'answer')
      throw plainError(`exceeded the number of arguments for a non-answer rule argument for ${match} rule`);
    if (args[i] === 'answer') i++;
    if (i >= args.length) throw plainError(`type missing for answer rule for ${match} rule`);
    last = args[i++];
    if (last === 'auto') out.auto = true;
    else if (last === 'name' || last === 'value') {
      if (args.length - i < 2) throw plainError(`${last} answer rule for ${match} rule: 2 arguments required`);
      const re = expression(args[i], args[i + 1]);
      const to = zoneName(args[i + 1]);
      const f = (s: string) => {
        const m = re.exec(s);
        return m ? filled(to, m) : s;
      };
      named ||= last === 'name';
      out.rules.push(last === 'name' ? onName(f) : onValue(f));
      i += 2;
    } else throw plainError(`invalid type "${last}" for answer rule for ${match} rule`);
  }
  if (out.auto && named) throw plainError('auto name answer rule cannot be combined with explicit name anwer rules');
  return out;
}

/** Name.Normalize keeps no dot that was not there for parts of names. */
const part = (s: string) => zoneName(s);

function nameRule(args: string[]): Apply {
  if (args.length < 2) throw plainError('too few arguments for a name rule');
  const match = args.length === 2 ? 'exact' : args[0].toLowerCase();
  const [from, to] = args.length === 2 ? args : args.slice(1);
  if (!NAME_MATCHES.includes(match)) {
    if (args.length > 3) answerRules(match, args.slice(3));
    throw plainError(`name rule supports only exact, prefix, suffix, substring, and regex name matching, received: ${match}`);
  }
  const { auto, rules } = args.length > 3 ? answerRules(match, args.slice(3)) : { auto: false, rules: [] };
  const a = part(from);
  const b = part(to);
  const rewritten = rewriter(match, from, a, b, to);
  return (q, name) => {
    const next = rewritten(name);
    if (next === null) return null;
    const back = match === 'suffix' ? (auto ? both(suffixed(b, a)) : []) : auto || match === 'exact' ? both(remapped(next, name)) : [];
    return { question: { ...q, name: next }, revert: [...back, ...rules] };
  };
}

function rewriter(match: string, source: string, a: string, b: string, to: string): (name: string) => string | null {
  switch (match) {
    case 'exact':
      return name => (name === a ? b : null);
    case 'prefix':
      return name => (name.startsWith(a) ? b + name.slice(a.length) : null);
    case 'suffix':
      return name => (name.endsWith(a) ? name.slice(0, name.length - a.length) + b : null);
    case 'substring':
      return name => (name.includes(a) ? name.replaceAll(a, b) : null);
    default: {
      const re = expression(source, to);
      return name => {
        const m = re.exec(name);
        return m ? filled(b, m) : null;
      };
    }
  }
}

function typeRule(args: string[]): Apply {
  const [from, to] = args.map(x => x.toUpperCase());
  const [a, b] = [from, to].map(t => {
    const type = typeOfName(t ?? '');
    if (!type) throw plainError(`invalid type "${t}"`);
    return type;
  });
  return q => (q.type === a ? { question: { ...q, type: b }, revert: [] } : null);
}

function classRule(args: string[]): Apply {
  const [from, to] = args.map(x => x.toUpperCase());
  for (const c of [from, to]) if (!CLASSES.includes(c)) throw plainError(`invalid class "${c}"`);
  return q => (q.class === from ? { question: { ...q, class: to as DnsQuestion['class'] }, revert: [] } : null);
}

/** `30`, `30-300`, `-300`, `30-`. */
function ttlRange(text: string): [number, number] | null {
  const m = /^(\d*)-(\d*)$/.exec(text);
  if (!m) return /^\d+$/.test(text) ? [Number(text), Number(text)] : null;
  if (m[1] === '' && m[2] === '') return null;
  const range: [number, number] = [Number(m[1] || 0), Number(m[2] || 2147483647)];
  return range[0] > range[1] ? null : range;
}

function ttlRule(args: string[]): Apply {
  if (args.length < 2) throw plainError(`too few (${args.length}) arguments for a ttl rule`);
  const text = args[args.length === 2 ? 1 : 2];
  const range = ttlRange(text);
  if (!range) throw plainError(`invalid TTL '${text}' for a ttl rule`);
  if (args.length > 3) throw plainError('many few arguments for a ttl rule');
  const match = args.length === 2 ? 'exact' : args[0].toLowerCase();
  if (!NAME_MATCHES.includes(match)) throw plainError('ttl rule supports only exact, prefix, suffix, substring, and regex name matching');
  const source = args[args.length === 2 ? 0 : 1];
  const matches = rewriter(match, source, part(source), '', '');
  const revert: Revert = r => ({ ...r, ttl: Math.min(Math.max(r.ttl, range[0]), range[1]) });
  return (q, name) => (matches(name) === null ? null : { question: q, revert: [revert] });
}

const NAME_MATCHES = ['exact', 'prefix', 'suffix', 'substring', 'regex'];

/** isValidRCode: a number up to 23 or a name. */
function rcodeOf(text: string): Rcode | null {
  if (/^\d+$/.test(text)) return Number(text) <= LAST_RCODE ? rcodeName(Number(text)) : null;
  const name = text.toUpperCase();
  const n = RCODE_NAMES.indexOf(name);
  return n < 0 ? null : rcodeName(n);
}

const LAST_RCODE = 23;
const RCODE_NAMES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
];

function rcodeRule(args: string[]): Apply {
  if (args.length < 3) throw plainError(`too few (${args.length}) arguments for a rcode rule`);
  const [before, after] = args.length === 3 ? args.slice(1) : args.length === 4 ? args.slice(2) : ['', ''];
  const [from, to] = [rcodeOf(before), rcodeOf(after)];
  if (!from) throw plainError(`invalid matching RCODE '${before}' for a rcode rule`);
  if (!to) throw plainError(`invalid replacement RCODE '${after}' for a rcode rule`);
  if (args.length > 4) throw plainError('many few arguments for a rcode rule');
  const match = args.length === 3 ? 'exact' : args[0].toLowerCase();
  if (!NAME_MATCHES.includes(match)) throw plainError('rcode rule supports only exact, prefix, suffix, substring, and regex name matching');
  const source = args[args.length === 3 ? 0 : 1];
  const matches = rewriter(match, source, part(source), '', '');
  const change: Change = function* (m) {
    return m.rcode === from ? { ...m, rcode: to } : m;
  };
  return (q, name) => (matches(name) === null ? null : { question: q, revert: [], change });
}

/** An alias that leads elsewhere: its new target is looked up, and what is found there takes the place of what there was. */
function cnameRule(args: string[], s: Setup): Apply {
  if (args.length < 3) throw plainError(`too few (${args.length}) arguments for a cname rule`);
  const match = args[0].toLowerCase();
  if (!NAME_MATCHES.includes(match))
    throw plainError(`cname rule supports only exact, prefix, suffix, substring, and regex cname matching, received: ${match}`);
  const retarget = rewriter(match, args[1], part(args[1]), part(args[2]), args[2]);
  const change: Change = function* (m, r) {
    const alias = m.answers.find(x => x.type === 'CNAME' && 'host' in x.data && retarget(x.data.host) !== null);
    const target = alias && 'host' in alias.data ? retarget(alias.data.host) : null;
    if (!target) return m;
    const query: DnsMessage = { ...r.query, questions: [{ name: target, type: r.query.questions[0].type, class: 'IN' }] };
    const found = yield* s.instance.resolve({ ...r, query, name: target.toLowerCase() });
    if (!found.reply) return m;
    // The aliases that lead to it stay; what was behind it goes.
    const before = m.answers.slice(0, m.answers.indexOf(alias as DnsRecord)).filter(x => x.type === 'CNAME');
    const turned = { ...(alias as DnsRecord), data: { host: target } };
    return { ...m, answers: [...before, turned, ...found.reply.answers], tc: found.reply.tc };
  };
  return q => ({ question: q, revert: [], change });
}

const RULES: Record<string, (args: string[], s: Setup) => Apply> = {
  name: nameRule,
  type: typeRule,
  class: classRule,
  ttl: ttlRule,
  rcode: rcodeRule,
  cname: cnameRule,
  edns0: (args, s) => {
    const rule = ednsRule(args, s.instance);
    return (q, _, r) => (rule(r) ? { question: q, revert: [] } : null);
  },
};

function ruleOf(args: string[], s: Setup): Rule {
  if (!args.length) throw plainError('no rule type specified for rewrite');
  const mode = args[0].toLowerCase();
  const moded = mode === 'stop' || mode === 'continue';
  if (moded && args.length < 2) throw plainError(`${mode} rule must begin with a rule type`);
  const type = args[moded ? 1 : 0].toLowerCase();
  const rest = args.slice(moded ? 2 : 1);
  if (type === 'answer') throw plainError('response rewrites must begin with a name rule');
  if ((type === 'class' || type === 'type') && rest.length !== 2) throw plainError(`${type} rules must have exactly two arguments`);
  if (!Object.hasOwn(RULES, type)) throw plainError(`invalid rule type "${args[0]}"`);
  return { goesOn: mode === 'continue', apply: RULES[type](rest, s) };
}

export const rewrite: Plugin = {
  name: 'rewrite',
  setup: s => {
    // With fewer than two words on its line, a rule's words may stand in a block.
    const rules = s.all.map(d => ruleOf(d.args.length < 2 ? [...d.args, ...d.body.flatMap(b => [b.name, ...b.args])] : d.args, s));
    return function* (r, next) {
      const asked = r.query.questions[0];
      let question = asked;
      const revert: Revert[] = [];
      const changes: Change[] = [];
      let matched = false;
      let stopped = false;
      for (const rule of rules) {
        const done = rule.apply(question, question.name.toLowerCase(), r);
        if (!done) continue;
        matched = true;
        question = done.question;
        revert.push(...done.revert);
        if (done.change) changes.unshift(done.change);
        stopped = !rule.goesOn;
        if (stopped) break;
      }
      if (!matched) return yield* next(r);
      const query: DnsMessage = { ...r.query, questions: [question] };
      r.message.query = query;
      const outcome = yield* next({ ...r, query, name: question.name.toLowerCase(), type: question.type });
      if (outcome.drop) return outcome;
      // Nobody reverts anything when every rule went on and none has a say in the answer: the question stays as it was made.
      if (!stopped && !revert.length && !changes.length) return outcome;
      // The last change is undone first.
      const each = (records: DnsRecord[]) => records.map(x => [...revert].reverse().reduce((y, f) => f(y), x));
      const { reply: given } = outcome;
      const found = given ?? withEdns(r.query, replyTo(r.query, outcome.rcode ?? 'SERVFAIL'), s.instance.ednsOptions);
      let reply: DnsMessage = {
        ...found,
        questions: [asked],
        answers: each(found.answers),
        authority: each(found.authority),
        additional: each(found.additional),
      };
      for (const change of changes) reply = yield* change(reply, r);
      // An answer of its own is an answer: nobody behind it has to know that there was none.
      return { ...outcome, rcode: given ? outcome.rcode : 'NOERROR', reply };
    };
  },
};

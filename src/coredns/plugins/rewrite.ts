// plugin/rewrite (coredns 1.14.2): the question is changed on its way in, the answer's names on their way out.

import type { DnsMessage, DnsQuestion, DnsRecord, RrType } from '../../wire/dns.ts';
import { replyTo, typeNumber } from '../../wire/dns-codec.ts';
import { goRegExp } from '../regexp.ts';
import { type Plugin, plainError, type Request } from '../types.ts';
import { zoneName } from '../zones.ts';

/** What a rule that matched does to each record of the answer. */
type Revert = (record: DnsRecord) => DnsRecord;
/** The new question and the way back; null: the rule is not for this question. */
type Apply = (q: DnsQuestion, name: string) => { question: DnsQuestion; revert: Revert[] } | null;

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
  for (const [, n] of to.matchAll(/\{(\d+)\}/g))
    if (Number(n) > groups)
      throw plainError(
        `the rewrite regex pattern (${to}) uses more subexpressions than its corresponding matching regex pattern (${from})`,
      );
  return re;
}

/** `answer auto`, `answer name RE TO`, `answer value RE TO`. */
function answerRules(match: string, args: string[]): { auto: boolean; rules: Revert[] } {
  if (args.length < 2) throw plainError(`invalid arguments for ${match} rule`);
  const out = { auto: false, rules: [] as Revert[] };
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
      out.rules.push(last === 'name' ? onName(f) : onValue(f));
      i += 2;
    } else throw plainError(`invalid type "${last}" for answer rule for ${match} rule`);
  }
  if (out.auto && out.rules.length) throw plainError('auto name answer rule cannot be combined with explicit name anwer rules');
  return out;
}

/** Name.Normalize keeps no dot that was not there for parts of names. */
const part = (s: string) => zoneName(s);

function nameRule(args: string[]): Apply {
  if (args.length < 2) throw plainError('too few arguments for a name rule');
  const match = args.length === 2 ? 'exact' : args[0].toLowerCase();
  const [from, to] = args.length === 2 ? args : args.slice(1);
  if (!['exact', 'prefix', 'suffix', 'substring', 'regex'].includes(match)) {
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
  for (const t of [from, to]) if (Number.isNaN(typeNumber(t as RrType))) throw plainError(`invalid type "${t}"`);
  return q => (q.type === from ? { question: { ...q, type: to as RrType }, revert: [] } : null);
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
  if (!['exact', 'prefix', 'suffix', 'substring', 'regex'].includes(match))
    throw plainError('ttl rule supports only exact, prefix, suffix, substring, and regex name matching');
  const source = args[args.length === 2 ? 0 : 1];
  const matches = rewriter(match, source, part(source), '', '');
  const revert: Revert = r => ({ ...r, ttl: Math.min(Math.max(r.ttl, range[0]), range[1]) });
  return (q, name) => (matches(name) === null ? null : { question: q, revert: [revert] });
}

/** Taken without effect, and named in a warning. */
const UNMODELLED_RULES = new Set(['edns0', 'cname', 'rcode']);

const RULES: Record<string, (args: string[]) => Apply> = { name: nameRule, type: typeRule, class: classRule, ttl: ttlRule };

function ruleOf(args: string[]): Rule {
  if (!args.length) throw plainError('no rule type specified for rewrite');
  const mode = args[0].toLowerCase();
  const moded = mode === 'stop' || mode === 'continue';
  if (moded && args.length < 2) throw plainError(`${mode} rule must begin with a rule type`);
  const type = args[moded ? 1 : 0].toLowerCase();
  const rest = args.slice(moded ? 2 : 1);
  if (type === 'answer') throw plainError('response rewrites must begin with a name rule');
  if ((type === 'class' || type === 'type') && rest.length !== 2) throw plainError(`${type} rules must have exactly two arguments`);
  if (UNMODELLED_RULES.has(type)) return { goesOn: true, apply: () => null };
  if (!Object.hasOwn(RULES, type)) throw plainError(`invalid rule type "${args[0]}"`);
  return { goesOn: mode === 'continue', apply: RULES[type](rest) };
}

export const rewrite: Plugin = {
  name: 'rewrite',
  setup: ({ all, instance }) => {
    const idle = all.flatMap(d => d.args.slice(0, 2)).filter(a => UNMODELLED_RULES.has(a));
    if (idle.length) instance.log('WARNING', `podnet does not model rewrite's rules: ${[...new Set(idle)].join(', ')}`);
    // With fewer than two words on its line, a rule's words may stand in a block.
    const rules = all.map(d => ruleOf(d.args.length < 2 ? [...d.args, ...d.body.flatMap(b => [b.name, ...b.args])] : d.args));
    return function* (r, next) {
      const asked = r.query.questions[0];
      let question = asked;
      const revert: Revert[] = [];
      let matched = false;
      for (const rule of rules) {
        const done = rule.apply(question, question.name.toLowerCase());
        if (!done) continue;
        matched = true;
        question = done.question;
        revert.push(...done.revert);
        if (!rule.goesOn) break;
      }
      if (!matched) return yield* next(r);
      const query: DnsMessage = { ...r.query, questions: [question] };
      const changed: Request = { ...r, query, name: question.name.toLowerCase(), type: question.type };
      const outcome = yield* next(changed);
      if (!outcome.reply) return { ...outcome, reply: replyTo(r.query, outcome.rcode ?? 'SERVFAIL') };
      // The last change is undone first.
      const each = (records: DnsRecord[]) => records.map(x => [...revert].reverse().reduce((y, f) => f(y), x));
      const { answers, authority, additional } = outcome.reply;
      const reply = {
        ...outcome.reply,
        questions: [asked],
        answers: each(answers),
        authority: each(authority),
        additional: each(additional),
      };
      return { ...outcome, reply };
    };
  },
};

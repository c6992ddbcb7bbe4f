// awk's statements and rules.
import { sleep } from '../../../linux/process.ts';
import type { Co } from '../../../sim/task.ts';
import { BROKEN } from '../tool.ts';
import { key, value } from './evaluate.ts';
import type { Node } from './expression.ts';
import { count, mainRecord } from './input.ts';
import { AwkError } from './lex.ts';
import { type Awk, arrayOf, record, setRecord, setVar, toStr } from './machine.ts';
import { output, printfText } from './output.ts';
import type { Rule, Statement } from './parse.ts';
import { toNum, truthy, type Value } from './values.ts';

export function* run(a: Awk, s: Statement): Co<void> {
  switch (s.t) {
    case 'block':
      for (const inner of s.list) {
        yield* run(a, inner);
        if (a.jump) return;
      }
      return;
    case 'expr':
      yield* value(a, s.e);
      return;
    case 'print': {
      const v: Value[] = [];
      for (const arg of s.args) v.push(yield* value(a, arg));
      if (s.format) {
        if (!v.length) throw new AwkError('no arguments to printf');
        return yield* output(a, s.to, printfText(a, v));
      }
      const text = v.length ? v.map(x => toStr(a, x, true)).join(toStr(a, a.globals.get('OFS') as Value)) : record(a);
      return yield* output(a, s.to, text + toStr(a, a.globals.get('ORS') as Value));
    }
    case 'if':
      if (truthy(yield* value(a, s.test))) yield* run(a, s.a);
      else if (s.b) yield* run(a, s.b);
      return;
    case 'while':
      if (s.atEnd) {
        yield* run(a, s.body);
        if (leaves(a)) return;
      }
      while (truthy(yield* value(a, s.test))) {
        yield* run(a, s.body);
        if (leaves(a)) return;
        yield* spin(a);
      }
      return;
    case 'for':
      if (s.init) yield* run(a, s.init);
      while (!s.test || truthy(yield* value(a, s.test))) {
        yield* run(a, s.body);
        if (leaves(a)) return;
        if (s.step) yield* run(a, s.step);
        yield* spin(a);
      }
      return;
    case 'forin':
      for (const k of [...arrayOf(a, s.array).keys()]) {
        setVar(a, s.name, { s: k });
        yield* run(a, s.body);
        if (leaves(a)) return;
      }
      return;
    case 'delete':
      if (s.keys) arrayOf(a, s.name).delete(yield* key(a, s.keys));
      else arrayOf(a, s.name).clear();
      return;
    case 'jump':
      if (s.e && s.kind === 'exit') a.code = toNum(yield* value(a, s.e)) & 255;
      else if (s.e) a.returned = yield* value(a, s.e);
      a.jump = s.kind;
      return;
  }
}

/** A thousand rounds take a millisecond: a loop without an end passes time as a real one does, and others get their turn. */
function* spin(a: Awk): Co<void> {
  if (++a.spins < 1000) return;
  a.spins = 0;
  yield* sleep(a.r.p, 1);
}

function leaves(a: Awk): boolean {
  if (!a.jump) return false;
  if (a.jump === 'continue') {
    a.jump = null;
    return false;
  }
  if (a.jump === 'break') a.jump = null;
  return true;
}

function* selected(a: Awk, rule: Rule): Co<boolean> {
  if (rule.kind === 'range') {
    if (!rule.inside && !truthy(yield* value(a, rule.pattern as Node))) return false;
    rule.inside = !truthy(yield* value(a, rule.until as Node));
    return true;
  }
  return !rule.pattern || truthy(yield* value(a, rule.pattern));
}

const stopped = (a: Awk): boolean => a.jump === 'exit';

function* runRules(a: Awk, kind: 'begin' | 'end'): Co<void> {
  for (const rule of a.program.rules) {
    if (rule.kind !== kind) continue;
    yield* run(a, rule.body as Statement);
    if (stopped(a)) return;
  }
}

export function* execute(a: Awk): Co<number> {
  yield* runRules(a, 'begin');
  const reads = a.program.rules.some(rule => rule.kind !== 'begin');
  while (reads && !stopped(a)) {
    const text = yield* mainRecord(a);
    if (text === null) break;
    setRecord(a, text);
    count(a);
    for (const rule of a.program.rules) {
      if (rule.kind === 'begin' || rule.kind === 'end' || !(yield* selected(a, rule))) continue;
      if (rule.body) yield* run(a, rule.body);
      else yield* output(a, null, record(a) + toStr(a, a.globals.get('ORS') as Value));
      if (a.jump) break;
    }
    if (a.jump === 'nextfile') a.main = null;
    if (!stopped(a)) a.jump = null;
  }
  if (!a.broken) {
    a.jump = null;
    yield* runRules(a, 'end');
  }
  for (const target of a.outputs.values()) yield* target.end();
  return a.broken ? BROKEN : a.code;
}

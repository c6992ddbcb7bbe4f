// awk's builtin functions (POSIX, and gawk's that mawk and BusyBox know).
import { capture } from '../../../linux/process.ts';
import { nextFloat } from '../../../sim/random.ts';
import type { Co } from '../../../sim/task.ts';
import { strftime } from '../../strftime.ts';
import { assignTo, matchesNode, value } from './evaluate.ts';
import type { Node } from './expression.ts';
import { type Awk, arrayOf, find, record, splitBy, toStr } from './machine.ts';
import { close, printfText } from './output.ts';
import { toNum, type Value } from './values.ts';

function* substitute(a: Awk, args: Node[], all: boolean): Co<Value> {
  const re = yield* matchesNode(a, args[0]);
  const by = toStr(a, yield* value(a, args[1]));
  const target: Node = args[2] ?? { t: 'field', e: { t: 'num', v: 0 } };
  const text = toStr(a, yield* value(a, target));
  let n = 0;
  const result = text.replace(new RegExp(re.source, all ? 'g' : ''), m => {
    n++;
    return by.replace(/\\\\|\\&|&/g, x => (x === '&' ? m : x === '\\&' ? '&' : '\\'));
  });
  if (n) yield* assignTo(a, target, result);
  return n;
}

export function* builtin(a: Awk, name: string, args: Node[]): Co<Value> {
  if (name === 'sub' || name === 'gsub') return yield* substitute(a, args, name === 'gsub');
  if (name === 'length' && args[0]?.t === 'var') {
    const cell = find(a, args[0].name).get(args[0].name);
    if (cell instanceof Map) return cell.size;
  }
  if (name === 'split') return yield* splitInto(a, args);
  if (name === 'match') {
    const text = toStr(a, yield* value(a, args[0]));
    const m = (yield* matchesNode(a, args[1])).exec(text);
    a.globals.set('RSTART', m ? m.index + 1 : 0);
    a.globals.set('RLENGTH', m ? m[0].length : -1);
    return m ? m.index + 1 : 0;
  }
  if (name === 'gensub') {
    const re = yield* matchesNode(a, args[0]);
    const by = toStr(a, yield* value(a, args[1]));
    const how = toStr(a, yield* value(a, args[2]));
    const text = args[3] ? toStr(a, yield* value(a, args[3])) : record(a);
    let n = 0;
    return text.replace(new RegExp(re.source, 'g'), (...m) =>
      /^[gG]/.test(how) || ++n === Number(how) ? by.replace(/\\(\d)|&/g, (x, d) => (d === undefined ? m[0] : (m[Number(d)] ?? x))) : m[0],
    );
  }
  const v: Value[] = [];
  for (const arg of args) v.push(yield* value(a, arg));
  if (name === 'system') {
    const { code } = yield* capture(a.r.p, ['sh', '-c', toStr(a, v[0])], { stdout: a.r.p.stdout });
    return code;
  }
  if (name === 'close') return yield* close(a, toStr(a, v[0]));
  return pure(a, name, v);
}

function pure(a: Awk, name: string, v: Value[]): Value {
  const n = (i: number) => toNum(v[i]);
  const s = (i: number) => toStr(a, v[i]);
  switch (name) {
    case 'length':
      return v.length ? s(0).length : record(a).length;
    case 'substr': {
      const from = Math.round(n(1));
      const to = v.length > 2 ? from + Math.round(n(2)) : Number.POSITIVE_INFINITY;
      return s(0).slice(Math.max(0, from - 1), Math.max(0, to - 1));
    }
    case 'index':
      return s(0).indexOf(s(1)) + 1;
    case 'sprintf':
      return printfText(a, v);
    case 'tolower':
      return s(0).toLowerCase();
    case 'toupper':
      return s(0).toUpperCase();
    case 'int':
      return Math.trunc(n(0));
    case 'sqrt':
      return Math.sqrt(n(0));
    case 'exp':
      return Math.exp(n(0));
    case 'log':
      return Math.log(n(0));
    case 'sin':
      return Math.sin(n(0));
    case 'cos':
      return Math.cos(n(0));
    case 'atan2':
      return Math.atan2(n(0), n(1));
    case 'rand':
      return nextFloat(a.r.p.kernel.sim.random);
    case 'srand': {
      const old = a.seed;
      a.seed = v.length ? n(0) : Math.floor(a.r.p.kernel.sim.nowMs / 1000);
      return old;
    }
    case 'systime':
      return Math.floor(a.r.p.kernel.sim.nowMs / 1000);
    case 'strftime':
      return strftime(v.length ? s(0) : '%a %b %e %H:%M:%S UTC %Y', v.length > 1 ? n(1) * 1000 : a.r.p.kernel.sim.nowMs);
    case 'and':
      return n(0) & n(1);
    case 'or':
      return n(0) | n(1);
    case 'xor':
      return n(0) ^ n(1);
    case 'lshift':
      return n(0) * 2 ** n(1);
    case 'rshift':
      return Math.floor(n(0) / 2 ** n(1));
    default:
      return 0;
  }
}

function* splitInto(a: Awk, args: Node[]): Co<Value> {
  const text = toStr(a, yield* value(a, args[0]));
  const name = args[1].t === 'var' ? args[1].name : '';
  const separator =
    args[2] === undefined
      ? toStr(a, a.globals.get('FS') as Value)
      : args[2].t === 'regex'
        ? args[2].re
        : toStr(a, yield* value(a, args[2]));
  const parts = splitBy(a, text, separator);
  const array = arrayOf(a, name);
  array.clear();
  for (const [i, part] of parts.entries()) array.set(String(i + 1), { s: part });
  return parts.length;
}

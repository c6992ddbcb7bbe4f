// test, [ and [[: conditions on files, strings and numbers.
import type { TestExpression } from 'unbash';
import type { Process } from '../../linux/types.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { isFifo } from '../fifo.ts';
import { evaluateText } from './arith.ts';
import { expandPattern, expandString } from './expand.ts';
import { matches } from './glob.ts';
import { fail } from './messages.ts';
import type { Shell } from './types.ts';
import { getParam, variable } from './vars.ts';
import { traceTest } from './xtrace.ts';

/** File tests. `isSet`: what -v asks, where it is known. */
function unaryTest(p: Process, op: string, arg: string, isSet: (name: string) => boolean = () => false): boolean | undefined {
  if (op === '-z') return arg === '';
  if (op === '-n') return arg !== '';
  if (op === '-t') return p.tty && Number(arg) < 3;
  if (op === '-v') return isSet(arg);
  if (!/^-[abcdefghkprsuwxLOGSN]$/.test(op)) return undefined;
  const node = lookup(p.fs, absolute(arg, p.cwd), p, op !== '-L' && op !== '-h');
  if (arg === '' || typeof node === 'string') return false;
  const mode = node.kind === 'symlink' ? 0o777 : node.mode;
  const mine = node.kind !== 'symlink' && node.uid === p.uid;
  switch (op) {
    case '-f':
      return node.kind === 'file' && !isDevice(arg) && !isFifo(node);
    case '-d':
      return node.kind === 'dir';
    case '-L':
    case '-h':
      return node.kind === 'symlink';
    case '-p':
      return node.kind === 'file' && isFifo(node);
    case '-c':
      return isDevice(arg);
    case '-b':
    case '-S':
    case '-u':
    case '-g':
    case '-k':
      return op === '-k' ? (mode & 0o1000) !== 0 : op === '-u' ? (mode & 0o4000) !== 0 : false;
    case '-s':
      return node.kind === 'dir' || (node.kind === 'file' && (typeof node.data === 'function' ? node.data(p) : node.data).length > 0);
    case '-x':
      return node.kind === 'dir' ? true : (mode & 0o111) !== 0;
    case '-w':
      return !(node.kind !== 'symlink' && node.readOnly) && (p.uid === 0 || (mode & (mine ? 0o200 : 0o002)) !== 0);
    case '-r':
      return p.uid === 0 || (mode & (mine ? 0o400 : 0o004)) !== 0;
    case '-O':
    case '-G':
      return mine;
    default:
      return true;
  }
}

const isDevice = (path: string) => /^\/dev\/(null|zero|full|random|urandom|tty|stdin|stdout|stderr)$/.test(path);

/** undefined: no such operator; a string: the argument that is no number. */
function binaryTest(p: Process, a: string, op: string, b: string): boolean | string | undefined {
  switch (op) {
    case '=':
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '-nt':
    case '-ot':
    case '-ef':
      return compareFiles(p, a, op, b);
  }
  if (!/^-(eq|ne|lt|le|gt|ge)$/.test(op)) return undefined;
  for (const x of [a, b]) if (!/^\s*[-+]?\d+\s*$/.test(x)) return x;
  const d = Number(a) - Number(b);
  return { '-eq': d === 0, '-ne': d !== 0, '-lt': d < 0, '-le': d <= 0, '-gt': d > 0, '-ge': d >= 0 }[op];
}

function compareFiles(p: Process, a: string, op: string, b: string): boolean {
  const x = lookup(p.fs, absolute(a, p.cwd), p);
  const y = lookup(p.fs, absolute(b, p.cwd), p);
  if (op === '-ef') return typeof x !== 'string' && x === y;
  const time = (n: typeof x) => (typeof n === 'string' ? Number.NEGATIVE_INFINITY : n.mtimeMs);
  return op === '-nt' ? time(x) > time(y) : time(x) < time(y);
}

/** How a shell (or coreutils) words what is wrong with a condition. */
export interface TestMessages {
  number: (text: string) => string;
  unary: (op: string) => string;
  operator: (op: string, first: string) => string;
  missing: (after: string) => string;
  many: (word: string, first: string) => string;
  /** `==` is an operator too. */
  doubleEquals?: boolean;
}

export const TEST_MESSAGES: Record<'dash' | 'bash' | 'ash' | 'coreutils', TestMessages> = {
  dash: {
    doubleEquals: false,
    number: t => `Illegal number: ${t}`,
    unary: op => `${op}: unexpected operator`,
    operator: (_, first) => `${first}: unexpected operator`,
    missing: after => `${after}: argument expected`,
    many: (_, first) => `${first}: unexpected operator`,
  },
  bash: {
    number: t => `${t}: integer expression expected`,
    unary: op => `${op}: unary operator expected`,
    operator: op => `${op}: binary operator expected`,
    missing: () => 'argument expected',
    many: () => 'too many arguments',
  },
  ash: {
    number: t => `${t}: bad number`,
    unary: op => `${op}: unknown operand`,
    operator: op => `${op}: unknown operand`,
    missing: () => 'argument expected',
    many: w => `${w}: unknown operand`,
  },
  coreutils: {
    number: t => `invalid integer '${t}'`,
    unary: op => `'${op}': unary operator expected`,
    operator: op => `'${op}': binary operator expected`,
    missing: after => `missing argument after '${after}'`,
    many: w => `extra argument '${w}'`,
  },
};

/** POSIX test: 0 true, 1 false, or an error's text. */
export function testArguments(
  p: Process,
  words: string[],
  messages: TestMessages,
  isSet?: (name: string) => boolean,
): 0 | 1 | { error: string } {
  let i = 0;
  let error: string | null = null;
  const give = (text: string): boolean => {
    error ??= text;
    return false;
  };
  const binaryOps =
    messages.doubleEquals === false
      ? /^(=|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/
      : /^(=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

  const primary = (): boolean => {
    const rest = words.length - i;
    if (rest <= 0) return give(messages.missing(words[i - 1] ?? ''));
    if (rest >= 3 && binaryOps.test(words[i + 1])) {
      const [a, op, b] = words.slice(i, i + 3);
      i += 3;
      const r = binaryTest(p, a, op, b);
      return typeof r === 'string' ? give(messages.number(r)) : r === true;
    }
    const word = words[i];
    if (word === '!' && rest > 1) {
      i++;
      return !primary();
    }
    if (word === '(' && rest > 1) {
      i++;
      const r = or();
      if (words[i] !== ')') return give(messages.missing(')'));
      i++;
      return r;
    }
    if (rest >= 2 && /^-[a-zA-Z]$/.test(word) && !(rest >= 3 && (words[i + 1] === '-a' || words[i + 1] === '-o') && rest === 3)) {
      const r = unaryTest(p, word, words[i + 1], isSet);
      if (r !== undefined) {
        i += 2;
        return r;
      }
    }
    i++;
    if (rest === 2 && binaryOps.test(words[i]) && messages.doubleEquals === false) return give(messages.missing(words[i]));
    if (rest === 2 && word !== '(') return give(messages.unary(words.length === 2 ? word : words[i]));
    return word !== '';
  };
  const and = (): boolean => {
    let r = primary();
    while (words[i] === '-a' && error === null) {
      i++;
      r = primary() && r;
    }
    return r;
  };
  const or = (): boolean => {
    let r = and();
    while (words[i] === '-o' && error === null) {
      i++;
      r = and() || r;
    }
    return r;
  };
  if (!words.length) return 1;
  const result = or();
  if (error === null && i < words.length)
    error = words.length === 3 ? messages.operator(words[1], words[0]) : messages.many(words[i], words[0]);
  return error !== null ? { error } : result ? 0 : 1;
}

/** `[[ … ]]` */
export function* testExpression(sh: Shell, e: TestExpression): Co<number> {
  const r = yield* truth(sh, e);
  return r === null ? 2 : r ? 0 : 1;
}

function* truth(sh: Shell, e: TestExpression, negated = false): Co<boolean | null> {
  switch (e.type) {
    case 'TestGroup':
      return yield* truth(sh, e.expression);
    case 'TestNot': {
      const r = yield* truth(sh, e.operand, e.negations.length % 2 === 1);
      return r === null ? null : e.negations.length % 2 ? !r : r;
    }
    case 'TestLogical': {
      let r: boolean | null = e.operator === '&&';
      for (const operand of e.operands) {
        r = yield* truth(sh, operand);
        if (r === null || r !== (e.operator === '&&')) return r;
      }
      return r;
    }
    case 'TestUnary': {
      yield* traceTest(sh, e, negated);
      const arg = yield* expandString(sh, e.operand);
      if (e.operator === '-o') return sh.options.has(arg);
      return unaryTest(sh.p, e.operator, arg, name => isSet(sh, name)) ?? false;
    }
    case 'TestBinary':
      yield* traceTest(sh, e, negated);
      return yield* binary(sh, e);
  }
}

export const isSet = (sh: Shell, name: string): boolean => {
  const m = /^(\w+)\[(.+)\]$/.exec(name);
  if (!m) return getParam(sh, name) !== undefined;
  const v = variable(sh, m[1]);
  return v?.assoc ? v.assoc.has(m[2]) : (v?.array?.has(Number(m[2])) ?? false);
};

function* binary(sh: Shell, e: Extract<TestExpression, { type: 'TestBinary' }>): Co<boolean | null> {
  const a = yield* expandString(sh, e.left);
  if (e.operator === '=' || e.operator === '==' || e.operator === '!=') {
    const hit = matches(a, yield* expandPattern(sh, e.right), true, sh.shopt.has('nocasematch'));
    return hit === (e.operator !== '!=');
  }
  if (e.operator === '=~') return yield* regexTest(sh, a, e.right);
  const b = yield* expandString(sh, e.right);
  if (/^-(eq|ne|lt|le|gt|ge)$/.test(e.operator)) {
    sh.arithmetic = '[[';
    const x = yield* evaluateText(sh, a);
    const y = x === null ? null : yield* evaluateText(sh, b);
    sh.arithmetic = '';
    // It is false, and the script goes on.
    if (x === null || y === null) {
      sh.flow = null;
      return false;
    }
    return binaryTest(sh.p, String(x), e.operator, String(y)) === true;
  }
  return binaryTest(sh.p, a, e.operator, b) === true;
}

function* regexTest(sh: Shell, text: string, word: import('unbash').Word): Co<boolean | null> {
  // Quoted parts stand for themselves: the pattern form has them escaped, and so has a regular expression.
  const source = word.parts ? (yield* expandPattern(sh, word)).replace(/\\-/g, '-').replace(/\\([!@])/g, '$1') : word.text;
  let m: RegExpExecArray | null;
  try {
    m = new RegExp(posixClasses(source)).exec(text);
  } catch {
    fail(sh, `[[: invalid regular expression`);
    return null;
  }
  sh.vars.set('BASH_REMATCH', { value: null, array: new Map((m ?? []).map((g, i) => [i, g ?? ''])) });
  return m !== null;
}

/** POSIX names of character classes as JavaScript writes them. */
function posixClasses(source: string): string {
  return source
    .replace(/\[:alpha:\]/g, 'A-Za-z')
    .replace(/\[:digit:\]/g, '0-9')
    .replace(/\[:alnum:\]/g, 'A-Za-z0-9')
    .replace(/\[:upper:\]/g, 'A-Z')
    .replace(/\[:lower:\]/g, 'a-z')
    .replace(/\[:space:\]/g, '\\s')
    .replace(/\[:blank:\]/g, ' \\t')
    .replace(/\[:punct:\]/g, '!-\\/:-@\\[-`{-~')
    .replace(/\[:xdigit:\]/g, '0-9A-Fa-f');
}

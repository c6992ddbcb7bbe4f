// Tools that print one thing: true, echo, printf, seq, basename …
import { complain, print, sleep } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { formatPrintf, unescapeText } from '../sh/printf.ts';
import { TEST_MESSAGES, testArguments } from '../sh/test.ts';
import type { Userland } from '../userland.ts';
import { BROKEN, error, has, option, out, type Run, type ToolSpec, usage } from './tool.ts';

export const exitWith = (code: number) => (): Program =>
  function* () {
    return code;
  };

/** /bin/echo */
export const echo = (): Program =>
  function* (p) {
    const args = p.argv.slice(1);
    let newline = true;
    let escapes = false;
    while (/^-[neE]+$/.test(args[0] ?? '')) {
      const letters = args.shift() as string;
      if (letters.includes('n')) newline = false;
      if (letters.includes('e')) escapes = true;
      if (letters.includes('E')) escapes = false;
    }
    const r = escapes ? unescapeText(args.join(' '), true) : { text: args.join(' '), stop: false };
    return print(p, r.stop || !newline ? r.text : `${r.text}\n`) ? BROKEN : 0;
  };

export const printf = (bb: boolean) => (): Program =>
  function* (p) {
    const args = p.argv.slice(p.argv[1] === '--' ? 2 : 1);
    if (!args.length) {
      complain(
        p,
        bb ? 'BusyBox printf: usage: printf FORMAT [ARG]...\n' : "printf: missing operand\nTry 'printf --help' for more information.\n",
      );
      return 1;
    }
    const r = formatPrintf(args[0], args.slice(1), t => (bb ? `invalid number '${t}'` : `'${t}': expected a numeric value`));
    for (const e of r.errors) complain(p, `printf: ${e}\n`);
    return print(p, r.text) ? BROKEN : r.errors.length ? 1 : 0;
  };

export const test = (bb: boolean) => (): Program =>
  function* (p) {
    let words = p.argv.slice(1);
    const name = p.argv[0].replace(/.*\//, '');
    if (name === '[') {
      if (words.at(-1) !== ']') {
        complain(p, bb ? '[: missing ]\n' : "[: missing ']'\n");
        return 2;
      }
      words = words.slice(0, -1);
    }
    const r = testArguments(p, words, bb ? TEST_MESSAGES.ash : TEST_MESSAGES.coreutils);
    if (typeof r === 'number') return r;
    complain(p, `${name}: ${r.error}\n`);
    return 2;
  };

export const YES: ToolSpec = {
  short: '',
  *run(r) {
    const line = `${r.args.join(' ') || 'y'}\n`;
    const block = line.repeat(Math.max(1, Math.floor(1024 / line.length)));
    while (!out(r, block)) yield* sleep(r.p, 1);
    return BROKEN;
  },
};

/** seq's operands may be negative: they are no options. */
export const seq =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p) {
      const options = new Map<string, string[]>();
      const args: string[] = [];
      for (let i = 1; i < p.argv.length; i++) {
        const a = p.argv[i];
        if (/^-[sf]$/.test(a)) options.set(a[1], [p.argv[++i] ?? '']);
        else if (/^-[sf]./.test(a)) options.set(a[1], [a.slice(2)]);
        else if (a === '-w') options.set('w', ['']);
        else if (a !== '--') args.push(a);
      }
      return sequence({ p, u, bb, name: 'seq', options, args }, args);
    };

function sequence(r: Run, args: string[]): number {
  if (!args.length) return usage(r, 'missing operand', 'seq [-w] [-s SEP] [FIRST [INC]] LAST');
  for (const a of args)
    if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(a))
      return r.bb ? error(r, `invalid number '${a}'`) : usage(r, `invalid floating point argument: '${a}'`);
  const [first, step, last] =
    args.length === 1 ? [1, 1, Number(args[0])] : args.length === 2 ? [Number(args[0]), 1, Number(args[1])] : args.map(Number);
  if (step === 0) return usage(r, "invalid Zero increment value: '0'");
  const decimals = Math.max(...args.map(a => a.split('.')[1]?.length ?? 0));
  const values: string[] = [];
  const format = option(r, 'f');
  for (let i = 0; ; i++) {
    const v = first + i * step;
    if (step > 0 ? v > last + 1e-9 : v < last - 1e-9) break;
    values.push(format ? formatPrintf(format, [v.toFixed(Math.max(decimals, 0))], t => t).text : v.toFixed(decimals));
    if (values.length > 5_000_000) break;
  }
  if (has(r, 'w')) {
    const width = Math.max(...values.map(v => v.length));
    values.forEach((v, i) => {
      values[i] = v.startsWith('-') ? `-${v.slice(1).padStart(width - 1, '0')}` : v.padStart(width, '0');
    });
  }
  if (!values.length) return 0;
  return out(r, `${values.join(option(r, 's') ?? '\n')}\n`) ? BROKEN : 0;
}

export const BASENAME: ToolSpec = {
  short: '+as:z',
  long: { multiple: 'a', suffix: 's', zero: 'z' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'basename FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE...');
    const several = has(r, 'a') || has(r, 's');
    const suffix = option(r, 's') ?? (several ? '' : (r.args[1] ?? ''));
    for (const arg of several ? r.args : [r.args[0]]) {
      const name = arg.replace(/\/+$/, '').replace(/.*\//, '') || (arg.startsWith('/') ? '/' : '');
      out(r, `${suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name}\n`);
    }
    return 0;
  },
};

export const DIRNAME: ToolSpec = {
  short: 'z',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'dirname FILENAME');
    for (const arg of r.args) {
      const t = arg.replace(/\/+$/, '');
      out(r, `${t.includes('/') ? t.replace(/\/+[^/]*$/, '') || '/' : arg.startsWith('/') ? '/' : '.'}\n`);
    }
    return 0;
  },
};

export const PRINTENV: ToolSpec = {
  short: '+0',
  *run(r) {
    if (!r.args.length) for (const [k, v] of r.p.env) out(r, `${k}=${v}\n`);
    let status = 0;
    for (const name of r.args) {
      const v = r.p.env.get(name);
      if (v === undefined) status = 1;
      else out(r, `${v}\n`);
    }
    return status;
  },
};

export const TTY: ToolSpec = {
  short: 's',
  *run(r) {
    out(r, r.p.tty ? '/dev/pts/0\n' : 'not a tty\n');
    return r.p.tty ? 0 : 1;
  },
};

export const PWD: ToolSpec = {
  short: 'LP',
  *run(r) {
    out(r, `${r.p.cwd}\n`);
    return 0;
  },
};

export const CLEAR: ToolSpec = {
  short: 'x',
  *run(r) {
    out(r, '\x1b[H\x1b[J');
    return 0;
  },
};

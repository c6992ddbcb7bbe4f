// Tools that fit nowhere else: which, expr, envsubst, getopt, less, su, chroot …
import { pidNamespaceOf } from '../../linux/pids.ts';
import { complain, print, spawn, stdinAll, waitFor } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { account } from './accounts.ts';
import { posixRegex } from './regex.ts';
import { error, fromBinary, has, out, type ToolSpec, toBinary, usage } from './tool.ts';

export const WHICH: ToolSpec = {
  short: 'as',
  *run(r) {
    let status = 0;
    for (const name of r.args) {
      let found = false;
      const dirs = name.includes('/') ? [''] : (r.p.env.get('PATH') ?? '').split(':');
      for (const dir of dirs) {
        const path = dir ? `${dir}/${name}` : name;
        const node = lookup(r.p.fs, absolute(path, r.p.cwd), r.p);
        if (typeof node === 'string' || node.kind !== 'file' || !(node.mode & 0o111)) continue;
        found = true;
        out(r, `${path}\n`);
        if (!has(r, 'a')) break;
      }
      if (!found) status = 1;
    }
    return status;
  },
};

/** expr's words, by precedence. null: a syntax error */
export const expr = (bb: boolean) => (): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1);
    let i = 0;
    class ExprError extends Error {}
    const fail = (text: string): never => {
      throw new ExprError(text);
    };
    const LEVELS = [['|'], ['&'], ['<', '<=', '=', '==', '!=', '>=', '>'], ['+', '-'], ['*', '/', '%'], [':']];
    const int = (s: string): bigint => (/^-?\d+$/.test(s) ? BigInt(s) : fail('non-integer argument'));
    const match = (s: string, pattern: string): string => {
      const m = posixRegex(`^\\(${pattern.replace(/^\^/, '')}\\)`, false).exec(s);
      const groups = /\\\(/.test(pattern);
      return groups ? (m?.[2] ?? '') : String(m ? m[0].length : 0);
    };
    const apply = (op: string, a: string, b: string): string => {
      const numeric = /^-?\d+$/.test(a) && /^-?\d+$/.test(b);
      const compare = numeric ? Number(int(a) - int(b)) : a < b ? -1 : a > b ? 1 : 0;
      switch (op) {
        case '|':
          return a !== '' && a !== '0' ? a : b !== '' ? b : '0';
        case '&':
          return a !== '' && a !== '0' && b !== '' && b !== '0' ? a : '0';
        case '<':
          return compare < 0 ? '1' : '0';
        case '<=':
          return compare <= 0 ? '1' : '0';
        case '=':
        case '==':
          return compare === 0 ? '1' : '0';
        case '!=':
          return compare !== 0 ? '1' : '0';
        case '>=':
          return compare >= 0 ? '1' : '0';
        case '>':
          return compare > 0 ? '1' : '0';
        case '+':
          return String(int(a) + int(b));
        case '-':
          return String(int(a) - int(b));
        case '*':
          return String(int(a) * int(b));
        case ':':
          return match(a, b);
        default: {
          if (int(b) === 0n) return fail('division by zero');
          return String(op === '/' ? int(a) / int(b) : int(a) % int(b));
        }
      }
    };
    const primary = (): string => {
      const w = words[i++];
      if (w === undefined) return fail(bb ? 'syntax error' : `syntax error: missing argument after '${words[i - 2] ?? ''}'`);
      if (w === '(') {
        const v = level(0);
        if (words[i++] !== ')') fail("syntax error: expecting ')'");
        return v;
      }
      if (w === 'length' && i < words.length) return String(primary().length);
      if (w === 'substr' && i + 2 < words.length) {
        const [s, from, n] = [primary(), primary(), primary()];
        return s.slice(Math.max(0, Number(from) - 1), Math.max(0, Number(from) - 1 + Number(n)));
      }
      if (w === 'index' && i + 1 < words.length) {
        const [s, chars] = [primary(), primary()];
        const at = [...s].findIndex(c => chars.includes(c));
        return String(at + 1);
      }
      if (w === 'match' && i + 1 < words.length) return match(primary(), primary());
      return w;
    };
    const level = (n: number): string => {
      if (n === LEVELS.length) return primary();
      let a = level(n + 1);
      while (LEVELS[n].includes(words[i])) a = apply(words[i++], a, level(n + 1));
      return a;
    };
    if (!words.length) {
      complain(p, bb ? 'expr: too few arguments\n' : "expr: missing operand\nTry 'expr --help' for more information.\n");
      return 2;
    }
    try {
      const v = level(0);
      if (i < words.length) fail(bb ? 'syntax error' : `syntax error: unexpected argument '${words[i]}'`);
      print(p, `${v}\n`);
      return v === '' || /^-?0+$/.test(v) ? 1 : 0;
    } catch (e) {
      if (!(e instanceof ExprError)) throw e;
      complain(p, `expr: ${e.message}\n`);
      return 2;
    }
  };

export const ENVSUBST: ToolSpec = {
  short: 'vV',
  long: { variables: 'v' },
  *run(r) {
    const text = toBinary(yield* stdinAll(r.p));
    const only = r.args[0] === undefined ? null : new Set([...r.args[0].matchAll(/\$\{?(\w+)\}?/g)].map(m => m[1]));
    out(
      r,
      fromBinary(
        text.replace(/\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g, (all, a, b) => {
          const name = a ?? b;
          return only && !only.has(name) ? all : (r.p.env.get(name) ?? '');
        }),
      ),
    );
    return 0;
  },
};

/** su, runuser, sudo, chroot: run as somebody else; here only the number changes. */
export const AS_USER: ToolSpec = {
  short: '+u:s:c:lpgnEH',
  long: { user: 'u', command: 'c', shell: 's', login: 'l' },
  *run(r) {
    let args = [...r.args];
    let user = r.options.get('u')?.[0] ?? 'root';
    const command = r.options.get('c')?.[0];
    if (r.name !== 'sudo' && r.name !== 'setpriv' && !has(r, 'u')) {
      if (args[0] === '-') args.shift();
      user = args.shift() ?? 'root';
    }
    const who = account(r.p, user);
    if (!who)
      return error(
        r,
        r.bb ? `unknown user ${user}` : `user ${user} does not exist or the user entry does not contain all the required fields`,
      );
    if (r.p.uid !== 0) return error(r, r.bb ? 'must be suid to work properly' : 'must be run from a terminal');
    if (command !== undefined) args = ['sh', '-c', command, ...args];
    if (args[0] === '-c') args = ['sh', ...args];
    if (!args.length) args = ['sh'];
    const child = spawn(r.p.kernel, { netns: r.p.netns, fs: r.p.fs, parent: r.p, argv: args, uid: who.uid });
    if (typeof child === 'string') return error(r, `${args[0]}: command not found`, 127);
    return yield* waitFor(child);
  },
};

export const CHROOT: ToolSpec = {
  short: '+',
  *run(r) {
    const [root, ...words] = r.args;
    const argv = words.length ? words : [r.p.env.get('SHELL') ?? '/bin/sh', '-i'];
    if (root === undefined) return usage(r, 'missing operand', 'chroot NEWROOT [PROG ARGS]', 125);
    const node = lookup(r.p.fs, absolute(root, r.p.cwd), r.p);
    if (typeof node === 'string' || node.kind !== 'dir')
      return error(
        r,
        r.bb
          ? `can't change root directory to '${root}': No such file or directory`
          : `cannot change root directory to '${root}': No such file or directory`,
        r.bb ? 1 : 125,
      );
    const fs = { root: node, changed: r.p.fs.changed, pidNamespace: pidNamespaceOf(r.p.fs) };
    const child = spawn(r.p.kernel, { netns: r.p.netns, fs, parent: r.p, argv: argv.length ? argv : ['/bin/sh'], cwd: '/' });
    if (typeof child === 'string')
      return error(
        r,
        r.bb
          ? `can't execute '${argv[0]}': No such file or directory`
          : `failed to run command '${argv[0] ?? '/bin/sh'}': No such file or directory`,
        127,
      );
    return yield* waitFor(child);
  },
};

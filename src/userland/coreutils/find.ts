// find: tests, operators and actions over the vfs.
import { complain, print, spawn, strerror, waitFor } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import { absolute, type FsNode, listDir, lookup } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { isFifo } from '../fifo.ts';
import { matches } from '../sh/glob.ts';
import { strftime } from '../strftime.ts';
import type { Userland } from '../userland.ts';
import { account } from './accounts.ts';
import { removePath } from './files.ts';
import { modeText, sizeOf, timeOf } from './ls.ts';
import { posixRegex } from './regex.ts';
import type { Run } from './tool.ts';

interface At {
  path: string;
  node: FsNode;
  depth: number;
}

type Test = (at: At) => Co<boolean>;

interface Plan {
  test: Test;
  maxDepth: number;
  minDepth: number;
  depthFirst: boolean;
  follow: boolean;
  acts: boolean;
  batches: { argv: string[]; paths: string[] }[];
}

class FindError extends Error {}

function number(text: string): (n: number) => boolean {
  const value = Number(text.replace(/^[-+]/, ''));
  return text.startsWith('+') ? n => n > value : text.startsWith('-') ? n => n < value : n => n === value;
}

const TYPES: Record<string, (n: FsNode) => boolean> = {
  f: n => n.kind === 'file' && !isFifo(n),
  d: n => n.kind === 'dir',
  l: n => n.kind === 'symlink',
  p: n => n.kind === 'file' && isFifo(n),
};

function parse(r: Run, words: string[], pruned: Set<string>): Plan {
  let i = 0;
  const plan: Plan = {
    test: always,
    maxDepth: Number.POSITIVE_INFINITY,
    minDepth: 0,
    depthFirst: false,
    follow: false,
    acts: false,
    batches: [],
  };
  const now = r.p.kernel.sim.nowMs;
  const argument = (name: string): string => {
    const v = words[i++];
    if (v === undefined) throw new FindError(r.bb ? `${name} requires an argument`.replace(/^/, '') : `missing argument to \`${name}'`);
    return v;
  };
  const sync = (f: (at: At) => boolean): Test =>
    function* (at) {
      return f(at);
    };
  const command = (): { argv: string[]; plus: boolean } => {
    const argv: string[] = [];
    for (; i < words.length; i++) {
      if (words[i] === ';') {
        i++;
        return { argv, plus: false };
      }
      if (words[i] === '+' && argv.at(-1) === '{}') {
        i++;
        return { argv: argv.slice(0, -1), plus: true };
      }
      argv.push(words[i]);
    }
    throw new FindError(r.bb ? '-exec requires an argument' : "missing argument to `-exec'");
  };
  const primary = (): Test => {
    const name = words[i++];
    switch (name) {
      case '!':
      case '-not': {
        const inner = primary();
        return function* (at) {
          return !(yield* inner(at));
        };
      }
      case '(': {
        const inner = or();
        if (words[i++] !== ')') throw new FindError("invalid expression; I was expecting to find a ')' somewhere but did not see one.");
        return inner;
      }
      case '-name':
      case '-iname': {
        const pattern = argument(name);
        return sync(at => matches(at.path.replace(/\/+$/, '').replace(/.*\//, '') || '/', pattern, false, name === '-iname'));
      }
      case '-path':
      case '-wholename':
      case '-ipath': {
        const pattern = argument(name);
        return sync(at => matches(at.path, pattern, false, name === '-ipath'));
      }
      case '-regex': {
        const re = posixRegex(`^\\(${argument(name)}\\)$`, false);
        return sync(at => re.test(at.path));
      }
      case '-type': {
        const letters = argument(name).split(',');
        for (const l of letters) if (!'bcdpfls'.includes(l) || l.length !== 1) throw new FindError(`Unknown argument to -type: ${l}`);
        return sync(at => letters.some(l => TYPES[l]?.(at.node) ?? false));
      }
      case '-size': {
        const text = argument(name);
        const m = /^([-+]?\d+)([ckMGbw]?)$/.exec(text);
        if (!m) throw new FindError(`invalid argument \`${text}' to \`-size'`);
        const unit = { c: 1, w: 2, b: 512, '': 512, k: 1024, M: 1024 ** 2, G: 1024 ** 3 }[m[2] as 'c'];
        const fits = number(m[1]);
        return sync(at => fits(Math.ceil(sizeOf(r, at.node) / unit)));
      }
      case '-empty':
        return sync(at => (at.node.kind === 'dir' ? at.node.entries.size === 0 : sizeOf(r, at.node) === 0));
      case '-mtime':
      case '-mmin':
      case '-atime':
      case '-amin':
      case '-ctime':
      case '-cmin': {
        const fits = number(argument(name));
        const unit = name.endsWith('min') ? 60_000 : 86_400_000;
        return sync(at => fits(Math.floor((now - timeOf(r, at.node)) / unit)));
      }
      case '-newer': {
        const other = lookup(r.p.fs, absolute(argument(name), r.p.cwd), r.p);
        return sync(at => typeof other !== 'string' && timeOf(r, at.node) > timeOf(r, other));
      }
      case '-perm': {
        const text = argument(name);
        const bits = Number.parseInt(text.replace(/^[-/]/, ''), 8);
        const mode = (at: At) => (at.node.kind === 'symlink' ? 0o777 : at.node.mode & 0o7777);
        return sync(at =>
          text.startsWith('-') ? (mode(at) & bits) === bits : text.startsWith('/') ? (mode(at) & bits) !== 0 : mode(at) === bits,
        );
      }
      case '-user':
      case '-uid': {
        const who = argument(name);
        const uid = /^\d+$/.test(who) ? Number(who) : account(r.p, who)?.uid;
        return sync(at => at.node.kind !== 'symlink' && at.node.uid === uid);
      }
      case '-executable':
        return sync(at => at.node.kind === 'dir' || (at.node.kind === 'file' && (at.node.mode & 0o111) !== 0));
      case '-true':
        return always;
      case '-false':
        return sync(() => false);
      case '-maxdepth':
        plan.maxDepth = Number(argument(name));
        return always;
      case '-mindepth':
        plan.minDepth = Number(argument(name));
        return always;
      case '-depth':
        plan.depthFirst = true;
        return always;
      case '-follow':
        plan.follow = true;
        return always;
      case '-xdev':
      case '-mount':
      case '-noleaf':
      case '-daystart':
        return always;
      case '-prune':
        return sync(at => {
          pruned.add(at.path);
          return true;
        });
      case '-quit':
        return sync(() => {
          throw new FindError('');
        });
      case '-print':
      case '-print0':
        plan.acts = true;
        return sync(at => {
          print(r.p, at.path + (name === '-print0' ? '\0' : '\n'));
          return true;
        });
      case '-printf': {
        plan.acts = true;
        const format = argument(name);
        return sync(at => {
          print(r.p, printfText(r, format, at));
          return true;
        });
      }
      case '-ls':
        plan.acts = true;
        return sync(at => {
          print(
            r.p,
            `     1000      4 ${modeText(at.node, at.path)}   1 root     root     ${String(sizeOf(r, at.node)).padStart(8)} ${strftime('%b %e %H:%M', timeOf(r, at.node))} ${at.path}\n`,
          );
          return true;
        });
      case '-delete':
        plan.acts = true;
        plan.depthFirst = true;
        return sync(at => {
          // Where it stands itself it leaves, and says nothing.
          if (at.path === '.') return true;
          const e = removePath(r, at.path, false);
          if (e) complain(r.p, `find: ${r.bb ? `${at.path}` : `cannot delete '${at.path}'`}: ${strerror(e)}\n`);
          return !e;
        });
      case '-exec':
      case '-ok': {
        plan.acts = true;
        const { argv, plus } = command();
        if (plus) {
          const batch = { argv, paths: [] as string[] };
          plan.batches.push(batch);
          return sync(at => {
            batch.paths.push(at.path);
            return true;
          });
        }
        return function* (at) {
          return (
            (yield* execute(
              r,
              argv.map(a => a.replaceAll('{}', at.path)),
            )) === 0
          );
        };
      }
      default:
        if (name === undefined || name === ')') throw new FindError('invalid expression');
        throw new FindError(
          r.bb
            ? `unrecognized: ${name}`
            : name.startsWith('-')
              ? `unknown predicate \`${name}'`
              : `paths must precede expression: \`${name}'`,
        );
    }
  };
  const and = (): Test => {
    let a = primary();
    while (i < words.length && words[i] !== ')' && words[i] !== '-o' && words[i] !== '-or') {
      if (words[i] === '-a' || words[i] === '-and') i++;
      const [x, y] = [a, primary()];
      a = function* (at) {
        return (yield* x(at)) && (yield* y(at));
      };
    }
    return a;
  };
  const or = (): Test => {
    let a = and();
    while (words[i] === '-o' || words[i] === '-or') {
      i++;
      const [x, y] = [a, and()];
      a = function* (at) {
        return (yield* x(at)) || (yield* y(at));
      };
    }
    return a;
  };
  if (words.length) plan.test = or();
  if (i < words.length) throw new FindError(r.bb ? `unrecognized: ${words[i]}` : "invalid expression; you have too many ')'");
  return plan;
}

const always: Test = function* () {
  return true;
};

function* execute(r: Run, argv: string[]): Co<number> {
  const child = spawn(r.p.kernel, { netns: r.p.netns, fs: r.p.fs, parent: r.p, argv });
  if (typeof child !== 'string') return yield* waitFor(child);
  complain(r.p, r.bb ? `find: ${argv[0]}: ${strerror(child)}\n` : `find: '${argv[0]}': ${strerror(child)}\n`);
  return 127;
}

function printfText(r: Run, format: string, at: At): string {
  const name = at.path.replace(/\/+$/, '').replace(/.*\//, '') || '/';
  const fields: Record<string, string> = {
    p: at.path,
    f: name,
    h: at.path.includes('/') ? at.path.replace(/\/[^/]*$/, '') || '/' : '.',
    P: at.path.replace(/^[^/]*\/?/, ''),
    s: String(sizeOf(r, at.node)),
    m: (at.node.kind === 'symlink' ? 0o777 : at.node.mode).toString(8),
    M: modeText(at.node, at.path),
    y: at.node.kind === 'dir' ? 'd' : at.node.kind === 'symlink' ? 'l' : 'f',
    d: String(at.depth),
    u: 'root',
    g: 'root',
    l: at.node.kind === 'symlink' ? at.node.target : '',
    '%': '%',
  };
  return format.replace(/%(.)|\\([ntr0\\])/g, (all, letter, special) =>
    special ? { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' }[special as 'n'] : (fields[letter] ?? all),
  );
}

function* walk(r: Run, plan: Plan, at: At, pruned: Set<string>): Co<void> {
  const act = at.depth >= plan.minDepth;
  if (!plan.depthFirst && act && (yield* plan.test(at)) && !plan.acts) print(r.p, `${at.path}\n`);
  const target = plan.follow && at.node.kind === 'symlink' ? lookup(r.p.fs, absolute(at.path, r.p.cwd), r.p) : at.node;
  if (typeof target !== 'string' && target.kind === 'dir' && at.depth < plan.maxDepth && !pruned.has(at.path)) {
    const entries = listDir(r.p.fs, absolute(at.path, r.p.cwd), r.p);
    if (typeof entries !== 'string')
      for (const [name, node] of [...entries])
        yield* walk(r, plan, { path: `${at.path.replace(/\/$/, '')}/${name}`, node, depth: at.depth + 1 }, pruned);
  }
  if (plan.depthFirst && act && (yield* plan.test(at)) && !plan.acts) print(r.p, `${at.path}\n`);
}

export const find =
  (bb: boolean) =>
  (u: Userland): Program =>
    function* (p): Co<number> {
      const r: Run = { p, u, bb, name: 'find', options: new Map(), args: p.argv.slice(1) };
      const words = [...r.args];
      let follow = false;
      while (/^-[LHP]$/.test(words[0] ?? '')) follow = words.shift() === '-L';
      const starts: string[] = [];
      while (words.length && !/^[-(!]/.test(words[0])) starts.push(words.shift() as string);
      const pruned = new Set<string>();
      let status = 0;
      try {
        const plan = parse(r, words, pruned);
        plan.follow ||= follow;
        for (const start of starts.length ? starts : ['.']) {
          const node = lookup(p.fs, absolute(start, p.cwd), p, plan.follow);
          if (typeof node === 'string') {
            complain(p, bb ? `find: ${start}: ${strerror(node)}\n` : `find: '${start}': ${strerror(node)}\n`);
            status = 1;
            continue;
          }
          yield* walk(r, plan, { path: start, node, depth: 0 }, pruned);
        }
        for (const batch of plan.batches) if (batch.paths.length && (yield* execute(r, [...batch.argv, ...batch.paths]))) status = 1;
      } catch (e) {
        if (!(e instanceof FindError)) throw e;
        if (!e.message) return status;
        complain(p, `find: ${e.message}\n`);
        return 1;
      }
      return status;
    };

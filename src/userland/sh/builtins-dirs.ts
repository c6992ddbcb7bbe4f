// Builtins about directories: cd, pushd, popd, dirs, pwd.
import { strerror } from '../../linux/process.ts';
import { absolute, lookup } from '../../linux/vfs.ts';
import type { Builtin } from './builtins.ts';
import { builtinFail, fail, say } from './messages.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam, setVar } from './vars.ts';

function cdPath(sh: Shell, argv: string[]): { target: string; show: boolean } | null {
  const args = argv.slice(1).filter(a => !/^-[LPe@]+$/.test(a) && a !== '--');
  const arg = args[0];
  if (args.length > 1 && bashLike(sh)) {
    fail(sh, 'cd: too many arguments');
    return null;
  }
  if (arg === '-') {
    const old = getParam(sh, 'OLDPWD');
    if (old === undefined && bashLike(sh)) {
      fail(sh, 'cd: OLDPWD not set');
      return null;
    }
    return { target: old ?? sh.p.cwd, show: true };
  }
  if (arg === undefined) {
    const home = getParam(sh, 'HOME');
    if (home === undefined && bashLike(sh)) {
      fail(sh, 'cd: HOME not set');
      return null;
    }
    return { target: home ?? sh.p.cwd, show: false };
  }
  return { target: arg, show: false };
}

function changeDirectory(sh: Shell, target: string): string | null {
  const path = absolute(target || '.', sh.p.cwd);
  const node = lookup(sh.p.fs, path, sh.p);
  if (typeof node === 'string') return node;
  if (node.kind !== 'dir') return 'ENOTDIR';
  setVar(sh, 'OLDPWD', sh.p.cwd);
  sh.p.cwd = path;
  setVar(sh, 'PWD', path);
  for (const name of ['PWD', 'OLDPWD']) (sh.vars.get(name) as { exported?: boolean }).exported = true;
  return null;
}

const cd: Builtin = {
  *run(sh, argv) {
    const to = cdPath(sh, argv);
    if (!to) return 1;
    // CDPATH: where else a name that is not a path may lie; where it was found is told.
    const found = /^\.{0,2}(\/|$)/.test(to.target)
      ? undefined
      : (getParam(sh, 'CDPATH') ?? '')
          .split(':')
          .filter(Boolean)
          .map(d => `${d}/${to.target}`)
          .find(path => typeof lookup(sh.p.fs, absolute(path, sh.p.cwd), sh.p) !== 'string');
    const e = changeDirectory(sh, found ?? to.target);
    if (!e && found !== undefined) to.show = true;
    if (e) {
      if (sh.kind === 'dash') {
        fail(sh, `cd: can't cd to ${to.target}`);
        return 2;
      }
      if (sh.kind === 'ash') return builtinFail(sh, 'cd', `can't cd to ${to.target}: ${strerror(e as 'ENOENT')}`, 2);
      fail(sh, `cd: ${to.target}: ${strerror(e as 'ENOENT')}`);
      return 1;
    }
    if (to.show) say(sh, 1, `${sh.p.cwd}\n`);
    return 0;
  },
};

const dirs: Builtin = {
  only: ['bash'],
  *run(sh, argv) {
    if (argv[0] === 'pushd') {
      const here = sh.p.cwd;
      if (argv[1] === undefined && !sh.dirStack.length) {
        fail(sh, 'pushd: no other directory');
        return 1;
      }
      const e = changeDirectory(sh, argv[1] ?? sh.dirStack[0] ?? here);
      if (e) {
        fail(sh, `pushd: ${argv[1]}: ${strerror(e as 'ENOENT')}`);
        return 1;
      }
      if (argv[1] === undefined) sh.dirStack.shift();
      sh.dirStack.unshift(here);
    } else if (argv[0] === 'popd') {
      const to = sh.dirStack.shift();
      if (to === undefined) {
        fail(sh, 'popd: directory stack empty');
        return 1;
      }
      changeDirectory(sh, to);
    }
    const home = getParam(sh, 'HOME');
    const short = (path: string) =>
      home && home !== '/' && (path === home || path.startsWith(`${home}/`)) && !argv.includes('-l') ? `~${path.slice(home.length)}` : path;
    const list = [sh.p.cwd, ...sh.dirStack].map(short);
    const flag = argv[0] === 'dirs' ? argv[1] : undefined;
    if (flag === '-c') sh.dirStack = [];
    else if (flag === '-v') say(sh, 1, list.map((path, i) => `${String(i).padStart(2)}  ${path}\n`).join(''));
    else if (flag === '-p') say(sh, 1, list.map(path => `${path}\n`).join(''));
    else say(sh, 1, `${list.join(' ')}\n`);
    return 0;
  },
};

const pwd: Builtin = {
  *run(sh) {
    say(sh, 1, `${sh.p.cwd}\n`);
    return 0;
  },
};

export const DIRECTORY_BUILTINS: Record<string, Builtin> = {
  cd,
  chdir: { ...cd, only: ['dash', 'ash'] },
  pushd: dirs,
  popd: dirs,
  dirs,
  pwd,
};

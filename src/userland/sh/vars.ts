// Variables: reading, setting, locals, and the special parameters.

import { localPid } from '../../linux/pids.ts';
import { nextU32 } from '../../sim/random.ts';
import { fail } from './messages.ts';
import { LONG_OPTIONS, optionNames, SHOPT_NAMES } from './option-tables.ts';
import { bashLike, type Shell, type Variable } from './types.ts';

const VERSINFO = ['5', '2', '15', '1', 'release', 'x86_64-pc-linux-gnu'];
const DIGITS = /^\d+$/;

/** The variable behind a name, through namerefs. */
export function variable(sh: Shell, name: string): Variable | undefined {
  const v = sh.vars.get(name);
  return v?.nameref && v.value ? sh.vars.get(v.value) : v;
}

/** A parameter as one string; undefined when unset. Lists are joined as `$*` is. */
export function getParam(sh: Shell, name: string): string | undefined {
  if (DIGITS.test(name)) return name === '0' ? sh.name : sh.args[Number(name) - 1];
  if (name.length === 1 && !/\w/.test(name)) return special(sh, name);
  const v = variable(sh, name);
  if (v) {
    if (v.array) return v.array.get(0);
    if (v.assoc) return v.assoc.get('0');
    return v.value ?? undefined;
  }
  return dynamicParam(sh, name);
}

function special(sh: Shell, name: string): string | undefined {
  switch (name) {
    case '?':
      return String(sh.status);
    case '#':
      return String(sh.args.length);
    case '$':
      return String(localPid(sh.shellProcess));
    case '!':
      return sh.lastBackground ? String(localPid(sh.lastBackground)) : undefined;
    case '-':
      return (
        [...sh.options].filter(o => o.length === 1).join('') +
        (sh.interactive ? 'i' : '') +
        (sh.commandString && sh.kind !== 'dash' ? 'c' : '')
      );
    case '*':
    case '@':
      return sh.args.length ? sh.args.join(name === '*' ? ifs(sh).slice(0, 1) : ' ') : undefined;
    default:
      return undefined;
  }
}

function dynamicParam(sh: Shell, name: string): string | undefined {
  const { sim } = sh.p.kernel;
  switch (name) {
    case 'LINENO':
      return String(sh.line);
    case 'PPID':
      return sh.shellProcess.parent ? String(localPid(sh.shellProcess.parent)) : '0';
    case 'RANDOM':
      return sh.kind === 'dash' ? undefined : String(nextU32(sim.random) & 0x7fff);
    default:
      return bashLike(sh) ? bashParam(sh, name) : undefined;
  }
}

function bashParam(sh: Shell, name: string): string | undefined {
  const now = sh.p.kernel.sim.nowMs;
  switch (name) {
    case 'SECONDS':
      return String(Math.floor((now - sh.startedAtMs) / 1000));
    case 'EPOCHSECONDS':
      return String(Math.floor(now / 1000));
    case 'EPOCHREALTIME':
      return (now / 1000).toFixed(6);
    case 'BASHPID':
      return String(localPid(sh.p));
    case 'BASH_SUBSHELL':
      return String(sh.subshell);
    case 'UID':
    case 'EUID':
      return String(sh.p.uid);
    case 'HOSTNAME':
      return hostnameOf(sh);
    case 'HOSTTYPE':
      return 'x86_64';
    case 'OSTYPE':
      return 'linux-gnu';
    case 'MACHTYPE':
      return 'x86_64-pc-linux-gnu';
    case 'BASH_VERSION':
      return '5.2.15(1)-release';
    case 'BASH':
      return '/usr/bin/bash';
    case 'FUNCNAME':
      return sh.calls[sh.calls.length - 1];
    case 'BASH_COMMAND':
      return sh.command();
    case '_':
      return sh.lastWord;
    case 'BASH_LINENO':
    case 'BASH_SOURCE':
      return arrayValues(sh, name)?.[0];
    case 'BASH_VERSINFO':
      return VERSINFO[0];
    case 'GROUPS':
      return '0';
    case 'SHELLOPTS':
      return optionNames(sh.kind)
        .filter(name => name === 'interactive-comments' || sh.options.has(LONG_OPTIONS[name]))
        .join(':');
    case 'BASHOPTS':
      return SHOPT_NAMES.filter(name => sh.shopt.has(name)).join(':');
    case 'PIPESTATUS':
      return String(sh.pipestatus[0] ?? 0);
    case 'SHLVL':
      return '1';
    default:
      return undefined;
  }
}

export const hostnameOf = (sh: Shell): string => sh.p.env.get('HOSTNAME') ?? sh.p.kernel.hostname;

export const ifs = (sh: Shell): string => sh.vars.get('IFS')?.value ?? ' \t\n';

/** Values of `name[@]`, or undefined: it is no array. */
export function arrayValues(sh: Shell, name: string): string[] | undefined {
  if (name === '@' || name === '*') return sh.args;
  if (name === 'PIPESTATUS') return sh.pipestatus.map(String);
  if (name === 'BASH_VERSINFO' && bashLike(sh)) return VERSINFO;
  if (name === 'FUNCNAME' && bashLike(sh))
    return sh.calls.length ? [...[...sh.calls].reverse(), ...(sh.commandString ? [] : ['main'])] : [];
  if (name === 'BASH_LINENO' && bashLike(sh)) return [...[...sh.callLines].reverse().map(String), ...(sh.commandString ? [] : ['0'])];
  if (name === 'BASH_SOURCE' && bashLike(sh))
    return sh.commandString ? sh.calls.map(() => 'environment') : [...sh.calls.map(() => sh.name), sh.name];
  const v = variable(sh, name);
  if (!v) return undefined;
  if (v.assoc) return [...v.assoc.values()];
  if (v.array) return [...v.array.entries()].sort((a, b) => a[0] - b[0]).map(e => e[1]);
  return v.value === null ? undefined : [v.value];
}

export function arrayKeys(sh: Shell, name: string): string[] {
  const v = variable(sh, name);
  if (v?.assoc) return [...v.assoc.keys()];
  if (v?.array) return [...v.array.keys()].sort((a, b) => a - b).map(String);
  return v?.value === null || !v ? [] : ['0'];
}

function shaped(v: Variable, value: string): string {
  if (v.letters === 'lower') return value.toLowerCase();
  if (v.letters === 'upper') return value.toUpperCase();
  return value;
}

/** false: it is read-only, and the shell has said so. */
export function setVar(sh: Shell, name: string, value: string, key?: string | number): boolean {
  let v = sh.vars.get(name);
  if (v?.nameref && v.value && v.value !== name) return setVar(sh, v.value, value, key);
  if (v?.readonly) {
    readonlyError(sh, name);
    return false;
  }
  if (!v) {
    v = { value: null };
    sh.vars.set(name, v);
    if (sh.options.has('a')) v.exported = true;
  }
  const text = shaped(v, value);
  if (typeof key === 'number' && key < 0) {
    // Counted from the end of what is there.
    const end = v.array ? Math.max(-1, ...v.array.keys()) + 1 : v.value === null ? 0 : 1;
    if (end + key < 0) {
      fail(sh, `${name}[${key}]: bad array subscript`);
      sh.status = 1;
      if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
      return false;
    }
    key = end + key;
  }
  if (v.assoc) v.assoc.set(String(key ?? '0'), text);
  else if (v.array) v.array.set(Number(key ?? 0), text);
  else if (key !== undefined) {
    v.array = new Map(v.value === null ? [] : [[0, v.value]]);
    v.array.set(Number(key), text);
    v.value = null;
  } else v.value = text;
  if (name === 'OPTIND') sh.optind = { at: Number(text) || 1, within: 0 };
  return true;
}

export function readonlyError(sh: Shell, name: string): void {
  if (bashLike(sh)) {
    fail(sh, `${name}: readonly variable`);
    sh.status = 1;
    if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
    return;
  }
  fail(sh, `${name}: is read only`);
  sh.status = 2;
  if (!sh.interactive) sh.flow = { kind: 'exit', levels: 0 };
}

export function unsetVar(sh: Shell, name: string): boolean {
  if (sh.vars.get(name)?.readonly) {
    fail(sh, bashLike(sh) ? `unset: ${name}: cannot unset: readonly variable` : `unset: ${name}: is read only`);
    return false;
  }
  sh.vars.delete(name);
  return true;
}

/** `local`: the name is the function's own until it returns. */
export function makeLocal(sh: Shell, name: string): Variable {
  const scope = sh.scopes[sh.scopes.length - 1];
  const old = sh.vars.get(name);
  if (!scope.has(name)) {
    scope.set(name, old);
    // dash and ash keep the outer value, bash begins unset.
    sh.vars.set(name, { value: bashLike(sh) ? null : (old?.value ?? null), exported: old?.exported });
  }
  return sh.vars.get(name) as Variable;
}

export function leaveScope(sh: Shell): void {
  const scope = sh.scopes.pop();
  if (!scope) return;
  for (const [name, old] of scope) {
    if (old) sh.vars.set(name, old);
    else sh.vars.delete(name);
  }
}

/** What programs get as their environment. */
export function environment(sh: Shell): Map<string, string> {
  const env = new Map<string, string>();
  for (const [name, v] of sh.vars) if (v.exported && v.value !== null) env.set(name, v.value);
  return env;
}

export function copyVars(vars: Map<string, Variable>): Map<string, Variable> {
  const out = new Map<string, Variable>();
  for (const [name, v] of vars) {
    out.set(name, { ...v, array: v.array && new Map(v.array), assoc: v.assoc && new Map(v.assoc) });
  }
  return out;
}

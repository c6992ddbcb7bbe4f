// nginx's rewrite module: set, if, rewrite, return, break in their order (src/http/modules/ngx_http_rewrite_module.c).
import { absolute, lookup } from '../../linux/vfs.ts';
import type { Directive } from './nginx-directives.ts';
import { type Answer, errorAnswer, redirectTo, textAnswer } from './nginx-pages.ts';
import { pattern, type Scope } from './nginx-scope.ts';
import { capture, decodePath, expand } from './nginx-variables.ts';

/** `go`: the directives behind it go on; `stop`: no more of them; an answer ends the request. */
type Step = 'go' | 'stop' | Answer;

/** -> an answer, or null; `s.path` may have changed, and `changed` says that locations have to be looked through again. */
export function runRewrites(s: Scope, list: Directive[]): { answer: Answer | null; changed: boolean } {
  const state = { changed: false };
  const step = steps(s, list, state);
  return { answer: typeof step === 'string' ? null : step, changed: state.changed };
}

function steps(s: Scope, list: Directive[], state: { changed: boolean }): Step {
  for (const d of list) {
    const step = one(s, d, state);
    if (step !== 'go') return step;
  }
  return 'go';
}

function one(s: Scope, d: Directive, state: { changed: boolean }): Step {
  switch (d.name) {
    case 'set':
      s.vars.set(d.args[0].slice(1), expand(s, d.args[1]));
      return 'go';
    case 'break':
      return 'stop';
    case 'return':
      return returned(s, d);
    case 'rewrite':
      return rewrite(s, d, state);
    case 'if':
      if (!holds(s, d.args)) return 'go';
      // From here its block is the request's own, also for an answer that follows in it; that of an `if` before is not any more.
      s.levels = [d.block ?? [], ...(s.branch ? s.levels.slice(1) : s.levels)];
      s.branch = d;
      return steps(s, d.block ?? [], state);
    default:
      return 'go';
  }
}

function returned(s: Scope, d: Directive): Answer {
  const isCode = /^\d{3}$/.test(d.args[0]);
  const code = isCode ? Number(d.args[0]) : 302;
  const text = isCode ? d.args[1] : d.args[0];
  if (code === 444) return { status: 444, raw: '' };
  if (text === undefined) return code >= 300 ? errorAnswer(s, code) : textAnswer(s, code, '');
  if ([301, 302, 303, 307, 308].includes(code)) return redirectTo(s, code, expand(s, text));
  return textAnswer(s, code, expand(s, text));
}

/** ngx_http_rewrite_if_condition. */
function holds(s: Scope, words: string[]): boolean {
  const args = words.map((w, i) => (i === 0 ? w.replace(/^\(/, '') : w)).map((w, i, l) => (i === l.length - 1 ? w.replace(/\)$/, '') : w));
  const [left, operator, right] = args.filter(w => w !== '');
  const file = /^(!?)-([fdex])$/.exec(left);
  if (file) return exists(s, expand(s, operator), file[2]) !== (file[1] === '!');
  const value = expand(s, left);
  if (operator === undefined) return value !== '' && value !== '0';
  if (operator === '=') return value === expand(s, right ?? '');
  if (operator === '!=') return value !== expand(s, right ?? '');
  const m = pattern(right ?? '', operator.endsWith('*'))?.exec(value) ?? null;
  if (operator.startsWith('!')) return !m;
  if (m) capture(s, m);
  return m !== null;
}

function exists(s: Scope, path: string, kind: string): boolean {
  const node = lookup(s.n.p.fs, absolute(path), s.n.p);
  if (typeof node === 'string') return false;
  return kind === 'f'
    ? node.kind === 'file'
    : kind === 'd'
      ? node.kind === 'dir'
      : kind === 'e' || (node.kind === 'file' && (node.mode & 0o111) > 0);
}

function rewrite(s: Scope, d: Directive, state: { changed: boolean }): Step {
  const [expression, replacement, flag] = d.args;
  const m = pattern(expression)?.exec(s.path);
  if (!m) return 'go';
  capture(s, m);
  const away = /^(https?:\/\/|\$scheme)/.test(replacement) || flag === 'redirect' || flag === 'permanent';
  // A `?` at its end: the arguments that came are not added.
  const drops = replacement.endsWith('?');
  const text = expand(s, drops ? replacement.slice(0, -1) : replacement);
  const at = text.indexOf('?');
  const given = at < 0 ? '' : text.slice(at + 1);
  const args = drops ? given : [given, s.args].filter(Boolean).join('&');
  const path = at < 0 ? text : text.slice(0, at);
  if (away) return redirectTo(s, flag === 'permanent' ? 301 : 302, `${path}${args ? `?${args}` : ''}`);
  s.path = decodePath(path);
  s.args = args;
  s.untouched = false;
  state.changed = flag !== 'break';
  if (flag === 'break') s.validLocation = false;
  return flag ? 'stop' : 'go';
}

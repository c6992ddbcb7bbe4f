// set -x: what each shell prints before it acts (bash 5.2 print_cmd.c, dash and BusyBox' evalcommand).
import type { TestExpression, Word } from 'unbash';
import type { Co } from '../../sim/task.ts';
import { expandPattern, expandString, wordOf } from './expand.ts';
import { say } from './messages.ts';
import { expandPrompt } from './prompt.ts';
import { shellQuote } from './quote.ts';
import { bashLike, type Shell } from './types.ts';
import { getParam } from './vars.ts';

export const tracing = (sh: Shell): boolean => sh.options.has('x');

/** PS4, expanded; bash repeats its first character for each level of `$(…)`, eval, `.` and traps. */
function* header(sh: Shell): Co<string> {
  const ps4 = getParam(sh, 'PS4') ?? (bashLike(sh) ? '' : '+ ');
  let text = ps4;
  if (/[$`\\]/.test(ps4)) {
    // What is expanded here is not traced, and leaves $? alone.
    const saved = { status: sh.status, flow: sh.flow };
    sh.options.delete('x');
    const source = bashLike(sh) ? expandPrompt(sh, ps4) : ps4;
    text = yield* expandString(sh, wordOf(`"${source.replace(/"/g, '\\"')}"`));
    sh.options.add('x');
    sh.status = saved.status;
    sh.flow = saved.flow;
  }
  return bashLike(sh) && text ? [...text][0].repeat(sh.depth) + text : text;
}

export function* trace(sh: Shell, text: string): Co<void> {
  if (tracing(sh)) say(sh, 2, `${yield* header(sh)}${text}\n`);
}

/** A word as this shell shows it: dash as it is, BusyBox in its own quotes. */
export function traced(sh: Shell, word: string): string {
  if (sh.kind === 'dash') return word;
  if (sh.kind === 'ash') return /[^\w+,./:@^\]-]/.test(word) ? `'${word.replace(/'/g, `'"'"'`)}'` : word;
  return shellQuote(word);
}

/** A pattern as `[[` shows it: what was quoted has backslashes. */
function* shownPattern(sh: Shell, word: Word): Co<string> {
  const parts = word.parts ?? [];
  let text = '';
  for (const part of parts) {
    const quoted = part.type === 'DoubleQuoted' || part.type === 'SingleQuoted' || part.type === 'AnsiCQuoted';
    const inner = wordOf(part.text);
    text += quoted ? (yield* expandString(sh, inner)).replace(/[\s\S]/g, '\\$&') : yield* expandPattern(sh, inner);
  }
  return parts.length ? text : yield* expandPattern(sh, word);
}

/** One term of `[[ … ]]`, with its operands expanded. */
export function* traceTest(sh: Shell, e: TestExpression, negated = false): Co<void> {
  if (!tracing(sh) || !bashLike(sh)) return;
  const or = (s: string) => s || "''";
  const bang = negated ? '! ' : '';
  if (e.type === 'TestUnary') yield* trace(sh, `[[ ${bang}${e.operator} ${or(yield* expandString(sh, e.operand))} ]]`);
  if (e.type !== 'TestBinary') return;
  const pattern = e.operator === '==' || e.operator === '=' || e.operator === '!=' || e.operator === '=~';
  const right = pattern ? yield* shownPattern(sh, e.right) : yield* expandString(sh, e.right);
  yield* trace(sh, `[[ ${bang}${or(yield* expandString(sh, e.left))} ${e.operator} ${or(right)} ]]`);
}

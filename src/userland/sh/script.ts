// Source text to tree, each shell's syntax errors, and running text in the current shell (eval, traps, `.`).
import { type ParsedScript, type ParseError, parse } from 'unbash';
import type { Co } from '../../sim/task.ts';
import { foreignSyntax } from './dialect.ts';
import { say } from './messages.ts';
import { runStatements } from './run.ts';
import { bashLike, type Shell } from './types.ts';

const parsed = new Map<string, ParsedScript>();

function parseCached(source: string): ParsedScript {
  let script = parsed.get(source);
  if (!script) {
    script = parse(source);
    if (parsed.size > 300) parsed.clear();
    parsed.set(source, script);
  }
  return script;
}

const lineStarts = new Map<string, number[]>();

/** The line of a position, counted from 1. */
export function lineOf(sh: Shell, pos: number): number {
  if (pos === 0 || !sh.source.includes('\n')) return sh.lineBase + 1;
  let starts = lineStarts.get(sh.source);
  if (!starts) {
    starts = [0];
    for (let i = sh.source.indexOf('\n'); i >= 0; i = sh.source.indexOf('\n', i + 1)) starts.push(i + 1);
    if (lineStarts.size > 300) lineStarts.clear();
    lineStarts.set(sh.source, starts);
  }
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (starts[mid] <= pos) low = mid;
    else high = mid - 1;
  }
  return sh.lineBase + low + 1;
}

function heredocOpen(script: ParsedScript): boolean {
  let open = false;
  JSON.stringify(script, (_, v) => {
    if (v?.type === 'HereDoc' && !v.closing) open = true;
    return v;
  });
  return open;
}

/** The text may go on in the next line: an open quote, a loop without its end, a trailing `|`. */
export function incomplete(source: string): boolean {
  if (/(^|[^\\])(\\\\)*\\\n$/.test(source)) return true;
  const script = parseCached(source);
  if (script.errors?.length)
    return !script.errors.some(e => e.message.startsWith('unexpected token')) && script.errors.every(e => endsAt(source, e));
  return source.includes('<<') && heredocOpen(script);
}

function endsAt(source: string, e: ParseError): boolean {
  if (/^unterminated|^expected '.*' to close/.test(e.message)) return true;
  return e.pos >= source.trimEnd().length;
}

const CLOSERS: Record<string, string> = { if: 'fi', while: 'done', until: 'done', for: 'done', case: 'esac', select: 'done' };

function describe(sh: Shell, source: string, e: ParseError, where: string): string[] {
  const token = /^unexpected token '([\s\S]*)'$/.exec(e.message)?.[1];
  const quote = /^unterminated (single|double) quote|^unterminated (.*)$/.exec(e.message);
  const line = source.slice(0, e.pos).split('\n').length;
  const closer = /^expected '(\w+|[)}\]]+)'/.exec(e.message)?.[1] ?? CLOSERS[/'(\w+)'$/.exec(e.message)?.[1] ?? ''];
  const atEnd = e.pos >= source.trimEnd().length;
  const next = /^\s*(;;|&&|\|\||[;&|()<>]|[^\s;&|()<>]+|\n)/.exec(source.slice(e.pos))?.[1] ?? '';
  if (bashLike(sh)) {
    const head = sh.interactive
      ? `${sh.name}: `
      : `${sh.name}: ${where === 'eval' ? 'eval: ' : sh.commandString ? '-c: ' : ''}line ${sh.lineBase + line}: `;
    if (quote)
      return [`${head}unexpected EOF while looking for matching \`${quote[1] === 'single' ? "'" : quote[1] === 'double' ? '"' : ')'}'`];
    if (!token && atEnd)
      return [
        `${head.replace(/line \d+/, `line ${sh.lineBase + source.split('\n').length + (source.endsWith('\n') ? 0 : 1)}`)}syntax error: unexpected end of file`,
      ];
    const bad = token ?? (next || 'newline');
    return [`${head}syntax error near unexpected token \`${bad}'`, `${head}\`${source.split('\n')[line - 1]}'`];
  }
  if (sh.kind === 'ash') {
    if (quote) return [`${sh.name}: syntax error: unterminated quoted string`];
    if (!token && atEnd)
      return [
        `${sh.name}: ${where === 'eval' ? `eval: line ${Math.max(0, sh.line - 1)}: ` : ''}syntax error: unexpected end of file${closer ? ` (expecting "${closer}")` : ''}`,
      ];
    return [`${sh.name}: syntax error: unexpected "${token ?? next}"`];
  }
  const head = `${sh.name}: ${sh.lineBase + (quote || atEnd ? source.trimEnd().split('\n').length : line)}: ${where === 'eval' ? 'eval: ' : ''}`;
  if (quote) return [`${head}Syntax error: Unterminated quoted string`];
  if (!token && atEnd) return [`${head}Syntax error: end of file unexpected${closer ? ` (expecting "${closer}")` : ''}`];
  return [`${head}Syntax error: "${token ?? next}" unexpected`];
}

/** The tree, or null: a syntax error, reported, with its status set. */
export function parseScript(sh: Shell, source: string, where = ''): ParsedScript | null {
  const script = parseCached(source);
  if (!script.errors?.length) {
    const foreign = foreignSyntax(script, source, sh.kind);
    if (!foreign) return script;
    const line = sh.lineBase + source.slice(0, foreign.pos).split('\n').length;
    say(sh, 2, `${sh.name}: ${sh.kind === 'dash' ? `${line}: Syntax` : 'syntax'} error: ${foreign.text}\n`);
    sh.status = 2;
    return null;
  }
  const end = source.trimEnd().length;
  // At the end of the text, what would have closed the construct says more than `expected command`.
  const e =
    script.errors.find(x => x.message.startsWith('unterminated')) ??
    script.errors.find(x => x.pos < end) ??
    script.errors.find(x => /^expected '/.test(x.message)) ??
    script.errors[0];
  for (const text of describe(sh, source, e, where)) say(sh, 2, `${text}\n`);
  sh.status = 2;
  return null;
}

/** Run text in this shell. A syntax error of `eval` ends a POSIX shell. */
export function* runText(sh: Shell, text: string, where = ''): Co<number> {
  const saved = { source: sh.source, lineBase: sh.lineBase };
  const script = parseScript(sh, text, where);
  if (!script) {
    if (!sh.interactive && !bashLike(sh)) sh.flow = { kind: 'exit', levels: 0 };
    return sh.status;
  }
  sh.source = text;
  if (!script.commands.length) sh.status = 0;
  yield* runStatements(sh, script.commands);
  sh.source = saved.source;
  sh.lineBase = saved.lineBase;
  return sh.status;
}

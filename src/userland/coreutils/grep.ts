// grep, egrep, fgrep.
import { complain } from '../../linux/process.ts';
import { absolute, type FsNode, listDir, lookup } from '../../linux/vfs.ts';
import { compareBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { matches } from '../sh/glob.ts';
import { isDirectory } from './operands.ts';
import { posixToJs, quoteRegex, RegexError } from './regex.ts';
import {
  BROKEN,
  binaryArgument,
  cannotOpen,
  error,
  has,
  linesOf,
  nextLine,
  openInput,
  option,
  out,
  outBinary,
  type Run,
  slurp,
  splitLines,
  type ToolSpec,
  toBinary,
  usage,
} from './tool.ts';

interface Matcher {
  test: (line: string) => boolean;
  all: (line: string) => { text: string; at: number }[];
}

/** What PCRE has and JavaScript writes otherwise: \K keeps what was matched so far out of the match. */
function perlSource(s: string): string {
  const at = /(?<!\\)(?:\\\\)*\\K/.exec(s);
  const keep = at ? at.index + at[0].length - 2 : -1;
  const source = keep < 0 ? s : `(?<=${s.slice(0, keep)})${s.slice(keep + 2)}`;
  return source
    .replace(/\\h/g, '[ \\t]')
    .replace(/\\Q(.*?)\\E/g, (_, text) => quoteRegex(text))
    .replace(/\(\?P</g, '(?<');
}

function compile(r: Run, patterns: string[]): Matcher {
  const extended = has(r, 'E') || r.name === 'egrep';
  const fixed = has(r, 'F') || r.name === 'fgrep';
  const sources = patterns.map(text => {
    const s = binaryArgument(text);
    let source = fixed ? quoteRegex(s) : has(r, 'P') ? perlSource(s) : posixToJs(s, extended);
    if (has(r, 'w')) source = `(?<!\\w)(?:${source})(?!\\w)`;
    if (has(r, 'x')) source = `^(?:${source})$`;
    return `(?:${source})`;
  });
  const source = sources.length ? sources.join('|') : '(?!)';
  const flags = has(r, 'i') || has(r, 'y') ? 'i' : '';
  const one = new RegExp(source, flags);
  const every = new RegExp(source, `${flags}g`);
  return {
    test: line => one.test(line),
    all: line => [...line.matchAll(every)].map(m => ({ text: m[0], at: m.index })).filter(m => m.text),
  };
}

const USAGE =
  'grep [-HhnlLoqvsrRiwFE] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]...\n\nSearch for PATTERN in FILEs (or stdin)';

export const GREP: ToolSpec = {
  short: 'EFGPivcnoqslLHhwxyrRe:f:m:A:B:C:abzZTUI',
  synopsis: '[OPTION]... PATTERNS [FILE]...',
  long: {
    'extended-regexp': 'E',
    'fixed-strings': 'F',
    'basic-regexp': 'G',
    'perl-regexp': 'P',
    'ignore-case': 'i',
    'invert-match': 'v',
    count: 'c',
    'line-number': 'n',
    'only-matching': 'o',
    quiet: 'q',
    silent: 'q',
    'no-messages': 's',
    'files-with-matches': 'l',
    'files-without-match': 'L',
    'with-filename': 'H',
    'no-filename': 'h',
    'word-regexp': 'w',
    'line-regexp': 'x',
    recursive: 'r',
    regexp: 'e',
    file: 'f',
    'max-count': 'm',
    'after-context': 'A',
    'before-context': 'B',
    context: 'C',
    color: 'k',
    colour: 'k',
    'line-buffered': 'U',
    text: 'a',
    'byte-offset': 'b',
    null: 'Z',
    'null-data': 'z',
    'no-ignore-case': 'K',
    'dereference-recursive': 'R',
    'exclude-dir': 'D:',
    binary: 'U',
    'group-separator': 'S:',
    'no-group-separator': 'Y',
    include: 'N:',
    exclude: 'X:',
  },
  digits: 'C',
  usage: USAGE,
  usageStatus: 2,
  *run(r) {
    const patterns = (r.options.get('e') ?? []).flatMap(e => e.split('\n'));
    for (const file of r.options.get('f') ?? []) {
      const data = yield* slurp(r, file);
      if (typeof data === 'string') return 2;
      patterns.push(...splitLines(toBinary(data)));
    }
    let files = r.args;
    if (!has(r, 'e') && !has(r, 'f')) {
      if (!files.length) {
        if (r.bb) return usage(r, '', USAGE, 1);
        complain(r.p, `Usage: ${r.name} [OPTION]... PATTERNS [FILE]...\nTry '${r.name} --help' for more information.\n`);
        return 2;
      }
      patterns.push(...files[0].split('\n'));
      files = files.slice(1);
    }
    for (const letter of ['A', 'B', 'C', 'm']) {
      const count = option(r, letter);
      if (count === undefined || /^\d+$/.test(count)) continue;
      if (letter !== 'm') return error(r, `${count}: invalid context length argument`, 2);
      if (!/^-\d+$/.test(count)) return error(r, 'invalid max count', 2);
    }
    let matcher: Matcher;
    try {
      matcher = compile(r, patterns);
    } catch (e) {
      if (!(e instanceof RegexError) && !(e instanceof SyntaxError)) throw e;
      return error(
        r,
        r.bb
          ? `bad regex '${patterns[0]}': ${e.message}`
          : has(r, 'P') && /Unterminated group/.test(e.message)
            ? 'missing closing parenthesis'
            : e instanceof RegexError && !e.message.startsWith('Unmatched [')
              ? e.message
              : 'Invalid regular expression',
        2,
      );
    }
    return yield* search(r, matcher, files);
  },
};

/** The files below a path. Links that are come upon are followed by -R alone, and not back to a folder that is being gone through (`above`). */
function expand(r: Run, path: string, above: FsNode[] = []): string[] {
  const full = absolute(path, r.p.cwd);
  const here = lookup(r.p.fs, full, r.p);
  if (typeof here === 'string' || here.kind !== 'dir') return [path];
  if (above.includes(here)) {
    if (!r.bb) complain(r.p, `grep: ${path}: warning: recursive directory loop\n`);
    return [];
  }
  const entries = listDir(r.p.fs, full, r.p);
  if (typeof entries === 'string') return [];
  return [...entries.keys()].sort(compareBytes).flatMap(name => {
    if (entries.get(name)?.kind === 'symlink' && !has(r, 'R')) return [];
    const at = path === '.' && !r.args.includes('.') ? name : `${path.replace(/\/$/, '')}/${name}`;
    const include = option(r, 'N');
    const excluded = (letter: string) => (r.options.get(letter) ?? []).some(pattern => matches(name, pattern));
    if (isDirectory(r, at) ? excluded('D') : (include && !excluded('N')) || excluded('X')) return [];
    return expand(r, at, [...above, here]);
  });
}

function* search(r: Run, matcher: Matcher, named: string[]): Co<number> {
  const recursive = has(r, 'r') || has(r, 'R');
  const files = recursive ? (named.length ? named : ['.']).flatMap(f => expand(r, f)) : named.length ? named : ['-'];
  const label = has(r, 'H') || (!has(r, 'h') && ((recursive && (named.length !== 1 || isDirectory(r, named[0]))) || files.length > 1));
  let found = false;
  let failed = false;
  for (const file of files) {
    if (!recursive && isDirectory(r, file)) {
      if (!r.bb) {
        if (!has(r, 's')) error(r, `${file}: Is a directory`);
        continue;
      }
      if (!has(r, 's')) error(r, `${file}: Is a directory`);
      failed = true;
      continue;
    }
    const pipe = yield* openInput(r, file);
    if (typeof pipe === 'string') {
      if (!has(r, 's')) cannotOpen(r, file, pipe);
      failed = true;
      continue;
    }
    const result = yield* searchOne(r, matcher, linesOf(pipe), label ? (file === '-' ? '(standard input)' : file) : null);
    if (result === null) return BROKEN;
    found ||= result;
    if (found && has(r, 'q')) return 0;
  }
  if (failed && !(found && has(r, 'q'))) return 2;
  return found ? 0 : 1;
}

/** GNU's colours for --color=always (GREP_COLORS' defaults). */
const paint = (r: Run, sgr: string, text: string): string => (option(r, 'k') === 'always' ? `\x1b[${sgr}m\x1b[K${text}\x1b[m\x1b[K` : text);

/** What stands before a line: the file's name, its number, its place in bytes. */
function heading(r: Run, label: string | null, n: number, at: number, mark: string): string {
  const separator = paint(r, '36', mark);
  // -Z ends a name with a zero byte instead of the mark.
  const name = label === null ? '' : `${paint(r, '35', label)}${has(r, 'Z') ? '\0' : separator}`;
  const number = has(r, 'n') ? `${paint(r, '32', String(n))}${separator}` : '';
  const offset = has(r, 'b') ? `${paint(r, '32', String(at))}${separator}` : '';
  const head = name + number + offset;
  return head;
}

function coloured(r: Run, matcher: Matcher, line: string): string {
  if (option(r, 'k') !== 'always' || has(r, 'v')) return line;
  let text = '';
  let from = 0;
  for (const m of matcher.all(line)) {
    text += line.slice(from, m.at) + paint(r, '01;31', m.text);
    from = m.at + m.text.length;
  }
  return text + line.slice(from);
}

/** -> whether something matched; null: nobody reads what it prints */
function* searchOne(r: Run, matcher: Matcher, lines: ReturnType<typeof linesOf>, label: string | null): Co<boolean | null> {
  const invert = has(r, 'v');
  const max = has(r, 'm') ? Number(option(r, 'm')) : Number.POSITIVE_INFINITY;
  const after = Number(option(r, 'A') ?? option(r, 'C') ?? 0);
  const before = Number(option(r, 'B') ?? option(r, 'C') ?? 0);
  const silent = has(r, 'q') || has(r, 'l') || has(r, 'L') || has(r, 'c');
  const end = has(r, 'z') ? '\0' : '\n';
  const held: { n: number; text: string; at: number }[] = [];
  let count = 0;
  let printedTo = 0;
  let owed = 0;
  let offset = 0;
  for (let n = 1; count < max || owed > 0; n++) {
    const line = yield* nextLine(r, lines, end);
    if (line === null) break;
    const start = offset;
    offset += line.length + 1;
    const hit = count < max && matcher.test(line) !== invert;
    if (hit) {
      count++;
      if (has(r, 'q') || has(r, 'l') || has(r, 'L')) break;
      if (silent) continue;
      if ((has(r, 'A') || has(r, 'B') || has(r, 'C')) && printedTo && n - held.length > printedTo + 1 && !has(r, 'Y'))
        outBinary(r, `${paint(r, '36', option(r, 'S') ?? '--')}\n`);
      for (const h of held) outBinary(r, heading(r, label, h.n, h.at, '-') + h.text + end);
      held.length = 0;
      const whole = [{ text: coloured(r, matcher, line), at: 0 }];
      const parts = matcher.all(line).map(m => ({ text: paint(r, '01;31', m.text), at: m.at }));
      for (const m of has(r, 'o') ? (invert ? [] : parts) : whole)
        if (outBinary(r, heading(r, label, n, start + m.at, ':') + m.text + end)) return null;
      printedTo = n;
      owed = after;
    } else if (owed > 0 && !silent) {
      owed--;
      outBinary(r, heading(r, label, n, start, '-') + line + end);
      printedTo = n;
    } else if (before && !silent) {
      held.push({ n, text: line, at: start });
      if (held.length > before) held.shift();
    }
  }
  const name = `${label ?? r.args.at(-1) ?? '(standard input)'}${has(r, 'Z') ? '\0' : '\n'}`;
  if (has(r, 'q')) return count > 0;
  if (has(r, 'l')) {
    if (count) out(r, name);
  } else if (has(r, 'L')) {
    if (!count) out(r, name);
    return count === 0;
  } else if (has(r, 'c')) out(r, `${label === null ? '' : `${label}${has(r, 'Z') ? '\0' : ':'}`}${count}\n`);
  return count > 0;
}

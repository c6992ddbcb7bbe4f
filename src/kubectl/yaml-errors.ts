// go-yaml's words for broken YAML (go.yaml.in/yaml/v2 v2.4.3: scannerc.go, parserc.go, decode.go parser.fail).

interface ParseError {
  reason?: string;
  message: string;
  mark?: { line: number; column: number };
}

/** js-yaml's reasons and go-yaml's; `scanner` errors count their line from one, parser errors from zero. */
const WORDS: [RegExp, string, 'scanner' | 'parser'][] = [
  [/tab characters must not be used/, 'found character that cannot start any token', 'scanner'],
  [/unidentified alias "(.*)"/, "unknown anchor '$1' referenced", 'scanner'],
  [/unexpected end of the stream within a (single|double) quoted/, 'found unexpected end of stream', 'scanner'],
  [/unexpected end of the document within a/, 'found unexpected document indicator', 'scanner'],
  [/unknown escape sequence/, 'found unknown escape character', 'scanner'],
  [/expected hexadecimal character/, 'did not find expected hexdecimal number', 'scanner'],
  [/bad indentation of a sequence entry/, "did not find expected '-' indicator", 'parser'],
  [/non-printable characters|null byte/, 'control characters are not allowed', 'scanner'],
];

/** What go-yaml refuses before it has looked at the document itself. */
export function readerError(text: string): string | null {
  const say = (words: string) => `error converting YAML to JSON: yaml: ${words}`;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if ((c < 32 && c !== 9 && c !== 10 && c !== 13) || (c >= 127 && c < 160 && c !== 133) || c === 0xfffe || c === 0xffff)
      return say('control characters are not allowed');
  }
  // Documents are cut at their `---`, so that a directive never has one after it.
  if (!/^%/m.test(text)) return null;
  const lines = text.split('\n');
  const first = lines.findIndex(l => l.trim() && !l.startsWith('#'));
  if (!lines[first]?.startsWith('%')) return null;
  const version = /^%YAML\s+(\d+)\.(\d+)/.exec(lines[first]);
  if (version && (version[1] !== '1' || version[2] !== '1')) return say('found incompatible YAML document');
  const next = lines.findIndex((l, i) => i > first && l.trim() !== '' && !l.startsWith('#') && !l.startsWith('%'));
  return say(`line ${next < 0 ? Math.max(1, lines.length - 2) : next}: did not find expected <document start>`);
}

/** The text of `error converting YAML to JSON: yaml: line N: …`. */
export function goYamlError(text: string, e: ParseError): string {
  const lines = text.split('\n');
  const line = e.mark?.line ?? 0;
  const reason = e.reason ?? e.message;
  const say = (at: number, words: string) => `error converting YAML to JSON: yaml: ${at > 0 ? `line ${at}: ` : ''}${words}`;

  if (/unidentified alias/.test(reason)) return say(0, reason.replace(/.*"(.*)".*/, "unknown anchor '$1' referenced"));
  const scanned = scanErrors(lines, line);
  if (scanned) return say(scanned.line, scanned.words);
  for (const [pattern, words, where] of WORDS) {
    if (!pattern.test(reason)) continue;
    if (/end of the stream within/.test(reason)) return say(lines.length, words);
    return say(where === 'scanner' ? line + 1 : line, words);
  }
  if (/flow collection|missed comma|expected a node|end of the stream/.test(reason) || /[[{,]\s*$/.test(text)) {
    const read = lines
      .slice(0, line + 1)
      .join('\n')
      .trimEnd();
    if (/[[{,]$/.test(read) && openBracket(lines, line)) return say(lines.length - 2, 'did not find expected node content');
    const open = openBracket(lines, line) || '{';
    return say(line, `did not find expected ',' or '${open === '[' ? ']' : '}'}'`);
  }
  return say(line, 'did not find expected key');
}

/** Mistakes that go-yaml's scanner sees before its parser does, looked for in the lines up to the one that was refused. */
function scanErrors(lines: string[], upTo: number): { line: number; words: string } | null {
  for (let i = Math.max(0, upTo - 1); i <= Math.min(upTo + 1, lines.length - 1); i++) {
    const line = lines[i];
    const value = /^\s*(?:- +)*[^\s#'"[{&*!|>%@`][^#]*?:\s+(.*)$/.exec(line)?.[1] ?? /^\s*(?:- +)+(.*)$/.exec(line)?.[1];
    if (value === undefined) continue;
    if (/^- /.test(value) || value === '-') return { line: i + 1, words: 'block sequence entries are not allowed in this context' };
    if (/^[%@`]/.test(value)) return { line: i + 1, words: 'found character that cannot start any token' };
    if (/^[^'"[{#|>&*!][^#]*:(\s|$)/.test(value) && /^\s*(?:- +)*[^\s:]+:\s+/.test(line))
      return { line: i + 1, words: 'mapping values are not allowed in this context' };
  }
  const line = lines[upTo];
  if (line !== undefined && /:(\s|$)/.test(line) && upTo > 0) {
    // A deeper key below a plain value continues that value, so its colon is one too many.
    const before =
      lines
        .slice(0, upTo)
        .filter(l => l.trim() && !l.trim().startsWith('#'))
        .at(-1) ?? '';
    const indent = (s: string) => s.length - s.trimStart().length;
    if (indent(line) > indent(before) && /:\s+\S/.test(before) && !/[|>][-+0-9]*\s*$/.test(before))
      return { line: upTo + 1, words: 'mapping values are not allowed in this context' };
  }
  // A line that is no key among keys: its scalar ends without a colon.
  const noKey = (l: string | undefined) => l !== undefined && l.trim() !== '' && !/:(\s|$)/.test(l) && !/^\s*-(\s|$)/.test(l);
  if (!noKey(line)) return null;
  // It is found where the next word stands, or the end.
  const indent = (s: string) => s.length - s.trimStart().length;
  let first = upTo;
  while (first > 0 && noKey(lines[first - 1]) && indent(lines[first - 1]) === indent(line)) first--;
  const next = lines.findIndex((l, i) => i > first && l.trim() !== '');
  return { line: next < 0 ? lines.length - 1 : next + 1, words: "could not find expected ':'" };
}

function openBracket(lines: string[], upTo: number): string {
  const stack: string[] = [];
  for (const c of lines.slice(0, upTo + 1).join('\n')) {
    if (c === '[' || c === '{') stack.push(c);
    else if (c === ']' || c === '}') stack.pop();
  }
  return stack.at(-1) ?? '';
}

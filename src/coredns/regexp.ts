// Go's regular expressions (RE2) as the Corefile's plugins take them.

/** -> the expression, or Go's text of what is wrong with it */
export function goRegExp(source: string): RegExp | string {
  const flags = /^\(\?([is]+)\)/.exec(source);
  const body = source
    .slice(flags?.[0].length ?? 0)
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$');
  try {
    return new RegExp(body, flags?.[1] ?? '');
  } catch (e) {
    return `error parsing regexp: ${reason(source, (e as Error).message)}`;
  }
}

/** regexp/syntax.ErrorCode and the piece it names. */
function reason(source: string, message: string): string {
  if (/Unterminated group/.test(message)) return `missing closing ): \`${source}\``;
  if (/Unmatched '\)'/.test(message)) return `unexpected ): \`${source}\``;
  if (/Unterminated character class/.test(message)) return `missing closing ]: \`${source.slice(source.lastIndexOf('['))}\``;
  if (/Nothing to repeat/.test(message)) return `missing argument to repetition operator: \`${/[*+?]/.exec(source)?.[0] ?? ''}\``;
  if (/at end of pattern/.test(message)) return 'trailing backslash at end of expression: ``';
  return `invalid or unsupported Perl syntax: \`${source}\``;
}

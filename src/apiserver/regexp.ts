// RE2 patterns of schemas and expressions, as JavaScript spells them.

const compiled = new Map<string, RegExp | null>();

/** null: not a pattern, or one that JavaScript cannot express. */
export function compile(pattern: string): RegExp | null {
  let re = compiled.get(pattern);
  if (re === undefined) compiled.set(pattern, (re = translate(pattern)));
  return re;
}

function translate(pattern: string): RegExp | null {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = (flags ? pattern.slice(flags[0].length) : pattern)
    .replace(/\(\?P</g, '(?<')
    // Go may repeat the beginning.
    .replace(/^\^(?=[*+?])/, '(?:^)')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\[\[:alnum:\]\]/g, '[0-9A-Za-z]')
    .replace(/\[:alnum:\]/g, '0-9A-Za-z')
    .replace(/\[:alpha:\]/g, 'A-Za-z')
    .replace(/\[:digit:\]/g, '0-9');
  for (const mode of ['u', '']) {
    try {
      return new RegExp(body, (flags?.[1] ?? '') + mode);
    } catch {
      // The other mode may do.
    }
  }
  return null;
}

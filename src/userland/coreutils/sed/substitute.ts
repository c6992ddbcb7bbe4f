// sed's s command.
import type { SedCommand } from './parse.ts';
import type { State } from './state.ts';

function replacement(template: string, m: RegExpExecArray): string {
  let out = '';
  let mode = '';
  let once = '';
  const put = (text: string) => {
    if (!text) return;
    let t = mode === 'U' ? text.toUpperCase() : mode === 'L' ? text.toLowerCase() : text;
    if (once) t = (once === 'u' ? t[0].toUpperCase() : t[0].toLowerCase()) + t.slice(1);
    once = '';
    out += t;
  };
  for (let i = 0; i < template.length; i++) {
    const c = template[i];
    if (c === '&') put(m[0]);
    else if (c === '\\' && i + 1 < template.length) {
      const e = template[++i];
      if (/\d/.test(e)) put(m[Number(e)] ?? '');
      else if (e === 'n') put('\n');
      else if (e === 't') put('\t');
      else if (e === 'U' || e === 'L') mode = e;
      else if (e === 'E') mode = '';
      else if (e === 'u' || e === 'l') once = e;
      else put(e);
    } else put(c);
  }
  return out;
}

export function substitute(c: SedCommand, s: State): boolean {
  const re = c.regex ?? s.lastRegex;
  if (!re) return false;
  s.lastRegex = re;
  const global = re.global ? re : new RegExp(re.source, `${re.flags}g`);
  global.lastIndex = 0;
  let out = '';
  let at = 0;
  let n = 0;
  let done = false;
  for (let m = global.exec(s.pattern); m; m = global.exec(s.pattern)) {
    // Right behind a match, nothing is no further match.
    if (m[0] === '' && m.index === at && done) {
      if (global.lastIndex >= s.pattern.length) break;
      global.lastIndex++;
      continue;
    }
    n++;
    if (n >= c.flags.nth) {
      out += s.pattern.slice(at, m.index) + replacement(c.replacement, m);
      at = m.index + m[0].length;
      done = true;
      if (!c.flags.global) break;
    }
    if (m[0] === '') {
      if (global.lastIndex >= s.pattern.length) break;
      global.lastIndex++;
    }
  }
  if (done) s.pattern = out + s.pattern.slice(at);
  return done;
}

// tr: characters for characters.
import { readPipe } from '../../sim/pipe.ts';
import { BROKEN, binaryArgument, has, outBinary, type ToolSpec, toBinary, usage } from './tool.ts';

export const TR_CLASSES: Record<string, string> = {
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digit: '0123456789',
  space: '\t\n\v\f\r ',
  blank: '\t ',
  punct: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
};

function trSet(text: string): string {
  const s = binaryArgument(text).replace(/\\([0-7]{1,3}|.)/g, (_, e) => {
    if (/^[0-7]/.test(e)) return `\\${String.fromCharCode(Number.parseInt(e, 8) & 255)}`;
    const plain: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
    return `\\${plain[e] ?? e}`;
  });
  let set = '';
  for (let i = 0; i < s.length; i++) {
    const named = /^\[:(\w+):\]/.exec(s.slice(i));
    if (named && TR_CLASSES[named[1]]) {
      set += TR_CLASSES[named[1]];
      i += named[0].length - 1;
      continue;
    }
    const c = s[i] === '\\' && i + 1 < s.length ? s[++i] : s[i];
    if (s[i + 1] === '-' && i + 2 < s.length) {
      const end = s[i + 2] === '\\' && i + 3 < s.length ? s[i + 3] : s[i + 2];
      for (let n = c.charCodeAt(0); n <= end.charCodeAt(0); n++) set += String.fromCharCode(n);
      i += s[i + 2] === '\\' ? 3 : 2;
    } else set += c;
  }
  return set;
}

export const TR: ToolSpec = {
  short: '+cCdst',
  long: { complement: 'c', delete: 'd', 'squeeze-repeats': 's', 'truncate-set1': 't' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'tr [-cds] STRING1 [STRING2]');
    const complement = has(r, 'c') || has(r, 'C');
    if (r.args.length === 1 && !has(r, 'd') && !has(r, 's'))
      return usage(r, `missing operand after '${r.args[0]}'\nTwo strings must be given when translating.`, 'tr [-cds] STRING1 [STRING2]');
    let first = trSet(r.args[0]);
    if (complement)
      first = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
        .filter(c => !first.includes(c))
        .join('');
    const second = r.args[1] === undefined ? '' : trSet(r.args[1]);
    if (has(r, 't')) first = first.slice(0, second.length);
    const map = new Map<string, string>();
    if (second && !has(r, 'd')) for (let i = 0; i < first.length; i++) map.set(first[i], second[Math.min(i, second.length - 1)]);
    const remove = has(r, 'd') ? new Set(first) : null;
    const squeeze = has(r, 's') ? new Set(second || first) : null;
    let last = '';
    for (;;) {
      const chunk = yield* readPipe(r.p.kernel.sim, r.p.stdin);
      if (chunk === 'timeout' || !chunk.length) return 0;
      let text = '';
      for (const c of toBinary(chunk)) {
        if (remove?.has(c)) continue;
        const to = map.get(c) ?? c;
        if (squeeze?.has(to) && to === last) continue;
        last = to;
        text += to;
      }
      if (text && outBinary(r, text)) return BROKEN;
    }
  },
};

// printf and echo's escapes, shared by the shells and the programs.
import { backslashQuote } from './quote.ts';

export interface Printed {
  text: string;
  /** What was wrong, without the program's name. */
  errors: string[];
  /** `\c`: nothing more is printed. */
  stop: boolean;
}

/** Backslash escapes. `octal0`: echo and %b write octal as \0NNN, printf's format as \NNN. */
export function unescapeText(s: string, octal0: boolean, hexadecimal = true): { text: string; stop: boolean } {
  if (!s.includes('\\')) return { text: s, stop: false };
  const plain: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', e: '\x1b' };
  let out = '';
  for (let i = 0; i < s.length; i++) {
    if (s[i] !== '\\' || i + 1 >= s.length) {
      out += s[i];
      continue;
    }
    const rest = s.slice(i + 1);
    const octal = (octal0 ? /^0([0-7]{1,3})?/ : /^([0-7]{1,3})/).exec(rest);
    const hex = !hexadecimal
      ? null
      : (/^x([0-9a-fA-F]{1,2})/.exec(rest) ?? /^u([0-9a-fA-F]{1,4})/.exec(rest) ?? /^U([0-9a-fA-F]{1,8})/.exec(rest));
    if (octal) {
      out += String.fromCharCode(Number.parseInt(octal[1] ?? '0', 8) & 255);
      i += octal[0].length;
    } else if (hex) {
      out += String.fromCodePoint(Number.parseInt(hex[1], 16));
      i += hex[0].length;
    } else if (rest[0] === 'c') return { text: out, stop: true };
    else if (plain[rest[0]] !== undefined) {
      out += plain[rest[0]];
      i++;
    } else out += '\\';
  }
  return { text: out, stop: false };
}

function toNumber(arg: string, errors: string[], wording: (text: string) => string): number {
  const t = arg.trim();
  if (t === '') return 0;
  if (/^["'].?/.test(t)) return t.codePointAt(1) ?? 0;
  if (/^[-+]?(0[xX][0-9a-fA-F]+|\d+)$/.test(t)) {
    const sign = t.startsWith('-') ? -1 : 1;
    const body = t.replace(/^[-+]/, '');
    return sign * (/^0[0-7]+$/.test(body) ? Number.parseInt(body, 8) : Number(body));
  }
  errors.push(wording(arg));
  return Number(/^[-+]?\d+/.exec(t)?.[0] ?? 0);
}

function pad(text: string, flags: string, width: number): string {
  if (text.length >= width) return text;
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0')) return text.padStart(width);
  const sign = /^[-+ ]/.test(text) ? text[0] : '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

function convert(
  spec: RegExpExecArray,
  arg: string | undefined,
  errors: string[],
  wording: (text: string) => string,
): { text: string; stop: boolean } {
  const [, flags, , precisionText, letter] = spec;
  const width = Number(spec[2] || 0);
  const precision = precisionText === undefined ? undefined : Number(precisionText || 0);
  const value = arg ?? '';
  switch (letter) {
    case 's':
      return { text: pad(precision === undefined ? value : value.slice(0, precision), flags.replace('0', ''), width), stop: false };
    case 'b': {
      const r = unescapeText(value, true);
      return { text: pad(r.text, flags, width), stop: r.stop };
    }
    case 'q':
      return { text: pad(backslashQuote(value), flags, width), stop: false };
    case 'c':
      return { text: pad(value.slice(0, 1), flags, width), stop: false };
    default:
      return {
        text: pad(
          numeric(letter, flags, precision, toFloat(letter, value, errors, wording)),
          precision === undefined || /[eEfFgG]/.test(letter) ? flags : flags.replace('0', ''),
          width,
        ),
        stop: false,
      };
  }
}

function toFloat(letter: string, value: string, errors: string[], wording: (text: string) => string): number {
  if (/[eEfFgG]/.test(letter) && /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value.trim())) return Number(value);
  return toNumber(value, errors, wording);
}

function numeric(letter: string, flags: string, precision: number | undefined, n: number): string {
  const sign = (text: string) => (n >= 0 && flags.includes('+') ? `+${text}` : n >= 0 && flags.includes(' ') ? ` ${text}` : text);
  const digits = (text: string) => text.padStart(precision ?? 0, '0');
  const unsigned = n < 0 ? BigInt.asUintN(64, BigInt(Math.trunc(n))) : BigInt(Math.trunc(n));
  switch (letter) {
    case 'd':
    case 'i':
      return sign(n < 0 ? `-${digits(String(-n))}` : digits(String(n)));
    case 'u':
      return digits(unsigned.toString());
    case 'o':
      return (flags.includes('#') ? '0' : '') + digits(unsigned.toString(8));
    case 'x':
      return (flags.includes('#') && n ? '0x' : '') + digits(unsigned.toString(16));
    case 'X':
      return (flags.includes('#') && n ? '0X' : '') + digits(unsigned.toString(16).toUpperCase());
    case 'e':
    case 'E': {
      const text = n.toExponential(precision ?? 6).replace(/e([-+])(\d)$/, 'e$10$2');
      return sign(letter === 'E' ? text.toUpperCase() : text);
    }
    case 'g':
    case 'G':
      return sign(general(n, precision ?? 6));
    default:
      return sign(n.toFixed(precision ?? 6));
  }
}

/** C's %g. */
export function general(n: number, precision: number): string {
  if (n === 0) return '0';
  const p = precision || 1;
  const exponent = Math.floor(Math.log10(Math.abs(Number(n.toPrecision(p)))));
  if (exponent < -4 || exponent >= p) {
    const [mantissa, e] = n.toExponential(p - 1).split('e');
    const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
    return `${short}e${e[0]}${e.slice(1).padStart(2, '0')}`;
  }
  const fixed = n.toFixed(Math.max(0, p - 1 - exponent));
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}

/** `wording`: how an argument that is no number is complained about. */
export function formatPrintf(
  format: string,
  args: string[],
  wording: (text: string) => string,
  strftime?: (format: string, arg: string) => string,
): Printed {
  const errors: string[] = [];
  let out = '';
  let used = 0;
  do {
    const before = used;
    for (let i = 0; i < format.length; ) {
      const at = format.indexOf('%', i);
      const text = unescapeText(format.slice(i, at < 0 ? undefined : at), false);
      out += text.text;
      if (text.stop) return { text: out, errors, stop: true };
      if (at < 0) break;
      if (format[at + 1] === '%') {
        out += '%';
        i = at + 2;
        continue;
      }
      const time = strftime && /^%\(([^)]*)\)T/.exec(format.slice(at));
      if (time && strftime) {
        out += strftime(time[1], args[used++] ?? '-1');
        i = at + time[0].length;
        continue;
      }
      const source = format.slice(at).replace(/^(%[-+ #0]*)\*/, (_, head) => `${head}${toNumber(args[used++] ?? '0', errors, wording)}`);
      const dotted = source.replace(/^(%[-+ #0]*\d*\.)\*/, (_, head) => `${head}${toNumber(args[used++] ?? '0', errors, wording)}`);
      const spec = /^%([-+ #0]*)(\d*)(?:\.(\d*))?(?:hh|h|ll|l|L|q|j|z|t)*([a-zA-Z])/.exec(dotted);
      if (!spec || !'sbqcdiuoxXeEfFgG'.includes(spec[4])) {
        // A length modifier is passed over: what follows it is what is wrong.
        errors.push(`%${/^%[-+ #0]*\d*(?:\.\d*)?(?:hh|h|ll|l|L|q|j|z|t)*(.)/.exec(dotted)?.[1] ?? ''}: invalid directive`);
        return { text: out, errors, stop: true };
      }
      const r = convert(spec, args[used++], errors, wording);
      out += r.text;
      if (r.stop) return { text: out, errors, stop: true };
      // The length of the directive in the format itself, where * stands for a number that was put in.
      const own = /^%[-+ #0]*(?:\*|\d*)(?:\.(?:\*|\d*))?(?:hh|h|ll|l|L|q|j|z|t)*[a-zA-Z]/.exec(format.slice(at));
      i = at + (own ? own[0].length : spec[0].length);
    }
    if (used === before) break;
  } while (used < args.length);
  return { text: out, errors, stop: false };
}

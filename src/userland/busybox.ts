// What BusyBox' applets have in common: the banner above a usage text, getopt's complaints, and words of the C library under them.
import { complain, strerror } from '../linux/process.ts';
import type { Errno, Process } from '../linux/types.ts';
import type { Userland } from './userland.ts';

const BUILDS: Record<number, string> = {
  28: '(2018-05-22 17:00:17 UTC)',
  35: '(2022-08-01 15:14:44 UTC)',
  36: '(2023-05-18 22:34:17 UTC)',
  37: '(2024-09-26 21:31:42 UTC)',
};

function busyboxBanner(u: Userland): string {
  const minor = u.busybox ?? 37;
  const debian = u.distro === 'debian' && minor === 35 ? '(Debian 1:1.35.0-4+deb12u1+b1)' : null;
  return `BusyBox v1.${minor}.${minor === 36 || minor === 28 ? 1 : 0} ${debian ?? BUILDS[minor] ?? BUILDS[37]} multi-call binary.`;
}

/** bb_show_usage: the text goes to stderr, the exit code is 1. */
export function busyboxUsage(p: Process, u: Userland, usage: string, complaint?: string): number {
  if (complaint) complain(p, `${p.argv[0].replace(/.*\//, '')}: ${complaint}\n`);
  complain(p, `${busyboxBanner(u)}\n\nUsage: ${usage}\n`);
  return 1;
}

const MUSL: Partial<Record<Errno, string>> = {
  ETIMEDOUT: 'Operation timed out',
  ENETUNREACH: 'Network unreachable',
  EHOSTUNREACH: 'Host is unreachable',
  EADDRNOTAVAIL: 'Address not available',
  EADDRINUSE: 'Address in use',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EINVAL: 'Invalid argument',
  EAGAIN: 'Resource temporarily unavailable',
  EMSGSIZE: 'Message too large',
  ENOTCONN: 'Socket not connected',
  EISCONN: 'Socket is connected',
  ENOBUFS: 'No buffer space available',
  ECONNABORTED: 'Connection aborted',
};

/** strerror in the words of the image's C library (musl 1.2 src/errno/__strerror.h). */
export const libcError = (u: Userland, e: Errno): string => (u.libc === 'musl' ? (MUSL[e] ?? strerror(e)) : strerror(e));

export interface Options {
  flags: Set<string>;
  values: Map<string, string[]>;
  operands: string[];
  /** Options as they came, for programs whose later words take back earlier ones. */
  order: [name: string, value: string | null][];
  /** getopt's complaint about an unknown option or a missing argument, without the program's name. */
  error: string | null;
}

export const optionValue = (o: Options, name: string): string | undefined => o.values.get(name)?.at(-1);

/**
 * getopt_long: `short` as in C (`ab:c::`), `long` names map to a letter or a name; a long name that takes a value ends in `=`,
 * one that may take one in `=?`.
 * `permute`: operands may stand before options (GNU's habit).
 */
export function getopt(words: string[], short: string, long: Record<string, string> = {}, permute = true): Options {
  const o: Options = { flags: new Set(), values: new Map(), operands: [], order: [], error: null };
  const take = (name: string, value: string | null) => {
    o.flags.add(name);
    o.order.push([name, value]);
    if (value !== null) o.values.set(name, [...(o.values.get(name) ?? []), value]);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      o.operands.push(...words.slice(i + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [given, inline] = splitOnce(word.slice(2), '=');
      const found = longName(given, long);
      if (typeof found !== 'string') {
        o.error = found.length
          ? `option '${word}' is ambiguous; possibilities: ${found.map(n => `'--${n}'`).join(' ')}`
          : `unrecognized option '${word}'`;
        return o;
      }
      const wants = found.endsWith('=');
      if (wants && inline === null && i + 1 >= words.length) {
        o.error = `option '--${found.slice(0, -1)}' requires an argument`;
        return o;
      }
      if (inline !== null && !/=\??$/.test(found)) {
        o.error = `option '--${found}' doesn't allow an argument`;
        return o;
      }
      take(long[found], wants ? (inline ?? words[++i]) : inline);
    } else if (word.startsWith('-') && word !== '-') {
      const used = shortWord(word, words[i + 1], short, take);
      if (typeof used === 'string') {
        o.error = used;
        return o;
      }
      i += used;
    } else {
      o.operands.push(word);
      if (!permute) {
        o.operands.push(...words.slice(i + 1));
        break;
      }
    }
  }
  return o;
}

const bareName = (n: string): string => n.replace(/=\??$/, '');

/** The long option that a word means: itself, or what it alone begins. -> the names in question where it is none or several */
function longName(given: string, long: Record<string, string>): string | string[] {
  const names = Object.keys(long);
  const exact = names.find(n => bareName(n) === given);
  if (exact !== undefined) return exact;
  const begun = names.filter(n => n.startsWith(given));
  // Two names of one option are one meaning (glibc posix/getopt.c process_long_option).
  const one = begun.length > 0 && begun.every(n => long[n] === long[begun[0]] && n.endsWith('=') === begun[0].endsWith('='));
  return one ? begun[0] : begun.map(bareName);
}

function splitOnce(s: string, by: string): [string, string | null] {
  const at = s.indexOf(by);
  return at < 0 ? [s, null] : [s.slice(0, at), s.slice(at + 1)];
}

function shortWord(word: string, next: string | undefined, short: string, take: (n: string, v: string | null) => void): string | number {
  for (let k = 1; k < word.length; k++) {
    const at = word[k] === ':' ? -1 : short.indexOf(word[k]);
    if (at < 0) return `invalid option -- '${word[k]}'`;
    if (short[at + 1] !== ':') {
      take(word[k], null);
      continue;
    }
    const rest = word.slice(k + 1);
    if (rest || short[at + 2] === ':') {
      take(word[k], rest);
      return 0;
    }
    if (next === undefined) return `option requires an argument -- '${word[k]}'`;
    take(word[k], next);
    return 1;
  }
  return 0;
}

// openssl x509, verify and rsa (OpenSSL 3.0, apps/x509.c, apps/verify.c).
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString, hex } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import { sha256 } from '../../sim/sha256.ts';
import type { Co } from '../../sim/task.ts';
import { pem } from '../der.ts';
import { verifyChain } from '../trust.ts';
import { certificatesIn, nameText, type X509 } from '../x509.ts';
import { certificateText, colons, dateText, EXTENSIONS, extensionText, nameHash } from './certificate.ts';

/** Options that take a word, and those that do not; anything else is unknown. */
interface Spec {
  words: Set<string>;
  switches: Set<string>;
}

export function options(p: Process, command: string, args: string[], spec: Spec): { given: [string, string][]; rest: string[] } | number {
  const given: [string, string][] = [];
  for (let i = 0; i < args.length; i++) {
    const m = /^--?([\s\S]+)$/.exec(args[i]);
    if (!m) return { given, rest: args.slice(i) };
    if (spec.words.has(m[1])) {
      if (args[i + 1] === undefined) {
        complain(p, `${command}: Option -${m[1]} needs a value\n${command}: Use -help for summary.\n`);
        return 1;
      }
      given.push([m[1], args[++i]]);
    } else if (spec.switches.has(m[1])) given.push([m[1], '']);
    else {
      complain(p, `${command}: Unknown option: -${m[1]}\n${command}: Use -help for summary.\n`);
      return 1;
    }
  }
  return { given, rest: [] };
}

const words = (text: string) => new Set(text.split(' '));

const X509_SPEC: Spec = {
  words: words('in inform out outform ext checkend nameopt certopt'),
  switches: words('noout text hash dates startdate enddate subject issuer serial fingerprint sha1 sha256 pubkey modulus email ocsp_uri'),
};

export function* readInput(p: Process, path: string | undefined): Co<string | null> {
  if (path === undefined) return bytesToString(yield* stdinAll(p));
  const data = readFile(p.fs, absolute(path, p.cwd), p);
  return typeof data === 'string' ? null : bytesToString(data);
}

/** What ERR_print_errors puts before each line: a thread's number. */
const THREAD = '4047E215547F0000';

function unreadable(p: Process, path: string, what: string): number {
  complain(
    p,
    `Could not open file or uri for loading ${what} from ${path}\n` +
      `${THREAD}:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:../crypto/store/store_register.c:237:scheme=file\n` +
      `${THREAD}:error:80000002:system library:file_open:No such file or directory:../providers/implementations/storemgmt/file_store.c:266:calling stat(${path})\n` +
      `Unable to load ${what}\n`,
  );
  return what === 'certificate' ? 1 : 2;
}

function notFound(p: Process, path: string | undefined, what: string): number {
  const why =
    path === undefined
      ? ''
      : `${THREAD}:error:1608010C:STORE routines:ossl_store_handle_load_result:unsupported:../crypto/store/store_result.c:149:\n`;
  complain(p, `Could not read ${what} from ${path ?? '<stdin>'}\n${why}Unable to load ${what}\n`);
  return what === 'certificate' ? 1 : 2;
}

export function* x509(p: Process, args: string[]): Co<number> {
  const o = options(p, 'x509', args, X509_SPEC);
  if (typeof o === 'number') return o;
  if (o.rest.length) {
    complain(p, 'x509: Use -help for summary.\n');
    return 1;
  }
  const get = new Map(o.given);
  const path = get.get('in');
  const text = yield* readInput(p, path);
  if (text === null) return unreadable(p, path as string, 'certificate');
  const c = certificatesIn(text)[0];
  if (!c) return notFound(p, path, 'certificate');
  let code = 0;
  // In the order in which they are asked for.
  for (const [name, value] of o.given) {
    if (name === 'checkend') {
      const ends = c.notAfterMs < p.kernel.sim.nowMs + Number(value) * 1000;
      print(p, `Certificate will ${ends ? '' : 'not '}expire\n`);
      if (ends) code = 1;
    } else print(p, shown(c, name, value, get));
  }
  if (!get.has('noout')) print(p, pem('CERTIFICATE', c.der));
  return code;
}

function shown(c: X509, name: string, value: string, all: Map<string, string>): string {
  const serial = c.serial[0] === 0 && c.serial.length > 1 ? c.serial.subarray(1) : c.serial;
  switch (name) {
    case 'text':
      return certificateText(c);
    case 'dates':
      return `notBefore=${dateText(c.notBeforeMs)}\nnotAfter=${dateText(c.notAfterMs)}\n`;
    case 'startdate':
      return `notBefore=${dateText(c.notBeforeMs)}\n`;
    case 'enddate':
      return `notAfter=${dateText(c.notAfterMs)}\n`;
    case 'subject':
      return `subject=${nameText(c.subject)}\n`;
    case 'issuer':
      return `issuer=${nameText(c.issuer)}\n`;
    case 'serial':
      return `serial=${hex(serial).toUpperCase()}\n`;
    case 'fingerprint':
      return all.has('sha256') ? `sha256 Fingerprint=${colons(sha256(c.der))}\n` : `SHA1 Fingerprint=${colons(sha1(c.der))}\n`;
    case 'pubkey':
      return pem('PUBLIC KEY', c.spki);
    case 'modulus':
      return `Modulus=${hex(c.n[0] === 0 ? c.n.subarray(1) : c.n).toUpperCase()}\n`;
    case 'hash':
      return `${nameHash(c.subject)}\n`;
    case 'ext': {
      const ids = value.split(',').map(n => EXTENSIONS[n.trim()]?.id);
      const found = c.extensions.filter(x => ids.includes(x.id));
      return found.length ? found.map(x => extensionText(x, '')).join('') : 'No extensions in certificate\n';
    }
    default:
      return '';
  }
}

const VERIFY_SPEC: Spec = {
  words: words('CAfile CApath untrusted purpose verify_depth'),
  switches: words('verbose show_chain no-CAfile no-CApath'),
};

export function* verify(p: Process, args: string[]): Co<number> {
  const o = options(p, 'verify', args, VERIFY_SPEC);
  if (typeof o === 'number') return o;
  const get = new Map(o.given);
  const trusted: X509[] = [];
  for (const name of ['CAfile', 'untrusted']) {
    const path = get.get(name);
    if (!path) continue;
    const text = yield* readInput(p, path);
    if (text === null) {
      complain(p, `Error loading file ${path}\n`);
      return 1;
    }
    if (name === 'CAfile') trusted.push(...certificatesIn(text));
  }
  const untrusted = get.get('untrusted');
  const others = untrusted ? certificatesIn((yield* readInput(p, untrusted)) ?? '') : [];
  let code = 0;
  for (const path of o.rest) {
    const text = yield* readInput(p, path);
    const c = text === null ? undefined : certificatesIn(text)[0];
    if (!c) {
      code = text === null ? unreadable(p, path, 'certificate file') : notFound(p, path, 'certificate file');
      continue;
    }
    const wrong = verifyChain(c, trusted, p.kernel.sim.nowMs, others);
    if (!wrong) print(p, `${path}: OK\n`);
    else {
      complain(
        p,
        `${nameText(wrong.about.subject)}\nerror ${wrong.code} at ${wrong.depth} depth lookup: ${wrong.text}\nerror ${path}: verification failed\n`,
      );
      code = 2;
    }
  }
  return code;
}

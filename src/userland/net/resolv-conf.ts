// /etc/resolv.conf, /etc/hosts, /etc/nsswitch.conf and the numeric forms of addresses that getaddrinfo takes.
import type { Process } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString, hex } from '../../sim/bytes.ts';
import { type Ip, ip, parseIp } from '../../wire/ip.ts';

export interface ResolvConf {
  nameservers: Ip[];
  search: string[];
  ndots: number;
  /** Seconds. */
  timeout: number;
  attempts: number;
  rotate: boolean;
  singleRequest: boolean;
  singleRequestReopen: boolean;
  useVc: boolean;
  edns0: boolean;
  /** No AAAA record is asked for, nor taken to be there. */
  noAaaa: boolean;
  /** A name without dots is not asked for as it is. */
  noTldQuery: boolean;
}

/** resolv.conf(5), the limits of glibc's resolv/res_init.c 2.36. No nameserver line: the local host. */
export function parseResolvConf(text: string): ResolvConf {
  const conf: ResolvConf = {
    nameservers: [],
    search: [],
    ndots: 1,
    timeout: 5,
    attempts: 2,
    rotate: false,
    singleRequest: false,
    singleRequestReopen: false,
    useVc: false,
    edns0: false,
    noAaaa: false,
    noTldQuery: false,
  };
  for (const line of text.split('\n')) {
    if (/^[#;]/.test(line)) continue;
    const [word, ...rest] = line.trim().split(/[ \t]+/);
    if (word === 'nameserver') {
      const server = parseIp((rest[0] ?? '').replace(/%.*/, ''));
      if (server && conf.nameservers.length < 3) conf.nameservers.push(server);
    } else if (word === 'search') conf.search = rest.map(d => (d === '.' ? d : d.replace(/\.$/, '')));
    else if (word === 'domain' && rest[0]) conf.search = [rest[0].replace(/\.$/, '')];
    else if (word === 'options') for (const option of rest) applyOption(conf, option);
  }
  if (!conf.nameservers.length) conf.nameservers = [ip('127.0.0.1')];
  return conf;
}

function applyOption(conf: ResolvConf, option: string): void {
  const [name, value] = option.split(':');
  const n = Number.parseInt(value ?? '', 10);
  if (name === 'ndots' && n >= 0) conf.ndots = Math.min(n, 15);
  else if (name === 'timeout' && n >= 0) conf.timeout = Math.min(n, 30);
  else if (name === 'attempts' && n >= 0) conf.attempts = Math.min(n, 5);
  else if (name === 'rotate') conf.rotate = true;
  else if (name === 'single-request') conf.singleRequest = true;
  else if (name === 'single-request-reopen') conf.singleRequestReopen = true;
  else if (name === 'use-vc') conf.useVc = true;
  else if (name === 'edns0') conf.edns0 = true;
  else if (name === 'no-aaaa') conf.noAaaa = true;
  else if (name === 'no-tld-query') conf.noTldQuery = true;
}

function textOf(p: Process, path: string): string {
  const data = readFile(p.fs, path, p);
  return typeof data === 'string' ? '' : bytesToString(data);
}

export const readResolvConf = (p: Process): ResolvConf => parseResolvConf(textOf(p, '/etc/resolv.conf'));

export interface HostsEntry {
  ip: Ip;
  /** The first is the canonical name. */
  names: string[];
}

export function readHosts(p: Process): HostsEntry[] {
  const out: HostsEntry[] = [];
  for (const line of textOf(p, '/etc/hosts').split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const parsed = parseIp(address);
    if (parsed && names.length) out.push({ ip: parsed, names });
  }
  return out;
}

/** The `hosts:` line: where glibc looks and in which order. */
export function hostSources(p: Process): string[] {
  const line = /^\s*hosts:(.*)$/m.exec(textOf(p, '/etc/nsswitch.conf'));
  const words = (line?.[1] ?? 'files dns')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/#.*/, '')
    .trim();
  return words.split(/\s+/);
}

/** inet_aton(3): one to four parts, octal and hexadecimal allowed; or IPv6 text. */
export function numericHost(text: string): Ip | null {
  if (text.includes(':')) return parseIp(text.replace(/%.*/, ''));
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const values: number[] = [];
  for (const part of parts) {
    if (!/^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(part)) return null;
    values.push(/^0\d/.test(part) ? Number.parseInt(part, 8) : Number(part));
  }
  const last = values.pop() as number;
  if (values.some(v => v > 255) || last >= 2 ** (8 * (4 - values.length))) return null;
  const out = new Uint8Array(4);
  values.forEach((v, i) => {
    out[i] = v;
  });
  for (let i = 3, rest = last; i >= values.length; i--, rest = Math.floor(rest / 256)) out[i] = rest % 256;
  return out;
}

/** The name under which an address is asked backwards: `20.0.96.10.in-addr.arpa.` */
export function reverseName(address: Ip): string {
  if (address.length === 4) return `${[...address].reverse().join('.')}.in-addr.arpa.`;
  const nibbles = hex(address);
  return `${[...nibbles].reverse().join('.')}.ip6.arpa.`;
}

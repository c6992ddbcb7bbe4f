// What the parts of `ip` share: options, words, errors with their exit codes (iproute2 6.1 lib/utils.c, ip/ip.c).

import { linkByName } from '../../../linux/link.ts';
import { complain, print, strerror } from '../../../linux/process.ts';
import type { Errno, Link, Netns, Process } from '../../../linux/types.ts';
import { type Cidr, type Ip, parseIp } from '../../../wire/ip.ts';
import type { Userland } from '../../userland.ts';
import { toJson } from './json.ts';

export interface IpContext {
  p: Process;
  ns: Netns;
  u: Userland;
  /** BusyBox' applet, whose texts are shorter. */
  busybox: boolean;
  family: 4 | 6 | null;
  /** -0: no addresses. */
  linkOnly: boolean;
  details: boolean;
  stats: number;
  oneline: boolean;
  brief: boolean;
  json: boolean;
  pretty: boolean;
  resolve: boolean;
  /** -c: names, addresses and states in their colours. */
  color: boolean;
  /** The object of the command, by its full name. */
  object: string;
}

/** lib/color.c: the palette for dark letters. */
const INK = { ifname: 36, mac: 33, inet: 35, inet6: 34, up: 32, down: 31 };

/** `text` as -c shows it: what belongs to a word, a blank or colon behind it, is coloured with it. */
export const paint = (c: IpContext, as: keyof typeof INK, text: string): string => (c.color ? `\x1b[${INK[as]}m${text}\x1b[0m` : text);

export const paintIp = (c: IpContext, ip: Ip, text: string): string => paint(c, ip.length === 4 ? 'inet' : 'inet6', text);

export const paintState = (c: IpContext, state: string, text: string): string =>
  state === 'UP' || state === 'DOWN' ? paint(c, state === 'UP' ? 'up' : 'down', text) : text;

/** check_ifname. `what`: the argument that has it. */
export function nameOrFail(c: IpContext, name: string, what = 'name'): string {
  if (c.busybox || (name.length > 0 && name.length < 16 && !/[/\s]/.test(name))) return name;
  return fail(`Error: argument "${name}" is wrong: "${what}" not a valid ifname`, 255);
}

/** Ends the command: a message for stderr and the exit code. */
export class IpFailure {
  message: string;
  code: number;
  constructor(message: string, code: number) {
    this.message = message;
    this.code = code;
  }
}

export const fail = (message: string, code = 1): never => {
  throw new IpFailure(message, code);
};

/** The kernel said no. */
export const refused = (c: IpContext, e: Errno): never => fail(`${c.busybox ? 'ip: ' : ''}RTNETLINK answers: ${strerror(e)}`, 2);

/** The kernel said no and why (extended acknowledgement); BusyBox prints only the errno. */
export const refusedWith = (c: IpContext, text: string, e: Errno): never => (c.busybox ? refused(c, e) : fail(`Error: ${text}`, 2));

export function needAdmin(c: IpContext): void {
  if (!c.p.caps.has('NET_ADMIN')) refused(c, 'EPERM');
}

/** The words of a command, taken one by one. */
export interface Words {
  left: string[];
}

export function next(c: IpContext, w: Words): string {
  const word = w.left.shift();
  if (word === undefined) {
    return c.busybox ? fail("ip: argument of '' is missing", 1) : fail('Command line is not complete. Try option "help"', 255);
  }
  return word;
}

/** iproute2's `matches`: a prefix of the full word will do. */
export const matches = (word: string, full: string): boolean => word.length > 0 && full.startsWith(word);

/** What an object of `ip` does: its verbs in the order in which a prefix picks one; the first is what happens without a word. */
export interface IpObject {
  /** As iproute2's hint names it: `ip NAME help`. */
  name: string;
  /** As BusyBox names it. */
  short: string;
  usage: string;
  verbs: [words: string[], act: (c: IpContext, w: Words) => void][];
}

/** Take the verb and act. */
export function perform(c: IpContext, w: Words, o: IpObject): void {
  const word = w.left.shift();
  if (word === 'help' && !c.busybox) throw new IpFailure(o.usage.replace(/\n$/, ''), 255);
  const found = word === undefined ? o.verbs[0] : o.verbs.find(([names]) => names.some(n => matches(word, n)));
  if (found) found[1](c, w);
  else if (c.busybox) fail(`ip: invalid argument '${word}' to 'ip ${o.short}'`);
  else fail(`Command "${word}" is unknown, try "ip ${o.name} help".`, 255);
}

/** invarg(): some of its texts end a line of their own. */
export const wrong = (text: string, why: string): never => fail(`Error: argument "${text}" is wrong: ${why}`, 255);

export function deviceNamed(c: IpContext, name: string): Link {
  const link = linkByName(c.ns, name);
  return link ?? fail(c.busybox ? `ip: can't find device '${name}'` : `Cannot find device "${name}"`, 1);
}

/** For listings, which use other words. */
export function deviceShown(c: IpContext, name: string): Link {
  const link = linkByName(c.ns, name);
  return link ?? fail(c.busybox ? `ip: can't find device '${name}'` : `Device "${name}" does not exist.`, 1);
}

export function address(c: IpContext, text: string): Ip {
  const ip = parseIp(text);
  if (!ip)
    return fail(
      c.busybox ? `ip: invalid argument '${text}' to 'address'` : `Error: any valid address is expected rather than "${text}".`,
      1,
    );
  return ip;
}

/** `default`, `10.0.0.0/8`, `10/8`, an address. */
export function prefix(c: IpContext, text: string): Cidr {
  if (text === 'default' || text === 'any' || text === 'all') return { ip: new Uint8Array(c.family === 6 ? 16 : 4), bits: 0 };
  const [head, tail] = text.split('/');
  let ip = parseIp(head);
  if (!ip && /^\d+(\.\d+){0,2}$/.test(head)) ip = parseIp([...head.split('.'), '0', '0', '0'].slice(0, 4).join('.'));
  const bits = tail === undefined ? (ip?.length ?? 0) * 8 : Number(tail);
  const bad = !ip || !Number.isInteger(bits) || bits < 0 || bits > ip.length * 8 || (c.family === 4 && ip.length === 16);
  if (bad || !ip) {
    const kind = c.family === 4 ? 'inet' : c.family === 6 ? 'inet6' : 'any valid';
    return fail(c.busybox ? `ip: invalid argument '${text}' to 'ip'` : `Error: ${kind} prefix is expected rather than "${text}".`, 1);
  }
  return { ip, bits };
}

export function number(what: string, text: string): number {
  const n = /^(0x[0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isNaN(n) ? wrong(text, what === 'mtu' ? 'Invalid "mtu" value\n' : `invalid "${what}" value\n`) : n;
}

const TABLE_NAMES: Record<string, number> = { default: 253, main: 254, local: 255, unspec: 0, all: 0 };

/** A routing table's number, by /etc/iproute2/rt_tables; null: not one. */
export function tableNumber(text: string): number | null {
  if (Object.hasOwn(TABLE_NAMES, text)) return TABLE_NAMES[text];
  return /^(0x[0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : null;
}

export const tableName = (n: number): string => Object.keys(TABLE_NAMES).find(k => TABLE_NAMES[k] === n && n !== 0) ?? String(n);

export const out = (c: IpContext, text: string): unknown => print(c.p, text);
export const complainTo = (c: IpContext, text: string): unknown => complain(c.p, text);

export const outJson = (c: IpContext, rows: unknown[]): void => {
  out(c, `${toJson(rows, c.pretty)}\n`);
};

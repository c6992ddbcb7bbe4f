// `ip rule` (iproute2 6.1 ip/iprule.c).
import { addRule } from '../../../linux/route.ts';
import type { PolicyRule } from '../../../linux/types.ts';
import { type Cidr, formatIp } from '../../../wire/ip.ts';
import { RULE_USAGE } from '../usage/ip.ts';
import {
  fail,
  type IpContext,
  type IpObject,
  matches,
  needAdmin,
  next,
  number,
  out,
  outJson,
  perform,
  prefix,
  refused,
  tableName,
  tableNumber,
  type Words,
  wrong,
} from './context.ts';

const RULE: IpObject = {
  name: 'rule',
  short: 'rule',
  usage: RULE_USAGE,
  verbs: [
    [['list', 'lst', 'show'], show],
    [['add'], (c, w) => change(c, w, true)],
    [['delete'], (c, w) => change(c, w, false)],
    [['flush'], flush],
  ],
};

export const ipRule = (c: IpContext, w: Words): void => perform(c, w, RULE);

function flush(c: IpContext): void {
  needAdmin(c);
  c.ns.rules = c.ns.rules.filter(r => r.family !== (c.family ?? 4) || r.priority === 0);
  c.ns.dirty.add('routes');
}

const cidrText = (d: Cidr): string => (d.bits === d.ip.length * 8 ? formatIp(d.ip) : `${formatIp(d.ip)}/${d.bits}`);
const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;

function show(c: IpContext, w: Words): void {
  let table: number | null = null;
  let priority: number | null = null;
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (matches(word, 'table') || word === 'lookup') {
      const name = next(c, w);
      table = tableNumber(name) ?? wrong(name, 'table id value is invalid\n');
    } else if (matches(word, 'preference') || matches(word, 'priority') || word === 'order') priority = preferenceOf(next(c, w));
    else fail(`podnet does not model "ip rule list ${word}"`, 1);
  }
  const rules = c.ns.rules.filter(
    r => r.family === (c.family ?? 4) && (table === null || r.table === table) && (priority === null || r.priority === priority),
  );
  if (c.json) {
    const rows = rules.map(r => ({
      priority: r.priority,
      src: r.from ? formatIp(r.from.ip) : 'all',
      srclen: r.from && r.from.bits < r.from.ip.length * 8 ? r.from.bits : undefined,
      dst: r.to ? formatIp(r.to.ip) : undefined,
      dstlen: r.to && r.to.bits < r.to.ip.length * 8 ? r.to.bits : undefined,
      fwmark: r.fwmark ? hex(r.fwmark.value) : undefined,
      fwmask: r.fwmark && r.fwmark.mask >>> 0 !== 0xffffffff ? hex(r.fwmark.mask) : undefined,
      iif: r.iif,
      oif: r.oif,
      table: tableName(r.table),
    }));
    outJson(c, rows);
    return;
  }
  for (const r of rules) {
    let s = `${r.priority}:\tfrom ${r.from ? cidrText(r.from) : 'all'} `;
    if (r.to) s += `to ${cidrText(r.to)} `;
    if (r.fwmark) s += `fwmark ${hex(r.fwmark.value)}${r.fwmark.mask >>> 0 === 0xffffffff ? '' : `/${hex(r.fwmark.mask)}`} `;
    if (r.iif) s += `iif ${r.iif} `;
    if (r.oif) s += `oif ${r.oif} `;
    out(c, `${s}lookup ${tableName(r.table)}${c.busybox ? ' ' : ''}\n`);
  }
}

const preferenceOf = (text: string): number =>
  /^(0[xX][0-9a-fA-F]+|\d+)$/.test(text) ? Number(text) : wrong(text, 'preference value is invalid\n');

function change(c: IpContext, w: Words, add: boolean): void {
  if (!w.left.length) fail(`"ip rule ${add ? 'add' : 'del'}" requires arguments.`, 1);
  const r: PolicyRule = { priority: -1, from: null, to: null, fwmark: null, table: 254, family: c.family ?? 4 };
  let table = false;
  while (w.left.length) {
    const word = w.left.shift() as string;
    if (word === 'from' || word === 'to') {
      const text = next(c, w);
      const d = text === 'all' || text === 'any' || text === 'default' ? null : prefix(c, text);
      r[word] = d && d.bits > 0 ? d : null;
      if (d?.ip.length === 16) r.family = 6;
    } else if (matches(word, 'preference') || matches(word, 'priority') || word === 'order') r.priority = preferenceOf(next(c, w));
    else if (word === 'fwmark') {
      const [value, mask] = next(c, w).split('/');
      r.fwmark = { value: number('fwmark', value), mask: mask === undefined ? 0xffffffff : number('fwmark', mask) };
    } else if (matches(word, 'table') || word === 'lookup') {
      const text = next(c, w);
      r.table = tableNumber(text) ?? fail(`Error: argument "${text}" is wrong: invalid table ID\n`, 255);
      table = true;
    } else if (word === 'iif' || word === 'dev') r.iif = next(c, w);
    else if (word === 'oif') r.oif = next(c, w);
    else if (word === 'tos' || word === 'protocol' || word === 'suppress_prefixlength') next(c, w);
    else fail(`Error: argument "${word}" is wrong: Failed to parse rule type`, 255);
  }
  needAdmin(c);
  if (!add) {
    remove(c, r, table);
    return;
  }
  if (r.priority < 0) {
    // fib_default_rule_pref: just before the second rule.
    const own = c.ns.rules.filter(x => x.family === r.family);
    r.priority = own.length > 1 && own[1].priority > 0 ? own[1].priority - 1 : 0;
  }
  const e = addRule(c.ns, r);
  if (e) refused(c, e);
  c.ns.dirty.add('routes');
}

function remove(c: IpContext, r: PolicyRule, table: boolean): void {
  const same = (a: Cidr | null, b: Cidr | null) => JSON.stringify(a && cidrText(a)) === JSON.stringify(b && cidrText(b));
  const at = c.ns.rules.findIndex(
    x =>
      x.family === r.family &&
      (r.priority < 0 || x.priority === r.priority) &&
      (!r.from || same(x.from, r.from)) &&
      (!r.to || same(x.to, r.to)) &&
      (!r.fwmark || (x.fwmark?.value === r.fwmark.value && x.fwmark.mask >>> 0 === r.fwmark.mask >>> 0)) &&
      (!table || x.table === r.table) &&
      (r.iif === undefined || x.iif === r.iif),
  );
  if (at < 0) refused(c, 'ENOENT');
  c.ns.rules.splice(at, 1);
  c.ns.dirty.add('routes');
}

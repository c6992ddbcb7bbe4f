// nftables' chains: their hooks, priorities and blocks.
import type { Token } from './lex.ts';
import { priorityOf } from './print.ts';
import {
  expectWord,
  isSymbol,
  isWord,
  name,
  number,
  peek,
  quotedOrWord,
  type Reader,
  refuse,
  skipNewlines,
  takeSymbol,
  takeWord,
  unexpected,
} from './reader.ts';
import { isReferred } from './references.ts';
import { parseRule } from './rules.ts';
import { noChain, type Run, tableNamed } from './run.ts';
import { addChain, orderByHandle, ownChain, ownTable, removeChain } from './store.ts';
import type { NftChain, NftTable } from './types.ts';

// Chains

export function makeChain(x: Run, table: NftTable, token: Token): NftChain {
  const old = table.chains.get(token.text);
  if (old) return ownChain(x.w, table, old);
  const chain: NftChain = { name: token.text, handle: table.nextHandle++, comment: null, base: null, rules: [] };
  addChain(x.w, table, chain);
  return chain;
}

const HOOKS: Record<string, string[]> = {
  filter: ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'],
  nat: ['prerouting', 'input', 'output', 'postrouting'],
  route: ['output'],
};

/** `type T hook H [device D] priority P;` */
function baseSpec(x: Run, chain: NftChain, start: Token): void {
  const { r } = x;
  const type = name(r);
  if (!(type.text in HOOKS)) refuse(type, 'unknown chain type');
  expectWord(r, 'hook');
  const hook = name(r);
  if (!HOOKS.filter.includes(hook.text)) refuse(hook, 'unknown chain hook');
  const device = takeWord(r, 'device') ? quotedOrWord(r) : null;
  expectWord(r, 'priority');
  const priority = parsePriority(r, hook.text);
  if (!HOOKS[type.text].includes(hook.text)) {
    const end = r.text.indexOf('\n', start.at);
    refuse({ ...start, text: r.text.slice(start.at, end < 0 ? undefined : end) }, 'Operation not supported', 'Operation not supported');
  }
  chain.base = { type: type.text as 'filter', hook: hook.text, priority, policy: chain.base?.policy ?? 'accept', device };
  x.w.hooksChanged = true;
}

function parsePriority(r: Reader, hook: string): number {
  const t = peek(r);
  let base = 0;
  let sign = 1;
  if (t.kind === 'word') {
    r.at++;
    const known = priorityOf(t.text, hook);
    if (known === undefined) {
      const m = /^([a-z]+)-(\d+)$/.exec(t.text);
      const value = m ? priorityOf(m[1], hook) : undefined;
      return m && value !== undefined ? value - Number(m[2]) : refuse(t, `invalid priority expression ${t.text} in this context.`);
    }
    base = known;
    if (!isSymbol(r, '+') && !isSymbol(r, '-')) return base;
  }
  if (takeSymbol(r, '-')) sign = -1;
  else takeSymbol(r, '+');
  return base + sign * number(r);
}

export function chainBlock(x: Run, table: NftTable, chain: NftChain): void {
  const { r } = x;
  for (;;) {
    skipNewlines(r);
    const t = peek(r);
    if (takeSymbol(r, '}')) return;
    if (t.kind === 'end') unexpected(t);
    if (takeWord(r, 'type')) baseSpec(x, chain, r.tokens[r.start]);
    else if (takeWord(r, 'policy')) {
      const policy = expectWord(r, 'accept', 'drop');
      if (chain.base) chain.base = { ...chain.base, policy: policy as 'accept' };
    } else if (isWord(r, 'comment') && peek(r, 1).kind === 'string') {
      r.at++;
      chain.comment = quotedOrWord(r);
    } else if (takeWord(r, 'device')) quotedOrWord(r);
    else chain.rules.push(parseRule(x, table));
  }
}

export function chainCommand(x: Run, verb: string): void {
  const { r, w } = x;
  // Whether there is such a table is looked up for these (table_not_found); the others leave it to the kernel.
  const { table: found } = tableNamed(x, !['add', 'create', 'rename'].includes(verb));
  const token = name(r);
  const old = found.chains.get(token.text);
  if (verb === 'add' || verb === 'create') {
    if (old && verb === 'create') refuse(token, 'File exists', 'File exists');
    const table = ownTable(w, found);
    x.r.table = table;
    const chain = makeChain(x, table, token);
    if (takeSymbol(r, '{')) chainBlock(x, table, chain);

    return;
  }
  if (!old) {
    if (verb === 'destroy') return;
    noChain(x, token, verb !== 'rename');
    return;
  }
  const table = ownTable(w, found);
  if (verb === 'flush') ownChain(w, table, old).rules = [];
  else if (verb === 'rename') {
    const to = name(r).text;
    if (table.chains.has(to)) refuse({ ...r.tokens[r.start], text: `${r.text.trim()}\n` }, 'File exists', 'File exists');
    removeChain(w, table, old);
    addChain(w, table, { ...old, name: to, rules: [...old.rules] });
    orderByHandle(table.chains);
    w.hooksChanged = true;
  } else {
    if (isReferred(w, table, old.name)) refuse(token, 'Device or resource busy', 'Device or resource busy');
    removeChain(w, table, old);
    if (old.base) w.hooksChanged = true;
  }
}

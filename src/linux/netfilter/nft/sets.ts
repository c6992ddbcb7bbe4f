// Commands on sets, maps and their elements.

import { datatype, parseTime } from './datatypes.ts';
import { addElement, deleteElement, findElement, isSingle, keepElement, keyText, newSet, parseElements } from './elements.ts';
import { concatenation } from './expr.ts';
import { checkIntervals, enclosing, isIntervalSet, placeOf } from './intervals.ts';
import type { Token } from './lex.ts';
import { setText } from './print.ts';
import {
  expectSymbol,
  name,
  next,
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
import { isSetUsed } from './references.ts';
import { MISSING, noSet, type Run, setNamed, tableNamed } from './run.ts';
import { addSet, noteElements, ownSet, ownTable, removeSet } from './store.ts';
import type { NftElement, NftSet, NftTable } from './types.ts';
import type { Work } from './work.ts';

// Sets, maps, elements

function typeList(r: Reader): string[] {
  const out: string[] = [];
  do {
    const t = name(r);
    if (!datatype(t.text) && t.text !== 'verdict') refuse(t, `unknown datatype ${t.text}`);
    out.push(t.text);
  } while (takeSymbol(r, '.'));
  return out;
}

const FLAG_ORDER = ['constant', 'dynamic', 'interval', 'timeout'];

export function defineSet(x: Run, table: NftTable, kind: 'set' | 'map', token: Token, strict: boolean): void {
  const { r } = x;
  const old = table.sets.get(token.text);
  if (old && strict) refuse(token, 'File exists', 'File exists');
  const set = newSet(token.text, kind, [], kind === 'map' ? [] : null);
  const open = peek(r);
  expectSymbol(r, '{');
  const elements = setBlock(x, set);
  if (!set.keys.length) refuse(open, 'set definition does not specify key');
  let target = set;
  if (old) target = ownSet(x.w, table, old);
  else {
    set.handle = table.nextHandle++;
    addSet(x.w, table, set);
    const owner = `${table.family} ${table.name}`;
    for (const e of x.w.ns.netfilter.kept) if (e.table === owner && e.set === set.name) keepElement(set, e);
  }
  checkIntervals(r, target, elements);
  for (const e of elements) addElement(target, e);
}

function setBlock(x: Run, set: NftSet): ReturnType<typeof parseElements> {
  const { r } = x;
  let elements: ReturnType<typeof parseElements> = [];
  for (;;) {
    skipNewlines(r);
    if (takeSymbol(r, '}')) return elements;
    const t = name(r);
    switch (t.text) {
      case 'type':
        set.keys = typeList(r);
        if (takeSymbol(r, ':')) set.data = typeList(r);
        break;
      case 'typeof': {
        const key = concatenation(r);
        set.keys = key.types;
        set.typeof = key.text;
        if (takeSymbol(r, ':')) {
          const word = takeWord(r, 'verdict');
          const data = word ? null : concatenation(r);
          set.data = data ? data.types : ['verdict'];
          set.typeof += ` : ${data ? data.text : 'verdict'}`;
        }
        break;
      }
      case 'flags':
        do set.flags.push(name(r).text);
        while (takeSymbol(r, ','));
        set.flags.sort((a, b) => FLAG_ORDER.indexOf(a) - FLAG_ORDER.indexOf(b));
        break;
      case 'timeout':
        set.timeoutMs = parseTime(next(r).text);
        if (!set.flags.includes('timeout')) set.flags.push('timeout');
        break;
      case 'gc-interval':
        set.gcMs = parseTime(next(r).text);
        break;
      case 'size':
        set.size = number(r);
        break;
      case 'policy':
        set.policy = name(r).text === 'memory' ? 'memory' : null;
        break;
      case 'auto-merge':
        set.autoMerge = true;
        break;
      case 'comment':
        set.comment = quotedOrWord(r);
        break;
      case 'counter':
        set.counter = true;
        break;
      case 'elements':
        expectSymbol(r, '=');
        elements = parseElements(r, set);
        break;
      default:
        unexpected(t);
    }
  }
}

export function setCommand(x: Run, verb: string, kind: 'set' | 'map'): void {
  const { r, w } = x;
  const kernel = !['add', 'create', 'flush'].includes(verb);
  const { table: found } = tableNamed(x, kernel);
  const token = name(r);
  const table = ownTable(w, found);
  x.r.table = table;
  if (verb === 'add' || verb === 'create') {
    defineSet(x, table, kind, token, verb === 'create');
    return;
  }
  const set = table.sets.get(token.text);
  if (!set) {
    if (verb === 'destroy') return;
    noSet(x, token, kernel);
    return;
  }
  if (verb === 'flush') {
    const own = ownSet(w, table, set);
    own.exact.clear();
    own.ranges = [];
    return;
  }
  if (isSetUsed(w, table, set.name)) refuse(token, 'Device or resource busy', 'Device or resource busy');
  removeSet(w, table, set);
}

/** Single values come and go in place; whatever changes other elements gets a copy. */
function changeableSet(w: Work, table: NftTable, set: NftSet, elements: NftElement[]): NftSet {
  if (set.autoMerge || !elements.every(e => e.key.every(isSingle))) return ownSet(w, table, set);
  noteElements(
    w,
    table,
    set,
    elements.map(e => keyText(e.key)),
  );
  return set;
}

export function elementCommand(x: Run, verb: string): void {
  const { r, w } = x;
  const found = setNamed(x, false);
  const { table } = found;
  const elements = parseElements(r, found.set);
  if (verb === 'get') {
    getElements(x, table, found.set, elements);
    return;
  }
  const set = changeableSet(w, table, found.set, elements);
  if (verb === 'add' || verb === 'create') checkIntervals(r, set, elements);
  for (const e of elements) {
    const at = placeOf(r, e);
    if (verb === 'delete' || verb === 'destroy') {
      if (deleteElement(set, e.key) || verb === 'destroy') continue;
      // Of single intervals nft itself knows what is there (set_delete).
      if (isIntervalSet(set) && set.keys.length === 1) refuse(at, 'element does not exist');
      refuse(at, MISSING, MISSING);
    }
    for (const v of e.data && !Array.isArray(e.data) && e.data.chain ? [e.data.chain] : []) w.wanted.push({ table, chain: v, token: at });
    const old = findElement(set, e.key);
    if (old && verb === 'create') refuse(at, 'File exists', 'File exists');
    if (old && e.data && JSON.stringify(old.data) !== JSON.stringify(e.data)) refuse(at, 'File exists', 'File exists');
    if (!old) {
      if (set.size !== null && set.exact.size + set.ranges.length >= set.size)
        refuse(at, 'Too many open files in system', 'Too many open files in system');
      addElement(set, e);
    }
  }
}

function getElements(x: Run, table: NftTable, set: NftSet, wanted: ReturnType<typeof parseElements>): void {
  const found = wanted.map(e => (isIntervalSet(set) ? enclosing(set, e) : findElement(set, e.key)));
  if (found.some(e => !e)) refuse({ ...x.r.tokens[0], text: `${x.r.text.trim()}\n` }, MISSING, MISSING);
  const shown: NftSet = { ...set, exact: new Map(), ranges: [] };
  for (const e of found) if (e) addElement(shown, e);
  x.out.push(`table ${table.family} ${table.name} {\n${setText(shown, x.list)}}\n`);
}

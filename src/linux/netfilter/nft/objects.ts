// nftables' named objects: counters, quotas, limits.
import type { Token } from './lex.ts';
import { atEnd, expectWord, name, next, number, quotedOrWord, type Reader, refuse, skipNewlines, takeSymbol, takeWord } from './reader.ts';
import { MISSING, type Run, tableNamed } from './run.ts';
import { parseLimit } from './statements.ts';
import { ownTable } from './store.ts';
import type { NftObject, NftTable } from './types.ts';

export function defineObject(x: Run, table: NftTable, kind: 'counter' | 'quota' | 'limit', token: Token): void {
  const { r } = x;
  const object: NftObject = { kind, name: token.text, handle: table.nextHandle++, comment: null, packets: 0, bytes: 0, spec: '' };
  if (takeSymbol(r, '{')) {
    for (;;) {
      skipNewlines(r);
      if (takeSymbol(r, '}')) break;
      if (takeWord(r, 'comment')) object.comment = quotedOrWord(r);
      else objectBody(r, object);
    }
  }
  if (!table.objects.has(`${kind} ${object.name}`)) table.objects.set(`${kind} ${object.name}`, object);
}

function objectBody(r: Reader, object: NftObject): void {
  if (object.kind === 'counter') {
    const word = expectWord(r, 'packets', 'bytes');
    object[word as 'packets'] = number(r);
  } else if (object.kind === 'limit') object.spec = parseLimit(r).text;
  else {
    let spec = '';
    while (!atEnd(r)) spec += `${spec ? ' ' : ''}${next(r).text}`;
    object.spec = spec;
  }
}

export function objectCommand(x: Run, verb: string, kind: 'counter' | 'quota' | 'limit'): void {
  const { table: found } = tableNamed(x, true);
  const token = name(x.r);
  const table = ownTable(x.w, found);
  const key = `${kind} ${token.text}`;
  if (verb === 'add' || verb === 'create') defineObject(x, table, kind, token);
  else if (!table.objects.delete(key) && verb !== 'destroy') refuse(token, MISSING, MISSING);
}

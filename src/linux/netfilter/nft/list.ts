import { chainText, type ListOptions, setText, tableText } from './print.ts';
import { name, type Reader, refuse, takeWord, unexpected } from './reader.ts';
import { chainNamed, FAMILIES, MISSING, type Run, setNamed, tableNamed } from './run.ts';
import type { NftTable } from './types.ts';

// Lists

export const optionalFamily = (r: Reader): string | null => takeWord(r, ...FAMILIES);

export function listCommand(x: Run, reset: boolean): void {
  const { r } = x;
  const t = name(r);
  switch (t.text) {
    case 'ruleset': {
      const f = optionalFamily(r);
      for (const table of x.w.tables) if (f === null || table.family === f) x.out.push(tableText(table, x.list));
      return;
    }
    case 'tables': {
      const f = optionalFamily(r);
      for (const table of x.w.tables) if (f === null || table.family === f) x.out.push(`table ${table.family} ${table.name}\n`);
      return;
    }
    case 'table':
      x.out.push(tableText(tableNamed(x, false).table, x.list));
      return;
    case 'chain': {
      const { table, chain } = chainNamed(x, false);
      x.out.push(`table ${table.family} ${table.name} {\n${chainText(chain, x.list)}}\n`);
      return;
    }
    case 'set':
    case 'map':
    case 'meter': {
      const { table, set, token } = setNamed(x, false);
      if ((t.text === 'map') !== (set.kind === 'map')) refuse(token, MISSING);
      x.out.push(`table ${table.family} ${table.name} {\n${setText(set, x.list)}}\n`);
      return;
    }
    case 'chains':
    case 'sets':
    case 'maps':
    case 'counters':
    case 'quotas':
    case 'limits':
    case 'meters':
      listKind(x, t.text, reset);
      return;
    case 'hooks':
    case 'flowtables':
    case 'secmarks':
    case 'synproxys':
      return;
    default:
      unexpected(t);
  }
}

export function listKind(x: Run, kind: string, reset: boolean): void {
  const f = optionalFamily(x.r);
  for (const table of x.w.tables) {
    if (f !== null && table.family !== f) continue;
    const keep = (part: string, n: string) => {
      if (kind === 'chains') return part === 'chain';
      if (part === 'set')
        return (kind === 'sets' && table.sets.get(n)?.kind === 'set') || (kind === 'maps' && table.sets.get(n)?.kind === 'map');
      return part === 'object' && table.objects.has(`${kind.slice(0, -1)} ${n}`);
    };
    const bare: NftTable = { ...table, comment: null, flags: [] };
    x.out.push(kind === 'chains' ? chainHeads(bare, x.list) : tableText(bare, x.list, keep));
    if (reset) {
      for (const o of table.objects.values()) {
        o.packets = 0;
        o.bytes = 0;
      }
    }
  }
}

/** `list chains` shows no rules. */
function chainHeads(table: NftTable, o: ListOptions): string {
  const parts = [...table.chains.values()].map(c => chainText({ ...c, rules: [] }, o));
  return `table ${table.family} ${table.name} {\n${parts.join('')}}\n`;
}

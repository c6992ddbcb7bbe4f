// Every target extension, in one table. Verdicts and user chains are no rows: they have no options.
import type { Family } from '../../wire/ip.ts';
import { MARK_TARGETS } from './targets/mark.ts';
import { NAT_TARGETS } from './targets/nat.ts';
import type { TargetRow } from './targets/row.ts';
import { VERDICT_TARGETS } from './targets/verdict.ts';

export const TARGETS: TargetRow[] = [...VERDICT_TARGETS, ...NAT_TARGETS, ...MARK_TARGETS];

const byName = new Map<string, TargetRow>(TARGETS.map(row => [row.name, row]));

export function targetRow(name: string, family: Family): TargetRow | undefined {
  const row = byName.get(name);
  return row && (row.family === undefined || row.family === family) ? row : undefined;
}

export const VERDICTS: ReadonlySet<string> = new Set(['ACCEPT', 'DROP', 'RETURN', 'QUEUE']);

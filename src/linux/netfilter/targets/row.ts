// The shape of a row of the target table.
import type { Family } from '../../../wire/ip.ts';
import type { HookName, TableName, Target } from '../types.ts';
import type { Option, ParseContext, Problem } from '../values.ts';

export type BuiltTarget = Omit<Target, 'name'> & { name?: string };

export interface TargetRow {
  name: string;
  family?: Family;
  /** Where the kernel takes it; anywhere when absent. */
  tables?: TableName[];
  hooks?: HookName[];
  options: Record<string, 0 | 1 | 2>;
  aliases?: Record<string, string>;
  build: (options: Option[], c: ParseContext) => BuiltTarget | Problem;
}

import type { Val } from '../values.ts';

/** A declaration and what it does. */
export type Row = [signature: string, run: (...args: any[]) => Val];

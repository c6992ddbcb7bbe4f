// The dice of a drawing, and the words that are drawn.
import { below, type Random } from '../../src/sim/random.ts';

export const pick = <T>(r: Random, list: readonly T[]): T => list[below(r, list.length)];
export const maybe = (r: Random, p = 0.5): boolean => below(r, 1000) < p * 1000;
export const some = <T>(r: Random, list: readonly T[], p = 0.5): T[] => list.filter(() => maybe(r, p));

export const LABELS = ['red', 'green', 'blue'] as const;
export const NAMESPACES = ['default', 'field'] as const;
/** A host of the internet, which answers on 80. */
export const HOST = { name: 'host', addresses: ['198.51.100.7', 'fd00:51::7'] };

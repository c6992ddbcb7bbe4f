// Which Service's element stands in a set or map: two may want the same key, as of one endpoint behind both, or one external address.
import type { Element } from './service-rules.ts';

/** By key: the only element that is wanted there, or several in the order of their Services. */
export type Claims = Map<string, Element | Element[]>;

/** Of several the last one holds. */
export function holder(claims: Claims | undefined, key: string): Element | undefined {
  const found = claims?.get(key);
  return Array.isArray(found) ? found[found.length - 1] : found;
}

export function claim(claims: Claims, e: Element): void {
  const found = claims.get(e.key);
  if (!found) {
    claims.set(e.key, e);
    return;
  }
  const list = Array.isArray(found) ? found : [found];
  let i = list.length;
  while (i > 0 && list[i - 1].order > e.order) i--;
  list.splice(i, 0, e);
  claims.set(e.key, list);
}

export function giveUp(claims: Claims, e: Element): void {
  const found = claims.get(e.key);
  if (!Array.isArray(found)) {
    if (found === e) claims.delete(e.key);
    return;
  }
  const left = found.filter(x => x !== e);
  claims.set(e.key, left.length === 1 ? left[0] : left);
}

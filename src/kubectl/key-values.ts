// KEY=VALUE and KEY- words (k8s.io/kubectl v0.36.3: pkg/cmd/util/kubectl_match..., helpers.go ParsePairs, pkg/cmd/label).

import { fail } from './failure.ts';

/** cmdutil.ParsePairs */
export function parsePairs(words: string[], kind: string, supportRemove: boolean): { set: Record<string, string>; remove: string[] } {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  const bad: string[] = [];
  for (const w of words) {
    const at = w.indexOf('=');
    if (at > 0) set[w.slice(0, at)] = w.slice(at + 1);
    else if (supportRemove && w.endsWith('-') && w !== '-') remove.push(w.slice(0, -1));
    else bad.push(w);
  }
  if (bad.length) fail(`invalid ${kind} format: ${bad.join(', ')}`);
  return { set, remove };
}

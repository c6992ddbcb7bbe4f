// The words of a command line that name resources: types, names and pairs (cli-runtime v0.36.3, pkg/resource/builder.go).
import type { BuildOptions } from './builder.ts';
import { type Cmd, connect } from './command.ts';
import { fail } from './failure.ts';
import { expandCategories } from './mapping.ts';

export interface Tuple {
  resource: string;
  name: string;
}

const unique = (arg: string): string[] => [...new Set(arg.split(','))];

function splitTypeName(s: string): Tuple | null {
  if (!s.includes('/')) return null;
  const seg = s.split('/');
  if (seg.length !== 2) fail('arguments in resource/name form may not have more than one slash');
  if (!seg[0] || !seg[1] || unique(seg[0]).length !== 1) fail('arguments in resource/name form must have a single resource and name');
  return { resource: seg[0], name: seg[1] };
}

/** Words of `get`: types, names and pairs. */
export function readArgs(cmd: Cmd, o: BuildOptions): { types: string[]; names: string[]; tuples: Tuple[] } {
  let args = o.args ?? [];
  const none = { types: [] as string[], names: [] as string[], tuples: [] as Tuple[] };
  if (o.defaultType !== undefined) {
    return { ...none, tuples: args.map(a => splitTypeName(a) ?? { resource: o.defaultType as string, name: a }) };
  }
  if (args.length >= 2 && unique(args[0]).length > 1) args = unique(args[0]).flatMap(t => args.slice(1).map(n => `${t}/${n}`));
  const slashes = args.filter(a => a.includes('/')).length;
  if (slashes) {
    if (slashes !== args.length)
      fail(
        "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'",
      );
    return { ...none, tuples: args.map(a => splitTypeName(a) as Tuple) };
  }
  if (!args.length) return none;
  const types = unique(o.local ? args[0] : expandCategories(connect(cmd), args[0]));
  return { types, names: args.slice(1), tuples: [] };
}

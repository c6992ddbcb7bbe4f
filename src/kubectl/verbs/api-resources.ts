// kubectl api-resources and api-versions (k8s.io/kubectl v0.36.3, pkg/cmd/apiresources).

import type { ResourceInfo } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, isSet, list, out, usageError } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import type { Connection } from '../host.ts';
import { groupResource, groupVersion, refreshDiscovery } from '../mapping.ts';
import { printerOf } from '../print-flags.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';

export function* run(cmd: Cmd): Co<number> {
  const connection = connected(cmd);
  if (!bool(cmd, 'cached')) refreshDiscovery(connection);
  return cmd.path === 'api-versions' ? versions(cmd) : resources(cmd);
}

function connected(cmd: Cmd): Connection {
  try {
    return connect(cmd);
  } catch (e) {
    if (!isFailure(e) || !e.unreachable || cmd.path !== 'api-versions') throw e;
    const { url, why } = e.unreachable;
    return fail(`couldn't get available api versions from server: Get "${url}/api?timeout=32s": ${why}`);
  }
}

function versions(cmd: Cmd): number {
  if (cmd.args.length) usageError(cmd, `unexpected arguments: [${cmd.args.join(' ')}]`);
  const all = [...new Set(connect(cmd).resources().map(groupVersion))].sort();
  out(cmd, `${all.join('\n')}\n`);
  return 0;
}

const sortedVerbs = (r: ResourceInfo): string[] => [...r.verbs].sort();

function resources(cmd: Cmd): number {
  if (cmd.args.length) usageError(cmd, `unexpected arguments: [${cmd.args.join(' ')}]`);
  const output = flag(cmd, 'output');
  const sort = flag(cmd, 'sort-by');
  if (!['', 'wide', 'name', 'json', 'yaml', 'kyaml'].includes(output))
    fail(`unable to match a printer suitable for the output format ${goQuote(output)}, allowed formats are: json,kyaml,name,wide,yaml`);
  if (sort && sort !== 'name' && sort !== 'kind') fail('--sort-by accepts only name or kind');
  const [groupSet, group] = [isSet(cmd, 'api-group'), flag(cmd, 'api-group')];
  const [verbs, categories] = [list(cmd, 'verbs'), list(cmd, 'categories')];
  // The preferred version of each group: discovery lists it first.
  const preferred = new Map<string, string>();
  for (const r of connect(cmd).resources()) if (!preferred.has(r.group)) preferred.set(r.group, r.version);
  // A resource that the preferred version does not have is shown in another (discovery.ServerPreferredResources).
  const inPreferred = (x: ResourceInfo, r: ResourceInfo) => groupResource(x) === groupResource(r) && x.version === preferred.get(r.group);
  const firstVersionOf = (all: ResourceInfo[], r: ResourceInfo) => all.find(x => groupResource(x) === groupResource(r))?.version;
  const rows = connect(cmd)
    .resources()
    .filter((r, _, all) => r.version === (all.some(x => inPreferred(x, r)) ? preferred.get(r.group) : firstVersionOf(all, r)))
    .filter(r => !groupSet || r.group === group)
    .filter(r => !isSet(cmd, 'namespaced') || r.namespaced === bool(cmd, 'namespaced'))
    .filter(r => verbs.every(v => (r.verbs as string[]).includes(v)))
    .filter(r => categories.every(c => r.categories.includes(c)));
  const key = (r: ResourceInfo) => (sort === 'name' ? r.resource : sort === 'kind' ? r.kind : `${r.group}\0${r.resource}`);
  const sorted = [...rows].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  if (output === 'name') {
    out(cmd, sorted.map(r => `${groupResource(r)}\n`).join(''));
    return 0;
  }
  if (output && output !== 'wide') {
    const list = {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: '',
      resources: sorted.map(r => ({
        name: r.resource,
        singularName: r.singular,
        namespaced: r.namespaced,
        group: r.group || undefined,
        version: r.version,
        kind: r.kind,
        verbs: sortedVerbs(r),
        shortNames: r.shortNames.length ? r.shortNames : undefined,
        categories: r.categories.length ? r.categories : undefined,
      })),
    };
    // A Go struct: its fields stand as above.
    if (output === 'json') out(cmd, `${JSON.stringify(list, null, 4)}\n`);
    else printerOf(cmd)?.(list);
    return 0;
  }
  const wide = output === 'wide';
  const lines = sorted.map(r => [
    r.resource,
    r.shortNames.join(','),
    groupVersion(r),
    String(r.namespaced),
    r.kind,
    ...(wide ? [sortedVerbs(r).join(','), r.categories.join(',')] : []),
  ]);
  if (!bool(cmd, 'no-headers'))
    lines.unshift(['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND', ...(wide ? ['VERBS', 'CATEGORIES'] : [])]);
  if (lines.length) out(cmd, alignRows(newTableWriter(), lines));
  return 0;
}

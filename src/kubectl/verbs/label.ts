// kubectl label and annotate (k8s.io/kubectl v0.36.3, pkg/cmd/label, pkg/cmd/annotate).

import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { build, type Info } from '../builder.ts';
import { bool, type Cmd, type DryRun, dryRun, flag, list, out } from '../command.ts';
import { aggregate, fail, failure } from '../failure.ts';
import { jsonTwoWayPatch } from '../json-merge.ts';
import { parsePairs } from '../key-values.ts';
import { splitApiVersion } from '../mapping.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';

interface Change {
  field: 'labels' | 'annotations';
  set: Record<string, string>;
  remove: string[];
  overwrite: boolean;
  resourceVersion: string;
}

/** cmdutil.GetResourcesAndPairs */
function splitWords(args: string[], kind: string): { resources: string[]; pairs: string[] } {
  const resources: string[] = [];
  const pairs: string[] = [];
  for (const s of args) {
    const pair = (s.includes('=') && s[0] !== '=') || (s.endsWith('-') && s !== '-');
    if (pair) pairs.push(s);
    else if (pairs.length) fail(`all resources must be specified before ${kind} changes: ${s}`);
    else resources.push(s);
  }
  return { resources, pairs };
}

const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function parseLabels(words: string[]): { set: Record<string, string>; remove: string[] } {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const w of words) {
    if (w.includes('=')) {
      const parts = w.split('=');
      if (parts.length !== 2) fail(`invalid label spec: ${w}`);
      const errors: string[] = [];
      if (parts[1].length > 63) errors.push('must be no more than 63 bytes');
      if (!/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(parts[1])) errors.push(LABEL_VALUE);
      if (errors.length) fail(`invalid label value: ${goQuote(w)}: ${errors.join(';')}`);
      set[parts[0]] = parts[1];
    } else if (w.endsWith('-')) remove.push(w.slice(0, -1));
    else fail(`unknown label spec: ${w}`);
  }
  if (remove.some(r => r in set)) fail('can not both modify and remove a label in the same command');
  return { set, remove };
}

export function* run(cmd: Cmd): Co<number> {
  const labelling = cmd.path === 'label';
  const kind = labelling ? 'label' : 'annotation';
  const mode = dryRun(cmd);
  const { resources, pairs } = splitWords(cmd.args, kind);
  const { set, remove } = labelling ? parseLabels(pairs) : parsePairs(pairs, 'annotation', true);
  validate(cmd, kind, mode, resources, set, remove);
  const local = bool(cmd, 'local');
  const result = yield* build(cmd, {
    args: local ? [] : resources,
    allowEmptySelector: bool(cmd, 'all'),
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    allNamespaces: bool(cmd, 'all-namespaces'),
    labelSelector: local ? '' : flag(cmd, 'selector').trim(),
    fieldSelector: local ? '' : flag(cmd, 'field-selector').trim(),
    latest: !local,
    local,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  const one = result.singleItemImplied;
  const resourceVersion = flag(cmd, 'resource-version');
  if (!one && resourceVersion) fail('--resource-version may only be used with a single resource');
  const change: Change = { field: labelling ? 'labels' : 'annotations', set, remove, overwrite: bool(cmd, 'overwrite'), resourceVersion };
  const error = result.visit(info => changeOne(cmd, info, change, mode, one));
  if (error) throw error;
  return 0;
}

function validate(cmd: Cmd, kind: string, mode: DryRun, resources: string[], set: Record<string, string>, remove: string[]): void {
  const listing = bool(cmd, 'list');
  const file = kind === 'label' ? 'pod' : 'rsrc';
  const noFiles = !list(cmd, 'filename').length && !flag(cmd, 'kustomize');
  if (listing && flag(cmd, 'output')) fail('--list and --output may not be specified together');
  if (bool(cmd, 'all') && flag(cmd, 'selector')) fail('cannot set --all and --selector at the same time');
  if (bool(cmd, 'all') && flag(cmd, 'field-selector')) fail('cannot set --all and --field-selector at the same time');
  if (bool(cmd, 'local')) {
    if (mode === 'server') fail('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
    if (resources.length) fail(`can only use local files by -f ${file}.yaml or --filename=${file}.json when --local=true is set`);
    if (noFiles) fail(`one or more files must be specified as -f ${file}.yaml or --filename=${file}.json`);
  } else if (!resources.length && noFiles) fail('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  if (!Object.keys(set).length && !remove.length && !listing) fail(`at least one ${kind} update is required`);
  if (kind === 'annotation') {
    const both = remove.filter(r => r in set);
    if (both.length) fail(`can not both modify and remove the following annotation(s) in the same command: ${both.join(', ')}`);
  }
}

function changeOne(cmd: Cmd, info: Info, c: Change, mode: DryRun, one: boolean): void {
  const before = info.object as KubeObject;
  const values = { ...before.metadata[c.field] };
  const local = mode === 'client' || bool(cmd, 'local') || bool(cmd, 'list');
  const labelling = c.field === 'labels';
  if (labelling && !local) for (const k of c.remove) if (!(k in values)) out(cmd, `label ${goQuote(k)} not found.\n`);
  if (!c.overwrite) {
    const taken = Object.keys(c.set)
      .filter(k => k in values && values[k] !== c.set[k] && (labelling || k !== 'kubernetes.io/change-cause'))
      .map(k => (labelling ? failure(`'${k}' already has a value (${values[k]}), and --overwrite is false`) : k));
    if (taken.length && labelling) throw aggregate(taken as ReturnType<typeof failure>[]);
    if (taken.length)
      fail(
        `--overwrite is false but found the following declared annotation(s): ${(taken as string[]).map(k => `'${k}' already has a value (${values[k]})`).join('; ')}`,
      );
  }
  let [added, removed] = [false, false];
  for (const [k, v] of Object.entries(c.set)) {
    if (values[k] === v) continue;
    values[k] = v;
    added = true;
  }
  for (const k of c.remove) {
    if (!(k in values)) continue;
    delete values[k];
    removed = true;
  }
  let after: KubeObject = { ...before, metadata: { ...before.metadata, [c.field]: values } };
  if (!local && (!labelling || added || removed)) {
    const patch = jsonTwoWayPatch(JSON.parse(JSON.stringify(before)), JSON.parse(JSON.stringify(after)));
    if (c.resourceVersion) patch.metadata = { ...patch.metadata, resourceVersion: c.resourceVersion };
    const manager = labelling ? 'kubectl-label' : 'kubectl-annotate';
    after = patchObject(cmd, info.mapping, info.namespace, info.name, 'merge', patch, writeQuery(cmd, mode, manager));
  }
  if (bool(cmd, 'list')) {
    if (!one) out(cmd, `Listing ${c.field} for ${before.kind}.${splitApiVersion(before.apiVersion).group}/${info.name}:\n`);
    for (const k of Object.keys(values).sort()) out(cmd, `${one ? '' : ' '}${k}=${values[k]}\n`);
    return;
  }
  const operation = !labelling ? 'annotated' : added && removed ? 'modified' : added ? 'labeled' : removed ? 'unlabeled' : 'not labeled';
  resultPrinter(cmd, operation, dryRunSuffix(mode))(after);
}

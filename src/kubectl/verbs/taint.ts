// kubectl taint (k8s.io/kubectl v0.36.3, pkg/cmd/taint).

import { cloneJson } from '../../apiserver/json.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, connect, dryRun, flag, usageError, validation } from '../command.ts';
import { aggregate, fail, failure } from '../failure.ts';
import { mappingFor } from '../mapping.ts';
import { resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

function parseTaint(cmd: Cmd, text: string): Taint {
  const bad = (why = ''): never => usageError(cmd, `invalid taint spec: ${text}${why ? `, ${why}` : ''}`);
  const parts = text.split(':');
  if (parts.length > 2) bad();
  const effect = parts[1] ?? '';
  const taint: Taint = { key: parts[0], effect };
  if (parts.length === 2) {
    if (!['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect))
      usageError(cmd, `invalid taint effect: ${effect}, unsupported taint effect`);
    const [key, value, more] = parts[0].split('=');
    if (more !== undefined) bad();
    taint.key = key;
    if (value) taint.value = value;
    if (value && value.length > 63) bad('must be no more than 63 bytes');
    if (value && !/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value)) bad(LABEL_VALUE);
  }
  const name = taint.key.split('/').at(-1) as string;
  if (!name) bad(`name part must be non-empty; ${NAME}`);
  if (!/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(name)) bad(NAME);
  return taint;
}

function parseTaints(cmd: Cmd, words: string[]): { add: Taint[]; remove: Taint[] } {
  const add: Taint[] = [];
  const remove: Taint[] = [];
  for (const w of words) {
    if (w.endsWith('-')) {
      const { key, effect } = parseTaint(cmd, w.slice(0, -1));
      remove.push({ key, effect });
      continue;
    }
    const t = parseTaint(cmd, w);
    if (!t.effect) usageError(cmd, `invalid taint spec: ${w}`);
    if (add.some(x => x.key === t.key && x.effect === t.effect))
      usageError(cmd, `duplicated taints with the same key and effect: {${t.key} ${t.value ?? ''} ${t.effect} <nil>}`);
    add.push(t);
  }
  return { add, remove };
}

export function* run(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const resources: string[] = [];
  const words: string[] = [];
  for (const s of cmd.args) {
    if (s.includes('=') || s.includes(':') || s.endsWith('-')) words.push(s);
    else if (words.length) fail(`all resources must be specified before taint changes: ${s}`);
    else resources.push(s);
  }
  if (!resources.length) fail('one or more resources must be specified as <resource> <name>');
  if (!words.length) fail('at least one taint update is required');
  const { add, remove } = parseTaints(cmd, words);
  const type = resources[0].toLowerCase();
  if (mappingFor(connect(cmd), type).kind !== 'Node') fail(`invalid resource type ${type}, only node types are supported`);
  const both = add.flatMap(a => remove.filter(r => r.key === a.key && (!r.effect || r.effect === a.effect)));
  if (both.length)
    fail(`can not both modify and remove the following taint(s) in the same command: ${both.map(t => `${t.key}=${t.effect}`).join(', ')}`);
  const [all, selector] = [bool(cmd, 'all'), flag(cmd, 'selector')];
  if (all && selector) fail("setting 'all' parameter with a non empty selector is prohibited");
  if (!all && !selector && resources.length < 2) fail("at least one resource name must be specified since 'all' parameter is not set");
  const result = yield* build(cmd, {
    args: all || selector ? ['node'] : resources.slice(1),
    defaultType: all || selector ? undefined : 'node',
    all,
    labelSelector: selector,
    latest: true,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  const error = result.visit(info => {
    const before = info.object as KubeObject;
    const after = cloneJson(before) as KubeObject;
    const operation = change(cmd, after, add, remove);
    const print = resultPrinter(cmd, operation);
    if (mode === 'client') return print(after);
    const diff = twoWayPatch('v1', 'Node', before, after);
    if (typeof diff === 'string') return fail(diff);
    const query = { ...writeQuery(cmd, mode, 'kubectl-taint'), fieldValidation: validation(cmd) };
    print(patchObject(cmd, info.mapping, '', info.name, 'strategic', diff.patch, query));
  });
  if (error) throw error;
  return 0;
}

/** reorganizeTaints */
function change(cmd: Cmd, node: KubeObject, add: Taint[], remove: Taint[]): string {
  const old: Taint[] = node.spec.taints ?? [];
  const same = (a: Taint, b: Taint) => a.key === b.key && a.effect === b.effect;
  const overwrite = bool(cmd, 'overwrite');
  if (!overwrite) {
    const taken = add.filter(a => old.some(o => same(a, o))).map(t => t.key);
    if (taken.length)
      fail(`node ${node.metadata.name} already has ${taken.join(',')} taint(s) with same effect(s) and --overwrite is false`);
  }
  let taints = [...add, ...old.filter(o => !add.some(a => same(a, o)))];
  const added = old.length !== taints.length;
  let removed = false;
  const errors = [];
  for (const r of remove) {
    const left = taints.filter(t => (r.effect ? !same(t, r) : t.key !== r.key));
    removed = left.length !== taints.length;
    if (!removed) errors.push(failure(`taint "${r.key}${r.effect ? `:${r.effect}` : ''}" not found`));
    taints = left;
  }
  const error = aggregate(errors);
  if (error) throw error;
  if (taints.length) node.spec.taints = taints;
  else delete node.spec.taints;
  return (added && removed) || overwrite ? 'modified' : added ? 'tainted' : 'untainted';
}

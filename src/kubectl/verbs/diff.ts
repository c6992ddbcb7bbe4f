// kubectl diff (k8s.io/kubectl v0.36.3, pkg/cmd/diff).

import { cloneJson } from '../../apiserver/json.ts';
import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { civilTime } from '../../sim/time.ts';
import { build, type Info } from '../builder.ts';
import { bool, type Cmd, flag, isSet, klogWarning, list, out, usageError, warn } from '../command.ts';
import { exitFailure, type Failure, fail, isFailure, isNotFound } from '../failure.ts';
import { goJson } from '../go-json.ts';
import { withLastApplied } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { allowlist, pruneLeftovers } from '../prune.ts';
import { createObject, getObject, patchObject } from '../requests.ts';
import { unifiedHunks } from '../text-diff.ts';
import { makePatch } from './apply.ts';

interface Compared {
  name: string;
  live: string;
  merged: string;
}

/** Everything that goes wrong ends with a code above 1: 1 says that there are differences. */
export function* run(cmd: Cmd): Co<number> {
  try {
    return yield* compare(cmd);
  } catch (e) {
    throw isFailure(e) ? ({ ...e, code: e.plain ? e.code : 2 } as Failure) : e;
  }
}

function* compare(cmd: Cmd): Co<number> {
  if (cmd.args.length) usageError(cmd, `Unexpected args: [${cmd.args.join(' ')}]`);
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize')) fail('must specify one of -f and -k');
  if (bool(cmd, 'force-conflicts') && !bool(cmd, 'server-side')) fail('--force-conflicts only works with --server-side');
  const allowed = bool(cmd, 'prune') ? allowlist(cmd) : null;
  const result = yield* build(cmd, {
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector').trim(),
    flatten: true,
  });
  if (result.error) throw result.error;
  const pairs: Compared[] = [];
  const seen: Seen = { namespaces: new Set(), visited: new Set() };
  const error = result.visit(info => void pairs.push(compareOne(cmd, info, seen)));
  if (allowed) pairs.push(...pruned(cmd, allowed, seen));
  if (error) throw error;
  const program = cmd.host.env.KUBECTL_EXTERNAL_DIFF;
  return program ? yield* runProgram(cmd, program, pairs) : printDifferences(cmd, pairs);
}

/** What apply --prune would not take for leftovers. */
interface Seen {
  namespaces: Set<string>;
  /** uids */
  visited: Set<string>;
}

/** Objects that `apply --prune` would delete: as they are, managed fields and all. */
function pruned(cmd: Cmd, allowed: ResourceInfo[], seen: Seen): Compared[] {
  const found: Compared[] = [];
  try {
    pruneLeftovers(cmd, allowed, { ...seen, selector: flag(cmd, 'selector').trim() }, ({ mapping, namespace, object }) =>
      found.push({ name: fileName(mapping, namespace, object.metadata.name), live: lazy('yaml').toYaml(object), merged: '' }),
    );
  } catch (e) {
    if (!isFailure(e)) throw e;
    klogWarning(cmd, 'diff.go:760', `pruning failed and could not be evaluated err: ${e.message}`);
  }
  return found;
}

const fileName = (m: ResourceInfo, namespace: string, name: string): string =>
  `${m.group ? `${m.group}.` : ''}${m.version}.${m.kind}.${namespace}.${name}`;

function compareOne(cmd: Cmd, info: Info, seen: Seen): Compared {
  const given = info.object as KubeObject;
  if (info.mapping.namespaced) seen.namespaces.add(info.namespace);
  const found = getObject(cmd, info.mapping, info.namespace, info.name);
  if (isFailure(found) && !isNotFound(found)) throw found;
  if (!isFailure(found)) seen.visited.add(found.metadata.uid ?? '');
  let live = isFailure(found) ? null : cloneJson(found);
  let merged = cloneJson(mergedOf(cmd, info, given, live));
  if (!bool(cmd, 'show-managed-fields')) for (const o of [live, merged]) if (o?.metadata) delete o.metadata.managedFields;
  // What is not there is written all the same once it has been masked.
  const masked = merged.kind === 'Secret' && merged.apiVersion === 'v1' && !bool(cmd, 'show-secrets');
  if (masked) [live, merged] = mask(live, merged);
  if (live?.metadata.deletionTimestamp) warn(cmd, `Detected changes to resource ${info.name} which is currently being deleted.`);
  const { toYaml } = lazy('yaml');
  return {
    name: fileName(info.mapping, info.namespace, info.name),
    live: live ? toYaml(live) : masked ? 'null\n' : '',
    merged: toYaml(merged),
  };
}

/** What the server would make of the manifest. */
function mergedOf(cmd: Cmd, info: Info, given: KubeObject, live: any): any {
  const serverSide = bool(cmd, 'server-side');
  const manager = isSet(cmd, 'field-manager') ? flag(cmd, 'field-manager') : serverSide ? 'kubectl' : 'kubectl-client-side-apply';
  const query = { dryRun: true, fieldManager: manager };
  if (serverSide)
    return patchObject(cmd, info.mapping, info.namespace, info.name, 'apply', given, { ...query, force: bool(cmd, 'force-conflicts') });
  if (!live) return createObject(cmd, info.mapping, info.namespace, given, query);
  const p = makePatch(info.mapping, live, withLastApplied(given));
  // Fields of the annotation alone are no difference: diff leaves it out of what it sends.
  const annotations = p.patch.metadata?.annotations;
  if (annotations) {
    delete annotations['kubectl.kubernetes.io/last-applied-configuration'];
    if (!Object.keys(annotations).length) delete p.patch.metadata.annotations;
    if (!Object.keys(p.patch.metadata).length) delete p.patch.metadata;
  }
  if (goJson(p.patch) === '{}') return live;
  return patchObject(cmd, info.mapping, info.namespace, info.name, p.type, p.patch, query);
}

function mask(live: any, merged: any): [any, any] {
  const [from, to] = [live?.data, merged.data];
  for (const k of Object.keys(from ?? {})) {
    if (to && k in to && from[k] !== to[k]) [from[k], to[k]] = ['*** (before)', '*** (after)'];
    else {
      if (to && k in to) to[k] = '***';
      from[k] = '***';
    }
  }
  for (const k of Object.keys(to ?? {})) if (!from || !(k in from)) to[k] = '***';
  return [live, merged];
}

const numberOf = (cmd: Cmd): string => Array.from({ length: 9 }, () => String(below(cmd.host.sim.random, 10))).join('');

/** KUBECTL_EXTERNAL_DIFF: the user's own program over two folders. Words that are not plain are left out (pkg/cmd/diff/diff.go). */
function* runProgram(cmd: Cmd, program: string, pairs: Compared[]): Co<number> {
  const { host } = cmd;
  if (!host.runProgram) return fail('podnet runs no programs of the machine here: KUBECTL_EXTERNAL_DIFF has to be unset');
  const dirs = [`/tmp/LIVE-${numberOf(cmd)}`, `/tmp/MERGED-${numberOf(cmd)}`];
  const written: string[] = [];
  for (const [i, dir] of dirs.entries()) {
    host.makeDir(dir);
    for (const p of pairs) {
      const [path, text] = [`${dir}/${p.name}`, i ? p.merged : p.live];
      if (!text) continue;
      if (host.writeFile(path, stringToBytes(text))) fail(`open ${path}: permission denied`);
      written.push(path);
    }
  }
  const [name, ...words] = program.split(' ');
  const code = yield* host.runProgram([name, ...words.filter(w => /^[a-zA-Z0-9-=]+$/.test(w)), ...dirs]);
  for (const path of [...written, ...dirs]) host.removeFile(path);
  if (typeof code === 'string') return fail(`failed to run ${JSON.stringify(name)}: executable file not found in $PATH`);
  if (code > 1) return fail(`exit status ${code}`);
  if (code) throw exitFailure(1);
  return 0;
}

/** GNU diff -N: when a file that is not there was changed. */
const NEVER = '1970-01-01 00:00:00.000000000 +0000';

function printDifferences(cmd: Cmd, pairs: Compared[]): number {
  const [live, merged] = [`/tmp/LIVE-${numberOf(cmd)}`, `/tmp/MERGED-${numberOf(cmd)}`];
  const time = civilTime(cmd.host.sim.nowMs);
  const two = (n: number) => String(n).padStart(2, '0');
  const stamp = `${time.year}-${two(time.month)}-${two(time.day)} ${two(time.hour)}:${two(time.minute)}:${two(time.second)}.${String(Math.floor(time.ms)).padStart(3, '0')}000000 +0000`;
  let text = '';
  for (const p of pairs.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const hunks = unifiedHunks(p.live, p.merged);
    if (!hunks) continue;
    text += `diff -u -N ${live}/${p.name} ${merged}/${p.name}\n--- ${live}/${p.name}\t${p.live ? stamp : NEVER}\n+++ ${merged}/${p.name}\t${p.merged ? stamp : NEVER}\n${hunks}`;
  }
  out(cmd, text);
  if (text) throw exitFailure(1);
  return 0;
}

// kubectl apply (k8s.io/kubectl v0.36.3, pkg/cmd/apply).

import { cloneJson } from '../../apiserver/json.ts';
import { mergePatch } from '../../apiserver/patch.ts';
import { structOfKind } from '../../apiserver/schema.ts';
import { strategicMerge } from '../../apiserver/strategic.ts';
import { threeWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep } from '../../sim/task.ts';
import {
  type ApplySet,
  afterPrune,
  applySetOf,
  beforeApply,
  labelMembers,
  leftoverName,
  leftoversOf,
  validateApplySet,
} from '../applyset.ts';
import { build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, type DryRun, dryRun, duration, err, flag, int, isSet, list, out, usageError, validation } from '../command.ts';
import { annotationOwners, upgradePatch } from '../csa-upgrade.ts';
import { aggregate, type Failure, fail, failure, isFailure, isNotFound, withSource, wrapped } from '../failure.ts';
import { goJson, goJsonIndent } from '../go-json.ts';
import { jsonThreeWayPatch } from '../json-merge.ts';
import { LAST_APPLIED, lastAppliedOf, withLastApplied } from '../last-applied.ts';
import { groupVersion } from '../mapping.ts';
import { dryRunSuffix, resultPrinter, withoutManagedFields } from '../print-flags.ts';
import { allowlist, type Leftover, pruneLeftovers } from '../prune.ts';
import { createObject, deleteObject, getObject, patchObject, writeQuery } from '../requests.ts';

interface Apply {
  cmd: Cmd;
  mode: DryRun;
  manager: string;
  serverSide: boolean;
  /** -o yaml and the like: one print at the end. */
  collect: boolean;
  visited: Set<string>;
  namespaces: Set<string>;
  /** --prune-allowlist */
  allowed: ResourceInfo[];
}

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length) usageError(cmd, `Unexpected args: [${cmd.args.join(' ')}]`);
  const serverSide = bool(cmd, 'server-side');
  const mode = dryRun(cmd);
  const manager = isSet(cmd, 'field-manager') ? flag(cmd, 'field-manager') : serverSide ? 'kubectl' : 'kubectl-client-side-apply';
  if (!list(cmd, 'filename').length && !flag(cmd, 'kustomize')) fail('must specify one of -f and -k');
  const directive = validation(cmd);
  const set = applySetOf(cmd);
  const allowed = bool(cmd, 'prune') ? allowlist(cmd) : [];
  validate(cmd, mode, serverSide, set);
  propagation(flag(cmd, 'cascade'));
  const result = yield* build(cmd, {
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    labelSelector: flag(cmd, 'selector').trim(),
    flatten: true,
    continueOnError: true,
    checkKind: directive !== 'Ignore',
  });
  const { infos, error } = infosOf(result);
  const errors: Failure[] = error ? [error] : [];
  if (set) labelMembers(set, infos);
  if (!infos.length && !errors.length) fail('no objects passed to apply');
  if (set) beforeApply(cmd, set, infos, mode);
  const output = flag(cmd, 'output');
  const a: Apply = {
    cmd,
    mode,
    manager,
    serverSide,
    collect: output !== '' && output !== 'name',
    visited: new Set(),
    namespaces: new Set(),
    allowed,
  };
  if (cmd.explicitNamespace) a.namespaces.add(cmd.namespace);
  for (const info of infos) {
    try {
      yield* applyOne(a, info);
    } catch (e) {
      if (!isFailure(e)) throw e;
      errors.push(e);
    }
  }
  const all = aggregate(errors);
  if (all) throw all;
  if (a.collect) {
    const objects = infos.map(i => i.object as KubeObject);
    const print = resultPrinter(cmd, '');
    if (objects.length > 1 && output === 'json') out(cmd, listText(objects.map(o => withoutManagedFields(cmd, o))));
    else print(objects.length === 1 ? objects[0] : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} });
  }
  if (set) pruneSet(a, set);
  else if (bool(cmd, 'prune')) prune(a);
  return 0;
}

function validate(cmd: Cmd, mode: DryRun, serverSide: boolean, set: ApplySet | null): void {
  const force = bool(cmd, 'force');
  if (bool(cmd, 'force-conflicts') && !serverSide) fail('--force-conflicts only works with --server-side');
  if (mode === 'client' && serverSide) fail("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  if (serverSide && force) fail('--force cannot be used with --server-side');
  if (mode === 'server' && force) fail('--dry-run=server cannot be used with --force');
  if (bool(cmd, 'all') && flag(cmd, 'selector')) fail('cannot set --all and --selector at the same time');
  if (set && !bool(cmd, 'prune')) fail('--applyset requires --prune');
  if (set) validateApplySet(cmd, set);
  if (bool(cmd, 'prune')) {
    if (force) fail('--force cannot be used with --prune');
    if (set) {
      const [other] = ['all', 'selector', 'prune-allowlist'].filter(name => isSet(cmd, name));
      if (other) fail(`--${other} is incompatible with --applyset`);
      return;
    }
    if (!bool(cmd, 'all') && !flag(cmd, 'selector'))
      fail(
        'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
      );
    if (serverSide) fail("--prune is in alpha and doesn't currently work on objects created by server-side apply");
  }
  if (flag(cmd, 'subresource') && !serverSide) fail('--subresource can only be specified for --server-side');
}

const print = (a: Apply, object: KubeObject, operation: string): void => {
  if (!a.collect) resultPrinter(a.cmd, operation, dryRunSuffix(a.mode))(object);
};

/** resource.Info.String */
const describe = (info: Info): string =>
  `Resource: "${groupVersion(info.mapping)}, Resource=${info.mapping.resource}", GroupVersionKind: "${groupVersion(info.mapping)}, Kind=${info.mapping.kind}"\nName: ${goQuote(info.name)}, Namespace: ${goQuote(info.namespace)}`.replaceAll(
    /"([^"/]*), (Resource|Kind)=/g,
    (_, gv, what) => `"${gv.includes('/') ? gv : `/${gv}`}, ${what}=`,
  );

const warnIfDeleting = (a: Apply, object: KubeObject): void => {
  if (object.metadata.deletionTimestamp)
    err(a.cmd, `Warning: Detected changes to resource ${object.metadata.name} which is currently being deleted.\n`);
};

function* applyOne(a: Apply, info: Info): Co<void> {
  const { cmd } = a;
  if (info.mapping.namespaced) a.namespaces.add(info.namespace);
  const given = info.object as KubeObject;
  if (!info.name && given.metadata?.generateName) fail(`from ${given.metadata.generateName}: cannot use generate name with apply`);
  if (a.serverSide) return serverSideApply(a, info, given);
  const modified = withLastApplied(given);
  let current: KubeObject | Failure;
  try {
    current = getObject(cmd, info.mapping, info.namespace, info.name);
  } catch (e) {
    if (!isFailure(e)) throw e;
    current = e;
  }
  if (isFailure(current)) {
    if (!isNotFound(current)) throw withSource(`retrieving current configuration of:\n${describe(info)}\nfrom server for:`, info, current);
    let created = pruneNulls(cloneJson(modified)) as KubeObject;
    if (a.mode !== 'client') {
      try {
        created = createObject(
          cmd,
          info.mapping,
          info.namespace,
          created,
          writeQuery(cmd, a.mode, a.manager, { fieldManager: a.manager, fieldValidation: validation(cmd) }),
        );
      } catch (e) {
        throw isFailure(e) ? withSource('creating', info, e) : e;
      }
    }
    info.object = created;
    a.visited.add(created.metadata.uid ?? '');
    print(a, created, 'created');
    return;
  }
  info.object = current;
  a.visited.add(current.metadata.uid ?? '');
  if (lastAppliedOf(current) === undefined)
    err(
      cmd,
      `Warning: resource ${info.mapping.resource}/${info.name} is missing the ${LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  yield* patchExisting(a, info, current, modified);
}

function* patchExisting(a: Apply, info: Info, current: KubeObject, modified: KubeObject): Co<void> {
  let p = makePatch(info.mapping, current, modified);
  let patched = current;
  const empty = () => goJson(p.patch) === '{}';
  try {
    if (!empty()) {
      if (a.mode === 'client') patched = p.local(current);
      else {
        for (let attempt = 0; ; attempt++) {
          try {
            patched = patchObject(a.cmd, info.mapping, info.namespace, info.name, p.type, p.patch, {
              ...writeQuery(a.cmd, a.mode, a.manager),
              fieldManager: a.manager,
              fieldValidation: validation(a.cmd),
            });
            break;
          } catch (e) {
            if (!isFailure(e)) throw e;
            if (e.status?.reason === 'Conflict' && attempt < 5) {
              const again = getObject(a.cmd, info.mapping, info.namespace, info.name);
              if (isFailure(again)) throw again;
              p = makePatch(info.mapping, again, modified);
              continue;
            }
            if ((e.status?.reason === 'Conflict' || e.status?.reason === 'Invalid') && bool(a.cmd, 'force')) {
              patched = yield* deleteAndCreate(a, info, current, modified);
              break;
            }
            throw withSource('patching', info, e);
          }
        }
      }
    }
  } catch (e) {
    if (!isFailure(e)) throw e;
    throw withSource(`applying patch:\n${goJson(p.patch)}\nto:\n${describe(info)}\nfor:`, info, e);
  }
  info.object = patched;
  warnIfDeleting(a, patched);
  print(a, patched, empty() ? 'unchanged' : 'configured');
}

export interface MadePatch {
  type: 'strategic' | 'merge';
  patch: any;
  local: (current: KubeObject) => KubeObject;
}

export function makePatch(mapping: ResourceInfo, current: KubeObject, modified: KubeObject): MadePatch {
  const text = lastAppliedOf(current);
  let original: any = {};
  if (text) {
    try {
      original = JSON.parse(text);
    } catch {
      fail(`retrieving original configuration from:\n${goJson(current)}\nfor: invalid JSON document`);
    }
  }
  const apiVersion = groupVersion(mapping);
  if (structOfKind(apiVersion, mapping.kind)) {
    const r = threeWayPatch(apiVersion, mapping.kind, original, modified, current);
    if (typeof r === 'string')
      return fail(
        `creating patch with:\noriginal:\n${text ?? ''}\nmodified:\n${goJson(modified)}\ncurrent:\n${goJson(current)}\nfor: ${r}`,
      );
    return {
      type: 'strategic',
      patch: r.patch,
      local: object => {
        const done = strategicMerge(apiVersion, mapping.kind, object, r.patch);
        return typeof done === 'string' ? fail(`applying patch locally: ${done}`) : done.value;
      },
    };
  }
  const patch = jsonThreeWayPatch(original, modified, current);
  return { type: 'merge', patch, local: object => mergePatch(object, patch) as KubeObject };
}

function* deleteAndCreate(a: Apply, info: Info, original: KubeObject, modified: KubeObject): Co<KubeObject> {
  const { cmd } = a;
  const grace = int(cmd, 'grace-period');
  deleteObject(cmd, info.mapping, info.namespace, info.name, {
    gracePeriodSeconds: grace >= 0 ? grace : bool(cmd, 'force') ? 0 : undefined,
    propagationPolicy: 'Background',
  });
  const deadline = duration(cmd, 'timeout') || Number.POSITIVE_INFINITY;
  const start = cmd.host.sim.nowMs;
  for (;;) {
    const still = getObject(cmd, info.mapping, info.namespace, info.name);
    if (isFailure(still)) break;
    if (cmd.host.sim.nowMs - start > deadline) fail('timed out waiting for the condition');
    yield* sleep(cmd.host.sim, 1000);
  }
  const query = { fieldManager: a.manager };
  try {
    return createObject(cmd, info.mapping, info.namespace, modified, query);
  } catch (e) {
    if (!isFailure(e)) throw e;
    try {
      createObject(cmd, info.mapping, info.namespace, original, query);
    } catch (again) {
      if (!isFailure(again)) throw again;
      throw failure(
        `An error occurred force-replacing the existing object with the newly provided one:\n\n${e.message}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n${again.message}`,
      );
    }
    throw e;
  }
}

function pruneNulls(v: any): any {
  if (Array.isArray(v)) v.forEach(pruneNulls);
  else if (typeof v === 'object' && v !== null) {
    for (const k of Object.keys(v)) {
      if (v[k] === null) delete v[k];
      else pruneNulls(v[k]);
    }
  }
  return v;
}

const CONFLICT_HELP = `
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`;

function serverSideApply(a: Apply, info: Info, given: KubeObject): void {
  const { cmd } = a;
  const dry = { dryRun: a.mode === 'server' || undefined };
  const send = (type: 'apply' | 'json', body: unknown, query: object): KubeObject => {
    const sub = type === 'apply' ? flag(cmd, 'subresource') : '';
    return patchObject(cmd, info.mapping, info.namespace, info.name, type, body, { ...dry, ...query }, sub);
  };
  const query = { fieldManager: a.manager, force: bool(cmd, 'force-conflicts'), fieldValidation: validation(cmd) };
  let object: KubeObject;
  try {
    object = send('apply', given, query);
  } catch (e) {
    if (isFailure(e) && e.status?.reason === 'Conflict') throw failure(e.message + CONFLICT_HELP);
    throw e;
  }
  object = migrate(a, object, send, () => send('apply', given, query));
  info.object = object;
  warnIfDeleting(a, object);
  a.visited.add(object.metadata.uid ?? '');
  print(a, object, 'serverside-applied');
}

/** An object that client-side apply wrote: its annotation stays somebody's, its fields become server-side apply's. */
function migrate(
  a: Apply,
  object: KubeObject,
  send: (type: 'apply' | 'json', body: unknown, query: object) => KubeObject,
  again: () => KubeObject,
): KubeObject {
  const text = lastAppliedOf(object);
  let now = object;
  try {
    if (a.manager === 'kubectl' && text !== undefined && !annotationOwners(now, 'Apply').length) {
      const { name, namespace } = now.metadata;
      const only = { apiVersion: now.apiVersion, kind: now.kind, metadata: { name, namespace, annotations: { [LAST_APPLIED]: text } } };
      now = send('apply', only, { fieldManager: 'kubectl-last-applied' });
    }
  } catch (e) {
    if (!isFailure(e)) throw e;
    err(
      a.cmd,
      `Warning: failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply. ${LATER} Error: ${e.message}\n`,
    );
    return now;
  }
  try {
    const patch = upgradePatch(now, a.manager);
    if (!patch) return now;
    now = send('json', patch, {});
  } catch (e) {
    if (!isFailure(e)) throw e;
    err(a.cmd, `Warning: server rejected managed fields migration to Server-Side Apply. ${LATER} Error: ${e.message}\n`);
    return now;
  }
  try {
    return again();
  } catch (e) {
    if (!isFailure(e)) throw e;
    err(a.cmd, `Warning: failed to re-apply configuration after performing Server-Side Apply migration. ${LATER} Error: ${e.message}\n`);
    return now;
  }
}

const LATER = 'This is non-fatal and will be retried next time you apply.';

function prune(a: Apply): void {
  const selector = flag(a.cmd, 'selector');
  pruneLeftovers(a.cmd, a.allowed, { selector, namespaces: a.namespaces, visited: a.visited }, l => pruneOne(a, l));
}

function pruneSet(a: Apply, set: ApplySet): void {
  for (const l of leftoversOf(a.cmd, set, a.visited)) {
    try {
      pruneOne(a, l);
    } catch (e) {
      throw isFailure(e) ? wrapped(`pruning ${leftoverName(l)}`, e) : e;
    }
  }
  afterPrune(a.cmd, set, a.mode);
}

function pruneOne(a: Apply, { mapping, namespace, object }: Leftover): void {
  const { cmd } = a;
  if (a.mode !== 'client') {
    const grace = int(cmd, 'grace-period');
    deleteObject(cmd, mapping, namespace, object.metadata.name, {
      gracePeriodSeconds: grace >= 0 ? grace : undefined,
      propagationPolicy: propagation(flag(cmd, 'cascade')),
      dryRun: a.mode === 'server' || undefined,
    });
  }
  resultPrinter(cmd, 'pruned', dryRunSuffix(a.mode))(object);
}

/** A v1.List, whose fields stand in the order of their declaration; its items came as maps. */
const listText = (items: KubeObject[]): string =>
  `{\n    "kind": "List",\n    "apiVersion": "v1",\n    "metadata": {},\n    "items": ${goJsonIndent(items, '    ', '    ')}\n}\n`;

export function propagation(cascade: string): 'Foreground' | 'Background' | 'Orphan' {
  if (/^(1|t|true)$/i.test(cascade) || cascade === 'background') return 'Background';
  if (/^(0|f|false)$/i.test(cascade) || cascade === 'orphan') return 'Orphan';
  if (cascade === 'foreground') return 'Foreground';
  return fail(`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`);
}

// kubectl edit (k8s.io/kubectl v0.36.3, pkg/cmd/edit, pkg/cmd/util/editor).

import { cloneJson, sameJson } from '../../apiserver/json.ts';
import { structOfKind } from '../../apiserver/schema.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { goSyntax } from '../../sim/go-print.ts';
import { goQuote } from '../../sim/quote.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, err, flag, isSet, list, out } from '../command.ts';
import { exitFailure, fail, isFailure } from '../failure.ts';
import { pathError } from '../files.ts';
import { goJsonIndent } from '../go-json.ts';
import { jsonTwoWayPatch } from '../json-merge.ts';
import { saveConfig } from '../last-applied.ts';
import { lazy } from '../lazy.ts';
import { groupResource, noKindMatch, resourceOfKind } from '../mapping.ts';
import { resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';

export const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

export function* run(cmd: Cmd): Co<number> {
  const result = yield* build(cmd, {
    args: cmd.args,
    allowEmptySelector: true,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    subresource: flag(cmd, 'subresource'),
    latest: true,
    flatten: true,
    continueOnError: true,
  });
  const { infos, error } = infosOf(result);
  if (error) throw error;
  if (!infos.length) fail('edit cancelled, no objects found');
  return yield* editAll(cmd, infos);
}

const withoutManaged = (o: KubeObject): KubeObject => {
  const { managedFields: _, ...metadata } = o.metadata;
  return { ...o, metadata };
};

/** Lines that begin with `#` are no part of the object. */
const stripped = (text: string): string =>
  text
    .split('\n')
    .filter(l => !l.trimStart().startsWith('#'))
    .join('\n');

function* editAll(cmd: Cmd, infos: Info[]): Co<number> {
  return yield* editLoop(cmd, {
    header: HEADER,
    objects: infos.map(i => withoutManaged(i.object as KubeObject)),
    about: aboutOf(infos[0]),
    save: (edited, path) => save(cmd, infos, edited, path),
  });
}

/** `configmaps "words"` */
export const aboutOf = (info: Info): string => `${groupResource(info.mapping)} ${goQuote(info.name)}`;

export interface Edited {
  header: string;
  objects: KubeObject[];
  /** The first of them, in messages. */
  about: string;
  /** -> why the editor must be opened again */
  save: (edited: KubeObject[], path: string) => string[];
}

/** Editor after editor, until what it leaves can be saved or does not change any more (editoptions.go). */
export function* editLoop(cmd: Cmd, e: Edited): Co<number> {
  const json = flag(cmd, 'output') === 'json';
  const whole = e.objects.length === 1 ? e.objects[0] : { apiVersion: 'v1', items: e.objects, kind: 'List', metadata: {} };
  const original = json ? `${goJsonIndent(whole)}\n` : lazy('yaml').toYaml(whole);
  let shown = (json ? '' : e.header) + original;
  let before: string | null = null;
  for (;;) {
    const { text, path } = yield* openEditor(cmd, shown, json ? '.json' : '.yaml');
    if (before !== null && stripped(before) === stripped(text)) preserve(cmd, path, 'Edit cancelled, no valid changes were saved.');
    if (stripped(text) === stripped(original)) {
      cmd.host.removeFile(path);
      err(cmd, 'Edit cancelled, no changes made.\n');
      return 0;
    }
    const reasons = saved(cmd, e, text, path);
    cmd.host.removeFile(path);
    if (!reasons.length) return 0;
    before = text;
    shown = `${e.header}${reasons.map(r => `# ${r.replace(/\n/g, '\n# ')}\n#\n`).join('')}${stripped(text)}`;
  }
}

function preserve(cmd: Cmd, path: string, message: string): never {
  err(cmd, `A copy of your changes has been stored to ${goQuote(path)}\n`);
  return fail(message);
}

function saved(cmd: Cmd, e: Edited, text: string, path: string): string[] {
  const invalid = (why: string): string[] => {
    err(cmd, `error: ${e.about} is invalid\n`);
    return [`${e.about} was not valid:\n* <nil>: Invalid value: "The edited file failed validation": ${why}`];
  };
  const edited: KubeObject[] = [];
  for (const o of lazy('manifest').manifestObjects(text, 'edited-file', true)) {
    if (isFailure(o)) return invalid(o.message.replace(/^.*?(?=yaml: )/s, ''));
    if (Array.isArray((o as any).items) && o.kind.endsWith('List')) edited.push(...(o as any).items);
    else edited.push(o);
  }
  if (!edited.length) return invalid('invalid object to validate');
  for (const o of edited) {
    if (!resourceOfKind(connect(cmd), o.apiVersion ?? '', o.kind ?? '')) {
      const { name = '', namespace = '' } = o.metadata ?? {};
      const where = `name: ${goQuote(name)} namespace: ${goQuote(namespace)} from "edited-file"`;
      const why = `resource mapping not found for ${where}: ${noKindMatch(o.apiVersion ?? '', o.kind ?? '')}\nensure CRDs are installed first`;
      return [`The edited file had a syntax error: ${why}`];
    }
  }
  return e.save(edited, path);
}

/** -> why the editor must be opened again */
function save(cmd: Cmd, infos: Info[], edited: KubeObject[], path: string): string[] {
  const reasons: string[] = [];
  for (const o of edited) {
    const info = infos.find(i => (i.object as KubeObject).metadata.uid === o.metadata?.uid) as Info;
    if (!info) preserve(cmd, path, `no original object found for &unstructured.Unstructured{Object:${goSyntax(o)}}`);
    const original = withoutManaged(info.object as KubeObject);
    let after = cloneJson(o) as KubeObject;
    if (sameJson(original, after)) {
      resultPrinter(cmd, 'skipped')(after);
      continue;
    }
    for (const [was, is] of [
      [original.apiVersion, after.apiVersion],
      [original.kind, after.kind],
      [original.metadata.name, after.metadata.name],
    ])
      if (was !== is) preserve(cmd, path, 'At least one of apiVersion, kind and name was changed');
    const [had, has] = [original.metadata.namespace, after.metadata.namespace];
    if (had && has && had !== has)
      preserve(
        cmd,
        path,
        `the namespace from the provided object ${goQuote(has)} does not match the namespace ${goQuote(had)}. You must pass '--namespace=${has}' to perform this operation.`,
      );
    if (isSet(cmd, 'save-config')) after = saveConfig(after, bool(cmd, 'save-config'));
    const typed = structOfKind(after.apiVersion, after.kind) !== undefined;
    const diff = typed ? twoWayPatch(after.apiVersion, after.kind, original, after) : { patch: jsonTwoWayPatch(original, after) };
    if (typeof diff === 'string') return fail(diff);
    try {
      const query = writeQuery(cmd, 'none', 'kubectl-edit');
      const made = patchObject(
        cmd,
        info.mapping,
        info.namespace,
        info.name,
        typed ? 'strategic' : 'merge',
        diff.patch,
        query,
        flag(cmd, 'subresource'),
      );
      if (bool(cmd, 'output-patch')) out(cmd, `Patch: ${JSON.stringify(diff.patch)}\n`);
      resultPrinter(cmd, 'edited')(made);
    } catch (e) {
      if (!isFailure(e)) throw e;
      const resource = groupResource(info.mapping);
      if (e.status?.reason === 'Invalid') {
        err(cmd, `error: ${resource} ${goQuote(info.name)} is invalid\n`);
        reasons.push(`${resource} ${goQuote(info.name)} was not valid:\n* ${e.message}`);
      } else if (e.status?.reason === 'NotFound') {
        err(cmd, `error: ${resource} ${goQuote(info.name)} could not be found on the server\n`);
        err(cmd, `The edits you made on deleted resources have been saved to ${goQuote(path)}\n`);
        throw exitFailure(1);
      } else {
        err(cmd, `error: ${resource} ${goQuote(info.name)} could not be patched: ${e.message}\n`);
        err(cmd, `You can run \`kubectl replace -f ${path}\` to try this update again.\n`);
        throw exitFailure(1);
      }
    }
  }
  return reasons;
}

function* openEditor(cmd: Cmd, text: string, extension: string): Co<{ text: string; path: string }> {
  const { host } = cmd;
  const number = Array.from({ length: 10 }, () => below(host.sim.random, 10)).join('');
  const path = `/tmp/kubectl-edit-${number}${extension}`;
  const wrong = host.writeFile(path, stringToBytes(text), 0o600);
  if (wrong) fail(pathError('open', path, wrong));
  const editor = host.env.KUBE_EDITOR || host.env.EDITOR || 'vi';
  if (!host.runProgram) return fail(`unable to launch the editor ${goQuote(editor)}`);
  // Only words that need one get a shell (pkg/cmd/util/editor/editor.go).
  const shell = /["'\\]/.test(editor);
  const code = yield* host.runProgram(
    shell ? [host.env.SHELL || '/bin/bash', '-c', `${editor} ${JSON.stringify(path)}`] : [...editor.split(' '), path],
  );
  if (code !== 0)
    fail(
      typeof code === 'string'
        ? `unable to launch the editor ${goQuote(editor)}`
        : `there was a problem with the editor ${goQuote(editor)}`,
    );
  const data = host.readFile(path);
  return typeof data === 'string' ? fail(pathError('open', path, data)) : { text: bytesToString(data), path };
}

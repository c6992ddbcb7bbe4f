// --overrides of run and expose (k8s.io/kubectl v0.36.3, pkg/cmd/util/override_options.go).

import { jsonPatch, mergePatch } from '../apiserver/patch.ts';
import { strategicMerge } from '../apiserver/strategic.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Cmd, flag } from './command.ts';
import { fail } from './failure.ts';
import { jsonSyntaxError } from './json-scan.ts';

export function applyOverrides(cmd: Cmd, object: KubeObject): KubeObject {
  const text = flag(cmd, 'overrides');
  if (!text) return object;
  const type = flag(cmd, 'override-type') || 'merge';
  if (!['json', 'merge', 'strategic'].includes(type)) fail(`invalid override type: ${type}`);
  let patch: any;
  try {
    patch = JSON.parse(text);
  } catch {
    const why = { json: jsonSyntaxError(text).text, merge: 'Invalid JSON Patch', strategic: 'invalid JSON document' };
    return fail(why[type as 'json']);
  }
  const clean = JSON.parse(JSON.stringify(object)) as KubeObject;
  if (type === 'json') {
    const done = jsonPatch(clean, patch);
    return 'error' in done ? fail(done.error) : (done.value as KubeObject);
  }
  if (type === 'strategic') {
    const done = strategicMerge(object.apiVersion, object.kind, clean, patch);
    return typeof done === 'string' ? fail(done) : (done.value as KubeObject);
  }
  return mergePatch(clean, patch) as KubeObject;
}

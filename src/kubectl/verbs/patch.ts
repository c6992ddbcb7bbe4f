// kubectl patch (k8s.io/kubectl v0.36.3, pkg/cmd/patch/patch.go).

import { sameJson } from '../../apiserver/json.ts';
import { jsonPatch, mergePatch } from '../../apiserver/patch.ts';
import { structOfKind } from '../../apiserver/schema.ts';
import { strategicMerge } from '../../apiserver/strategic.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { build } from '../builder.ts';
import { bool, type Cmd, dryRun, flag, list } from '../command.ts';
import { fail, failure, isFailure, statusFailure } from '../failure.ts';
import { readText } from '../files.ts';
import { jsonSyntaxError } from '../json-scan.ts';
import { yamlOrJson } from '../manifest-value.ts';
import { resultPrinter } from '../print-flags.ts';
import { patchObject, writeQuery } from '../requests.ts';

type Kind = 'json' | 'merge' | 'strategic';

export function* run(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  const local = bool(cmd, 'local');
  const [patch, file] = [flag(cmd, 'patch'), flag(cmd, 'patch-file')];
  if (patch && file) fail('cannot specify --patch and --patch-file together');
  if (!patch && !file) fail('must specify --patch or --patch-file containing the contents of the patch');
  if (local && cmd.args.length) fail('cannot specify --local and server resources');
  if (local && mode === 'server') fail('cannot specify --local and --dry-run=server - did you mean --dry-run=client?');
  const type = flag(cmd, 'type').toLowerCase();
  if (!['json', 'merge', 'strategic', ''].includes(type))
    fail(`--type must be one of [json merge strategic], not ${goQuote(flag(cmd, 'type'))}`);
  const kind = (type || 'strategic') as Kind;
  const body = patchBody(patch || patchText(cmd, file), patch);
  const result = yield* build(cmd, {
    args: cmd.args,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace,
    subresource: flag(cmd, 'subresource'),
    local,
    flatten: true,
    continueOnError: true,
  });
  if (result.error) throw result.error;
  let count = 0;
  const error = result.visit(info => {
    count++;
    const before = info.object as KubeObject;
    let after: KubeObject;
    if (local || mode === 'client') after = patchLocally(before, kind, body);
    else {
      if ('bad' in body) throw badPatch(kind, body.bad);
      checkShape(kind, body.value);
      after = patchObject(
        cmd,
        info.mapping,
        info.namespace,
        info.name,
        kind,
        body.value,
        writeQuery(cmd, mode, 'kubectl-patch'),
        flag(cmd, 'subresource'),
      );
    }
    // That it was a dry run is not said.
    resultPrinter(cmd, sameJson(before, after) ? 'patched (no change)' : 'patched')(after);
  });
  if (error) throw error;
  if (!count) fail('no objects passed to patch');
  return 0;
}

function patchText(cmd: Cmd, file: string): string {
  try {
    return readText(cmd, file);
  } catch (e) {
    return isFailure(e) ? fail(`unable to read patch file: ${e.message}`) : fail(String(e));
  }
}

/** What begins with a brace is sent as it is; the rest is YAML. */
function patchBody(text: string, shown: string): { value: unknown } | { bad: string } {
  if (/^\s*\{/.test(text)) {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return { bad: text };
    }
  }
  const r = yamlOrJson(text);
  return 'error' in r ? fail(`unable to parse ${goQuote(shown)}: ${r.error.replace(/^error converting YAML to JSON: /, '')}`) : r;
}

const goType = (v: unknown) => (Array.isArray(v) ? 'array' : v === null ? 'null' : typeof v === 'boolean' ? 'bool' : typeof v);

const badRequest = (message: string) =>
  statusFailure({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', message, reason: 'BadRequest', code: 400 });

/** The server's words for a patch that is no JSON. */
function badPatch(kind: Kind, text: string) {
  const why = jsonSyntaxError(text).text;
  return badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`);
}

/** The server's words for a patch of the wrong shape (apiserver/pkg/endpoints/handlers/patch.go). */
function checkShape(kind: Kind, v: unknown): void {
  const isMap = typeof v === 'object' && v !== null && !Array.isArray(v);
  if (kind === 'json') {
    if (!Array.isArray(v))
      throw badRequest(`error decoding patch: json: cannot unmarshal ${goType(v)} into Go value of type []handlers.jsonPatchOp`);
  } else if (!isMap && v !== null) {
    const why = `json: cannot unmarshal ${goType(v)} into Go value of type map[string]interface {}`;
    throw badRequest(kind === 'strategic' ? why : `error decoding patch: ${why}`);
  }
}

function patchLocally(object: KubeObject, kind: Kind, body: { value: unknown } | { bad: string }): KubeObject {
  if ('bad' in body) throw failure(jsonSyntaxError(body.bad).text);
  const patch = body.value as any;
  if (kind === 'merge') return mergePatch(object, patch) as KubeObject;
  if (kind === 'json') {
    const r = jsonPatch(object, patch);
    return 'error' in r ? fail(r.error) : (r.value as KubeObject);
  }
  const { apiVersion } = object;
  if (!structOfKind(apiVersion, object.kind)) {
    const gv = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
    fail(`strategic merge patch is not supported for ${gv}, Kind=${object.kind} locally, try --type merge`);
  }
  const r = strategicMerge(apiVersion, object.kind, object, patch);
  return typeof r === 'string' ? fail(r) : (r.value as KubeObject);
}

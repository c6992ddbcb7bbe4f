// kubectl explain (k8s.io/kubectl v0.36.3, pkg/cmd/explain): the text is the API server's own documentation.

import type { ResourceInfo } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, out, requestRaw } from '../command.ts';
import { type Failure, fail, isFailure } from '../failure.ts';
import type { KubectlHost } from '../host.ts';
import { findResource, groupResource, noResourceMatch, splitApiVersion } from '../mapping.ts';

type Explained = { stdout: string; error: string | null } | Failure;

/** What `prepare` has loaded for the command that follows. */
const prepared = new WeakMap<KubectlHost, Explained>();

const V2 = 'plaintext-openapiv2';
const FORMATS = ['plaintext', V2];

/** `networkpolicies.networking.k8s.io.spec` is a resource with its group, then fields. */
function parse(cmd: Cmd): { info: ResourceInfo; fields: string[] } {
  if (!cmd.args.length)
    fail('You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.\n');
  if (cmd.args.length > 1) fail('We accept only this format: explain RESOURCE\n');
  if (!FORMATS.includes(flag(cmd, 'output'))) fail(`unrecognized format: ${flag(cmd, 'output')}`);
  const words = cmd.args[0].replace(/\.$/, '').split('.');
  const connection = connect(cmd);
  let info = findResource(connection, words[0]) ?? noResourceMatch(words[0]);
  let fields = words.slice(1).filter(Boolean);
  const whole = connection.resources().find(r => r.group && cmd.args[0].startsWith(groupResource(r)) && !flag(cmd, 'api-version'));
  if (whole) {
    info = whole;
    fields = cmd.args[0].slice(groupResource(whole).length).split('.').filter(Boolean);
  }
  const version = flag(cmd, 'api-version');
  if (!version) return { info, fields };
  const wanted = splitApiVersion(version);
  const other = connection.resources().find(r => r.resource === info.resource && r.group === wanted.group && r.version === wanted.version);
  const what = flag(cmd, 'output') === V2 ? `Kind=${info.kind}` : `Resource=${info.resource}`;
  return { info: other ?? fail(`couldn't find resource for ${JSON.stringify(`${wanted.group}/${wanted.version}, ${what}`)}`), fields };
}

/** The schema that a CustomResourceDefinition gives. */
function customSchema(cmd: Cmd, info: ResourceInfo): object | undefined {
  if (!info.group.includes('.') || info.group.endsWith('.k8s.io')) return undefined;
  const group = 'apiextensions.k8s.io';
  const r = requestRaw(cmd, { verb: 'get', group, version: 'v1', resource: 'customresourcedefinitions', name: groupResource(info) });
  return (r.body as any).spec?.versions?.find((v: any) => v.name === info.version)?.schema?.openAPIV3Schema;
}

export async function prepare(cmd: Cmd): Promise<void> {
  try {
    const { info, fields } = parse(cmd);
    const explain =
      flag(cmd, 'output') === V2
        ? (await import('../../apiserver/explain-v2.ts')).explainV2
        : (await import('../../apiserver/explain.ts')).explain;
    prepared.set(cmd.host, await explain(info, fields, bool(cmd, 'recursive'), customSchema(cmd, info)));
  } catch (e) {
    if (!isFailure(e)) throw e;
    prepared.set(cmd.host, e);
  }
}

export function* run(cmd: Cmd): Co<number> {
  const p = prepared.get(cmd.host);
  if (!p) return fail('explain cannot run here');
  if (isFailure(p)) throw p;
  out(cmd, p.stdout);
  if (p.error) fail(p.error);
  return 0;
}

// Objects of files and lists, with the resource that they are and the namespace that they get (cli-runtime v0.36.3, pkg/resource/mapper.go and visitor.go).

import type { KubeList, KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import type { BuildOptions, Info } from './builder.ts';
import { type Cmd, connect } from './command.ts';
import { type Failure, fail, failure, isFailure } from './failure.ts';
import type { Source } from './files.ts';
import type { Connection } from './host.ts';
import { groupVersion, noKindMatch, resourceOfKind } from './mapping.ts';

export const bare = (object: KubeObject, source: Source): Info => ({
  mapping: undefined as unknown as ResourceInfo,
  namespace: object.metadata?.namespace ?? '',
  name: object.metadata?.name ?? '',
  source: source.name,
  text: source.text,
  object,
  subresource: '',
});

/** mapper.infoForData */
export function objectInfo(cmd: Cmd, o: BuildOptions, object: KubeObject, source: Source): Info {
  const info = bare(object, source);
  if (o.local) {
    info.mapping = localMapping(object);
    return info;
  }
  const mapping = resourceOfKind(connectFor(cmd, o, source), object.apiVersion ?? '', object.kind);
  if (!mapping)
    fail(
      `resource mapping not found for name: ${goQuote(info.name)} namespace: ${goQuote(info.namespace)} from ${goQuote(source.name)}: ${noKindMatch(object.apiVersion ?? '', object.kind)}\nensure CRDs are installed first`,
    );
  info.mapping = mapping as ResourceInfo;
  info.subresource = o.subresource ?? '';
  return info;
}

function localMapping(object: KubeObject): ResourceInfo {
  const slash = (object.apiVersion ?? '').indexOf('/');
  const kind = object.kind ?? '';
  return {
    group: slash < 0 ? '' : object.apiVersion.slice(0, slash),
    version: object.apiVersion?.slice(slash + 1) ?? '',
    resource: `${kind.toLowerCase()}s`,
    kind,
    singular: kind.toLowerCase(),
    shortNames: [],
    namespaced: true,
    categories: [],
    subresources: [],
    verbs: [],
  };
}

const sourceOf = (info: Info): Source => ({ name: info.source, text: info.text });

/** FlattenListVisitor */
export function* flatten(cmd: Cmd, o: BuildOptions, info: Info, error?: (f: Failure) => void): Generator<Info> {
  const listObject = info.object as KubeList;
  for (const item of listObject.items ?? []) {
    if (!item.kind || !item.apiVersion) {
      const kind = item.kind ?? (listObject.kind === 'List' ? '' : listObject.kind.replace(/List$/, ''));
      if (!kind) fail(`unable to decode ${goQuote(info.source)}: Object 'Kind' is missing in '${JSON.stringify(item)}'`);
      item.kind = kind;
      item.apiVersion ??= listObject.apiVersion;
    }
    if (Array.isArray((item as KubeObject & { items?: unknown }).items) && item.kind.endsWith('List'))
      yield* flatten(cmd, o, { ...info, object: item }, error);
    else if (info.mapping && item.kind === info.mapping.kind && item.apiVersion === groupVersion(info.mapping))
      yield { ...bare(item, sourceOf(info)), mapping: info.mapping };
    else {
      if (!o.local && !resourceOfKind(connect(cmd), item.apiVersion, item.kind)) {
        const why = { ...failure(`unable to recognize ${noKindMatch(item.apiVersion, item.kind)}`), plain: true };
        if (!error) throw why;
        error(why);
        continue;
      }
      yield objectInfo(cmd, o, item, sourceOf(info));
    }
  }
}

/** SetNamespace, RequireNamespace, FilterNamespace. */
export function setNamespace(cmd: Cmd, o: BuildOptions, info: Info): void {
  // Without discovery nothing is known to have a namespace: the object stays as it is.
  if (o.local) return;
  const object = info.object as KubeObject;
  const put = (ns: string) => {
    info.namespace = ns;
    object.metadata = { ...object.metadata, namespace: ns };
  };
  if (!info.mapping.namespaced) {
    info.namespace = '';
    if (object.metadata?.namespace !== undefined) {
      const { namespace: _, ...rest } = object.metadata;
      object.metadata = rest as KubeObject['metadata'];
    }
    return;
  }
  const namespace = o.namespace ?? cmd.namespace;
  if (!info.namespace) put(namespace);
  else if (o.enforceNamespace && info.namespace !== namespace)
    fail(
      `the namespace from the provided object ${goQuote(info.namespace)} does not match the namespace ${goQuote(namespace)}. You must pass '--namespace=${info.namespace}' to perform this operation.`,
    );
}

/** What a manifest is validated by comes from the server, before anything else does. */
function connectFor(cmd: Cmd, o: BuildOptions, source: Source): Connection {
  try {
    return connect(cmd);
  } catch (e) {
    if (!isFailure(e) || !e.unreachable || !o.checkKind) throw e;
    const { url, why } = e.unreachable;
    const get = `failed to download openapi: Get "${url}/openapi/v2?timeout=32s": ${why}`;
    return fail(
      `error validating ${goQuote(source.name)}: error validating data: ${get}; if you choose to ignore these errors, turn validation off with --validate=false`,
    );
  }
}

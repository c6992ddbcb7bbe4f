// `apply --applyset`: a parent object that remembers which kinds and namespaces a set of manifests has spread over
// (k8s.io/kubectl v0.36.3, pkg/cmd/apply/applyset.go and applyset_pruner.go; KEP-3659).

import type { KubeObject, ResourceInfo } from '../apiserver/types.ts';
import { base64, stringToBytes } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { sha256 } from '../sim/sha256.ts';
import type { Info } from './builder.ts';
import { type Cmd, connect, type DryRun, flag, klogWarning, validation } from './command.ts';
import { fail, isFailure, isNotFound, wrapped } from './failure.ts';
import { findResource, groupVersion } from './mapping.ts';
import type { Leftover } from './prune.ts';
import { getObject, listObjects, patchObject } from './requests.ts';

const TOOLING = 'applyset.kubernetes.io/tooling';
const NAMESPACES = 'applyset.kubernetes.io/additional-namespaces';
const KINDS = 'applyset.kubernetes.io/contains-group-kinds';
/** What KINDS has replaced. */
const RESOURCES = 'applyset.kubernetes.io/contains-group-resources';
const ID = 'applyset.kubernetes.io/id';
const PART_OF = 'applyset.kubernetes.io/part-of';
const PARENT_TYPE = 'applyset.kubernetes.io/is-parent-type';

const TOOL = 'kubectl';
const MANAGER = 'kubectl-applyset';

export interface ApplySet {
  mapping: ResourceInfo;
  name: string;
  namespace: string;
  id: string;
  /** By `Kind.group`: what the set held before. */
  kinds: Map<string, ResourceInfo>;
  namespaces: Set<string>;
  /** What it holds by the manifests. */
  newKinds: Map<string, ResourceInfo>;
  newNamespaces: Set<string>;
}

const builtinParent = (m: ResourceInfo): boolean => !m.group && m.version === 'v1' && /^(secrets|configmaps)$/.test(m.resource);
/** schema.GroupKind.String */
const groupKind = (m: ResourceInfo): string => (m.group ? `${m.kind}.${m.group}` : m.kind);
const shown = (s: ApplySet): string => goQuote(`${s.mapping.resource}.${s.mapping.group}/${s.name}`);

/** The set of --applyset [RESOURCE][.GROUP]/NAME; null: the flag is not given. */
export function applySetOf(cmd: Cmd): ApplySet | null {
  const ref = flag(cmd, 'applyset');
  if (!ref) return null;
  const slash = ref.indexOf('/');
  const [word, name] = slash < 0 ? ['secrets', ref] : [ref.slice(0, slash), ref.slice(slash + 1)];
  const invalid = (why: string) => fail(`invalid parent reference ${goQuote(ref)}: ${why}`);
  if (!name) invalid('name cannot be blank');
  const mapping = findResource(connect(cmd), word) ?? invalid(noMatch(word));
  // The namespace of a kubeconfig does not count.
  const namespace = mapping.namespaced && cmd.explicitNamespace ? cmd.namespace : '';
  const hash = base64(sha256(stringToBytes([name, namespace, mapping.kind, mapping.group].join('.'))));
  const id = `applyset-${hash.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')}-v1`;
  return { mapping, name, namespace, id, kinds: new Map(), namespaces: new Set(), newKinds: new Map(), newNamespaces: new Set() };
}

function noMatch(word: string): string {
  const dot = word.indexOf('.');
  const [resource, group] = dot < 0 ? [word, ''] : [word.slice(0, dot), word.slice(dot + 1)];
  return `no matches for ${group}/, Resource=${resource}`;
}

export function validateApplySet(cmd: Cmd, s: ApplySet): void {
  const errors: string[] = [];
  if (s.mapping.namespaced && !s.namespace) errors.push('namespace is required to use namespace-scoped ApplySet');
  if (!builtinParent(s.mapping) && !customParents(cmd).includes(`${s.mapping.resource}.${s.mapping.group}`))
    errors.push(
      `resource ${goQuote(`${groupVersion(s.mapping).replace(/^v/, '/v')}, Resource=${s.mapping.resource}`)} is not permitted as an ApplySet parent`,
    );
  if (errors.length) fail(errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]);
}

function customParents(cmd: Cmd): string[] {
  const crds = findResource(connect(cmd), 'customresourcedefinitions.apiextensions.k8s.io');
  return crds ? listObjects(cmd, crds, '', { labelSelector: PARENT_TYPE }).map(o => o.metadata.name) : [];
}

/** Every object of the manifests says to which set it belongs. */
export function labelMembers(s: ApplySet, infos: Info[]): void {
  for (const { object } of infos) {
    const { metadata } = object as KubeObject;
    if (metadata.labels && PART_OF in metadata.labels) fail(`ApplySet label ${goQuote(PART_OF)} already set in input data`);
    metadata.labels = { ...metadata.labels, [PART_OF]: s.id };
  }
}

/** Before anything is applied the parent covers what was and what will be: an interrupted command leaks nothing. */
export function beforeApply(cmd: Cmd, s: ApplySet, infos: Info[], mode: DryRun): void {
  readParent(cmd, s);
  for (const { mapping, namespace } of infos) {
    s.newKinds.set(groupKind(mapping), mapping);
    if (mapping.namespaced && namespace) s.newNamespaces.add(namespace);
  }
  updateParent(cmd, s, [...s.kinds.keys(), ...s.newKinds.keys()], [...s.namespaces, ...s.newNamespaces], mode);
}

/** The set shrinks to what the manifests hold. */
export function afterPrune(cmd: Cmd, s: ApplySet, mode: DryRun): void {
  try {
    updateParent(cmd, s, [...s.newKinds.keys()], [...s.newNamespaces], mode);
  } catch (e) {
    throw isFailure(e) ? wrapped('apply and prune succeeded, but ApplySet update failed', e) : e;
  }
}

function readParent(cmd: Cmd, s: ApplySet): void {
  const found = getObject(cmd, s.mapping, s.namespace, s.name);
  if (isFailure(found)) {
    if (!isNotFound(found)) throw wrapped(`failed to fetch ApplySet parent object ${shown(s)}`, found);
    if (!builtinParent(s.mapping)) fail('custom resource ApplySet parents cannot be created automatically');
    return;
  }
  const { labels = {}, annotations = {} } = found.metadata;
  const parent = `ApplySet parent object ${shown(s)}`;
  if (!(TOOLING in annotations)) fail(`${parent} already exists and is missing required annotation ${goQuote(TOOLING)}`);
  const by = annotations[TOOLING].replace(/\/[^/]*$/, '');
  if (by !== TOOL) fail(`${parent} already exists and is managed by tooling ${goQuote(by)} instead of ${goQuote(TOOL)}`);
  if (!(ID in labels)) fail(`${parent} exists and does not have required label ${ID}`);
  if (labels[ID] !== s.id) fail(`${parent} exists and has incorrect value for label ${goQuote(ID)} (got: ${labels[ID]}, want: ${s.id})`);
  s.kinds = kindsOf(cmd, annotations, why => fail(`parsing ApplySet annotation on ${shown(s)}: ${why}`));
  s.namespaces = new Set((annotations[NAMESPACES] ?? '').split(',').filter(Boolean));
  if (s.mapping.namespaced) s.namespaces.add(s.namespace);
}

function kindsOf(cmd: Cmd, annotations: Record<string, string>, bad: (why: string) => never): Map<string, ResourceInfo> {
  const byKind = annotations[KINDS];
  if (byKind === undefined && !annotations[RESOURCES])
    bad(`kubectl requires the ${goQuote(KINDS)} annotation to be set on all ApplySet parent objects`);
  const words = (byKind ?? annotations[RESOURCES]).split(',').filter(Boolean);
  const found = words.map(word => {
    if (byKind === undefined)
      return findResource(connect(cmd), word) ?? bad(`invalid group resource in ${goQuote(RESOURCES)} annotation: ${noMatch(word)}`);
    const dot = word.indexOf('.');
    const [kind, group] = dot < 0 ? [word, ''] : [word.slice(0, dot), word.slice(dot + 1)];
    const hit = connect(cmd)
      .resources()
      .find(r => r.kind === kind && r.group === group);
    const why = `no matches for kind ${goQuote(kind)} in group ${goQuote(group)}`;
    return hit ?? bad(`could not find mapping for kind in ${goQuote(KINDS)} annotation: ${why}`);
  });
  return new Map(found.map(m => [groupKind(m), m]));
}

const joined = (words: string[], skip = ''): string =>
  [...new Set(words)]
    .filter(w => w !== skip)
    .sort()
    .join(',');

function updateParent(cmd: Cmd, s: ApplySet, kinds: string[], namespaces: string[], mode: DryRun): void {
  if (mode === 'client') return;
  const annotations = {
    [NAMESPACES]: joined(namespaces, s.namespace),
    [KINDS]: joined(kinds),
    [TOOLING]: `${TOOL}/${connect(cmd).version}`,
  };
  const metadata = { name: s.name, namespace: s.namespace || undefined, annotations, labels: { [ID]: s.id } };
  const body = { apiVersion: groupVersion(s.mapping), kind: s.mapping.kind, metadata: JSON.parse(JSON.stringify(metadata)) };
  const send = (force: boolean) =>
    patchObject(cmd, s.mapping, s.namespace, s.name, 'apply', body, {
      dryRun: mode === 'server' || undefined,
      fieldManager: MANAGER,
      fieldValidation: validation(cmd),
      force,
    });
  try {
    try {
      send(false);
    } catch (e) {
      if (!isFailure(e) || e.status?.reason !== 'Conflict') throw e;
      klogWarning(
        cmd,
        'applyset.go:447',
        `WARNING: failed to update ApplySet: ${e.message}\nApplySet field manager ${MANAGER} should own these fields. Retrying with conflicts forced.`,
      );
      send(true);
    }
  } catch (e) {
    throw isFailure(e) ? wrapped('failed to update ApplySet', e) : e;
  }
}

/** Members that the manifests do not hold any more, wherever the set has been. All are found before one goes. */
export function leftoversOf(cmd: Cmd, s: ApplySet, visited: Set<string>): Leftover[] {
  const labelSelector = `${PART_OF}=${s.id}`;
  return [...s.kinds]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, mapping]) =>
      (mapping.namespaced ? [...s.namespaces].sort() : ['']).flatMap(namespace => {
        try {
          return listObjects(cmd, mapping, namespace, { labelSelector })
            .filter(o => !visited.has(o.metadata.uid ?? ''))
            .map(object => ({ mapping, namespace, object }));
        } catch (e) {
          if (!isFailure(e)) throw e;
          throw wrapped(`listing ${groupVersion(mapping).replace(/^v/, '/v')}, Kind=${mapping.kind} objects for pruning`, e);
        }
      }),
    );
}

/** PruneObject.String */
export const leftoverName = ({ mapping, namespace, object }: Leftover): string =>
  `${groupKind(mapping)} ${namespace ? `${namespace}/` : ''}${object.metadata.name}`;

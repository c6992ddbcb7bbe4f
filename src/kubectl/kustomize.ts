// Kustomizations: resources and what is most often laid over them (sigs.k8s.io/kustomize v5.8). Anything else is refused, not ignored.

import { type JsonPatchOperation, jsonPatch, mergePatch } from '../apiserver/patch.ts';
import { structOfKind } from '../apiserver/schema.ts';
import { strategicMerge } from '../apiserver/strategic.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { base64, stringToBytes } from '../sim/bytes.ts';
import { type Cmd, connect } from './command.ts';
import { type Failure, fail, isFailure } from './failure.ts';
import { readText } from './files.ts';
import { shortHash } from './generators/config.ts';
import { goJson } from './go-json.ts';
import { documents, manifestObjects } from './manifest.ts';
import { resourceOfKind } from './mapping.ts';

type Any = any;

const FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const KNOWN =
  'apiVersion kind metadata resources bases namespace commonLabels labels commonAnnotations images replicas patches patchesStrategicMerge patchesJson6902 configMapGenerator secretGenerator generatorOptions'.split(
    ' ',
  );

export function* kustomizeObjects(cmd: Cmd, dir: string): Generator<KubeObject | Failure> {
  const remote = fetched(cmd, dir);
  yield* ordered(remote ?? build(cmd, dir.replace(/\/+$/, '') || '.'));
}

/** A kustomization of somebody else's, as far as it can be got. null: it is a folder here */
function fetched(cmd: Cmd, url: string): KubeObject[] | null {
  if (!/^(https?:|git@|github\.com)/.test(url)) return null;
  const text = cmd.host.fetchUrl?.(url) ?? null;
  if (text === null) return fail(`podnet's clusters have no internet: ${JSON.stringify(url)} cannot be fetched`);
  return [...manifestObjects(text, url, false)].map(o => {
    if (isFailure(o)) throw o;
    return o as KubeObject;
  });
}

/** The legacy order of kinds; the rest between these and the webhooks, by kind, namespace and name. */
const FIRST =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget'.split(
    ' ',
  );
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

function ordered(objects: KubeObject[]): KubeObject[] {
  const rank = (o: KubeObject) => {
    const last = LAST.indexOf(o.kind) + 1;
    const first = FIRST.indexOf(o.kind);
    return last || (first < 0 ? 0 : first - FIRST.length);
  };
  const key = (o: KubeObject) => `${o.kind}\0${o.metadata.namespace ?? ''}\0${o.metadata.name}`;
  return [...objects].sort((a, b) => rank(a) - rank(b) || (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

const join = (dir: string, path: string): string => {
  const parts: string[] = [];
  for (const p of `${dir}/${path}`.split('/')) {
    if (p === '..' && parts.length && parts.at(-1) !== '..') parts.pop();
    else if (p !== '.' && (p !== '' || !parts.length)) parts.push(p);
  }
  return parts.join('/') || '.';
};

const absolute = (cmd: Cmd, dir: string): string => (dir.startsWith('/') ? dir : join(cmd.host.cwd, dir));

function build(cmd: Cmd, dir: string): KubeObject[] {
  const found = FILES.filter(f => typeof cmd.host.stat(join(dir, f)) !== 'string');
  if (typeof cmd.host.stat(dir) === 'string')
    fail(
      `must build at directory: not a valid directory: evalsymlink failure on '${dir}' : lstat ${absolute(cmd, dir)}: no such file or directory`,
    );
  if (!found.length)
    fail(`unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '${absolute(cmd, dir)}'`);
  if (found.length > 1) fail(`Found multiple kustomization files under: ${dir}`);
  const [first] = documents(readText(cmd, join(dir, found[0])));
  if (first && 'error' in first) fail(`error parsing ${found[0]}: ${first.error}`);
  const k: Any = first && 'value' in first ? first.value : {};
  const unknown = Object.keys(k ?? {}).filter(f => !KNOWN.includes(f));
  if (unknown.length) fail(`podnet's kustomize has no field ${unknown.map(f => JSON.stringify(f)).join(', ')} (${join(dir, found[0])})`);
  const objects = [...(k.resources ?? []), ...(k.bases ?? [])].flatMap((r: string) => resource(cmd, dir, r));
  const renamed = generate(cmd, dir, k, objects);
  for (const p of patchesOf(cmd, dir, k)) applyPatch(objects, p);
  for (const o of objects) transform(cmd, k, o, renamed);
  return objects;
}

function resource(cmd: Cmd, dir: string, name: string): KubeObject[] {
  const remote = fetched(cmd, name);
  if (remote) return remote;
  const path = join(dir, name);
  const info = cmd.host.stat(path);
  if (typeof info !== 'string' && info.directory) return build(cmd, path);
  const out: KubeObject[] = [];
  for (const o of manifestObjects(readText(cmd, path), path, false)) {
    if (isFailure(o)) throw o;
    out.push(...(Array.isArray((o as Any).items) && o.kind.endsWith('List') ? (o as Any).items : [o]));
  }
  return out;
}

/** Config maps and secrets whose names end in a hash of what they hold. -> old names and new */
function generate(cmd: Cmd, dir: string, k: Any, objects: KubeObject[]): Map<string, string> {
  const renamed = new Map<string, string>();
  for (const kind of ['ConfigMap', 'Secret']) {
    for (const g of k[kind === 'Secret' ? 'secretGenerator' : 'configMapGenerator'] ?? []) {
      const data: Record<string, string> = {};
      const add = (key: string, text: string) => {
        data[key] = kind === 'Secret' ? base64(stringToBytes(text)) : text;
      };
      const pair = (s: string): [string, string] => [s.slice(0, s.indexOf('=')), s.slice(s.indexOf('=') + 1)];
      for (const l of g.literals ?? []) add(...pair(l));
      for (const f of g.files ?? []) {
        const [key, path] = f.includes('=') ? pair(f) : [f.split('/').at(-1), f];
        add(key, readText(cmd, join(dir, path)));
      }
      for (const e of [...(g.envs ?? []), ...(g.env ? [g.env] : [])])
        for (const line of readText(cmd, join(dir, e)).split('\n')) if (/^[^#]+=/.test(line.trim())) add(...pair(line.trim()));
      const options = { ...k.generatorOptions, ...g.options };
      const labels = { ...k.generatorOptions?.labels, ...g.options?.labels };
      const annotations = { ...k.generatorOptions?.annotations, ...g.options?.annotations };
      const type = kind === 'Secret' ? { type: g.type ?? 'Opaque' } : {};
      const hash = options.disableNameSuffixHash
        ? ''
        : `-${shortHash(goJson({ kind, ...type, name: '', data: Object.keys(data).length ? data : '' }))}`;
      renamed.set(`${kind}/${g.name}`, g.name + hash);
      const metadata: Any = { name: g.name + hash };
      if (g.namespace) metadata.namespace = g.namespace;
      if (Object.keys(labels).length) metadata.labels = labels;
      if (Object.keys(annotations).length) metadata.annotations = annotations;
      objects.push({ apiVersion: 'v1', kind, metadata, ...(Object.keys(data).length ? { data } : {}), ...type } as KubeObject);
    }
  }
  return renamed;
}

interface Patch {
  value: Any;
  target: Any;
}

function patchesOf(cmd: Cmd, dir: string, k: Any): Patch[] {
  const read = (text: string, target: Any): Patch[] =>
    [...documents(text)].map(d => ('error' in d ? fail(`unable to parse patch: ${d.error}`) : { value: d.value, target }));
  const textOf = (p: Any) => p.patch ?? readText(cmd, join(dir, p.path));
  return [
    ...(k.patchesStrategicMerge ?? []).flatMap((p: string) => read(p.includes('\n') ? p : readText(cmd, join(dir, p)), null)),
    ...(k.patchesJson6902 ?? []).flatMap((p: Any) => read(textOf(p), p.target)),
    ...(k.patches ?? []).flatMap((p: Any) => read(textOf(p), p.target ?? null)),
  ];
}

const whole = (pattern: string | undefined, text: string): boolean => !pattern || new RegExp(`^(?:${pattern})$`).test(text);

function applyPatch(objects: KubeObject[], { value, target }: Patch): void {
  const operations = Array.isArray(value);
  const t = target ?? { kind: value.kind, name: value.metadata?.name, namespace: value.metadata?.namespace };
  const hits = objects.filter(
    o =>
      whole(t.kind, o.kind) &&
      whole(t.name, o.metadata.name) &&
      (!t.namespace || t.namespace === (o.metadata.namespace ?? 'default')) &&
      (!t.group || o.apiVersion.startsWith(`${t.group}/`)),
  );
  if (!hits.length && !target) fail(`no matches for Id ${t.kind}.v1.[noGrp]/${t.name}.[noNs]; failed to find unique target for patch`);
  for (const o of hits) {
    let after: Any;
    if (operations) {
      const done = jsonPatch(o, value as JsonPatchOperation[]);
      after = 'error' in done ? fail(done.error) : done.value;
    } else if (value.$patch === 'delete') {
      objects.splice(objects.indexOf(o), 1);
      continue;
    } else if (structOfKind(o.apiVersion, o.kind)) {
      const { apiVersion: _a, kind: _k, ...rest } = value;
      const { name: _n, ...metadata } = rest.metadata ?? {};
      const done = strategicMerge(o.apiVersion, o.kind, o, { ...rest, metadata });
      after = typeof done === 'string' ? fail(done) : done.value;
    } else after = mergePatch(o, value);
    objects[objects.indexOf(o)] = after;
  }
}

const TEMPLATED = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'ReplicationController'];

function transform(cmd: Cmd, k: Any, o: Any, renamed: Map<string, string>): void {
  const template = TEMPLATED.includes(o.kind) ? o.spec?.template : o.kind === 'CronJob' ? o.spec?.jobTemplate?.spec?.template : null;
  const pod = o.kind === 'Pod' ? o.spec : template?.spec;
  if (k.namespace) setNamespace(cmd, o, k.namespace);
  const onto = (place: Any, field: string, more: Any) => {
    if (place) place[field] = { ...place[field], ...more };
  };
  if (k.commonLabels) label(o, template, k.commonLabels, true, true);
  for (const l of k.labels ?? [])
    label(o, template, l.pairs, l.includeSelectors ?? false, l.includeTemplates ?? l.includeSelectors ?? false);
  if (k.commonAnnotations) {
    onto(o.metadata, 'annotations', k.commonAnnotations);
    if (template) onto((template.metadata ??= {}), 'annotations', k.commonAnnotations);
  }
  for (const r of k.replicas ?? []) if (o.metadata.name === r.name && TEMPLATED.includes(o.kind)) o.spec.replicas = r.count;
  for (const c of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) {
    for (const i of k.images ?? []) c.image = retag(c.image, i);
    for (const f of [...(c.envFrom ?? []), ...(c.env ?? []).map((e: Any) => e.valueFrom ?? {})])
      for (const [ref, kind] of [
        ['configMapRef', 'ConfigMap'],
        ['configMapKeyRef', 'ConfigMap'],
        ['secretRef', 'Secret'],
        ['secretKeyRef', 'Secret'],
      ])
        if (f[ref]?.name) f[ref].name = renamed.get(`${kind}/${f[ref].name}`) ?? f[ref].name;
  }
  for (const v of pod?.volumes ?? []) {
    if (v.configMap) v.configMap.name = renamed.get(`ConfigMap/${v.configMap.name}`) ?? v.configMap.name;
    if (v.secret) v.secret.secretName = renamed.get(`Secret/${v.secret.secretName}`) ?? v.secret.secretName;
  }
}

function setNamespace(cmd: Cmd, o: Any, namespace: string): void {
  const cluster = o.kind === 'Namespace' || resourceOfKind(connect(cmd), o.apiVersion, o.kind)?.namespaced === false;
  if (!cluster) o.metadata = { ...o.metadata, namespace };
  for (const s of o.subjects ?? []) if (s.kind === 'ServiceAccount' && (s.name === 'default' || !s.namespace)) s.namespace = namespace;
}

function label(o: Any, template: Any, pairs: Any, selectors: boolean, templates: boolean): void {
  o.metadata.labels = { ...o.metadata.labels, ...pairs };
  if (template && templates) {
    template.metadata ??= {};
    template.metadata.labels = { ...template.metadata.labels, ...pairs };
  }
  if (!selectors || !o.spec) return;
  if ((o.kind === 'Service' || o.kind === 'ReplicationController') && (o.spec.selector || o.kind === 'Service')) {
    if (o.spec.selector) o.spec.selector = { ...o.spec.selector, ...pairs };
  } else if (TEMPLATED.includes(o.kind) && o.spec.selector?.matchLabels)
    o.spec.selector.matchLabels = { ...o.spec.selector.matchLabels, ...pairs };
  else if (o.kind === 'NetworkPolicy' && o.spec.podSelector)
    o.spec.podSelector.matchLabels = { ...o.spec.podSelector.matchLabels, ...pairs };
}

function retag(image: string, i: Any): string {
  const m = /^(.*?)(?::([^/:@]+))?(?:@(.+))?$/.exec(image);
  if (!m || m[1] !== i.name) return image;
  const name = i.newName ?? m[1];
  if (i.digest) return `${name}@${i.digest}`;
  if (i.newTag !== undefined) return `${name}:${i.newTag}`;
  return name + image.slice(m[1].length);
}

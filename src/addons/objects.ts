// Words that the add-ons' manifests are made of.
import type { KubeObject } from '../apiserver/types.ts';

export type Labels = Record<string, string>;
export type Schema = Record<string, unknown>;

/** [apiGroups, resources, verbs, resourceNames?], each separated by blanks; `""` is the core group. */
export type Rule = [groups: string, resources: string, verbs: string, names?: string];

const words = (text: string): string[] => text.split(' ').map(w => (w === '""' ? '' : w));

const rulesOf = (rules: Rule[]) =>
  rules.map(([apiGroups, resources, verbs, names]) => ({
    apiGroups: words(apiGroups),
    ...(names ? { resourceNames: words(names) } : {}),
    resources: words(resources),
    verbs: words(verbs),
  }));

const meta = (name: string, namespace: string | null, labels: Labels | null) => ({
  ...(labels ? { labels } : {}),
  name,
  ...(namespace ? { namespace } : {}),
});

export const namespaceObject = (name: string, labels: Labels | null = null): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: meta(name, null, labels),
});

export const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | null,
  labels: Labels | null,
  rest: Record<string, unknown>,
): KubeObject => ({ apiVersion, kind, metadata: meta(name, namespace, labels), ...rest });

export const serviceAccount = (name: string, namespace: string, labels: Labels | null): KubeObject =>
  object('v1', 'ServiceAccount', name, namespace, labels, {});

const RBAC = 'rbac.authorization.k8s.io';

/** A Role, or with namespace null a ClusterRole. */
export const role = (name: string, namespace: string | null, labels: Labels | null, rules: Rule[]): KubeObject =>
  object(`${RBAC}/v1`, namespace ? 'Role' : 'ClusterRole', name, namespace, labels, { rules: rulesOf(rules) });

/** Gives a role (`kind/name`) to a service account (`namespace/name`). */
export function binding(name: string, namespace: string | null, labels: Labels | null, to: string, account: string): KubeObject {
  const [kind, roleName] = to.split('/');
  const [accountNamespace, accountName] = account.split('/');
  return object(`${RBAC}/v1`, namespace ? 'RoleBinding' : 'ClusterRoleBinding', name, namespace, labels, {
    roleRef: { apiGroup: RBAC, kind, name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: accountName, namespace: accountNamespace }],
  });
}

export interface Kind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  scope: 'Namespaced' | 'Cluster';
  schema: Schema;
  shortNames?: string[];
  categories?: string[];
  columns?: [name: string, type: string, jsonPath: string][];
  status?: boolean;
  annotations?: Labels;
  labels?: Labels;
  /** Further served versions with the same schema. */
  also?: string[];
}

export function crd(k: Kind): KubeObject {
  const columns = k.columns?.map(([name, type, jsonPath]) => ({ jsonPath, name, type }));
  const version = (name: string, storage: boolean) => ({
    ...(columns ? { additionalPrinterColumns: columns } : {}),
    name,
    schema: { openAPIV3Schema: k.schema },
    served: true,
    storage,
    ...(k.status ? { subresources: { status: {} } } : {}),
  });
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      ...(k.annotations ? { annotations: k.annotations } : {}),
      ...(k.labels ? { labels: k.labels } : {}),
      name: `${k.plural}.${k.group}`,
    },
    spec: {
      group: k.group,
      names: {
        ...(k.categories ? { categories: k.categories } : {}),
        kind: k.kind,
        listKind: `${k.kind}List`,
        plural: k.plural,
        ...(k.shortNames ? { shortNames: k.shortNames } : {}),
        singular: k.kind.toLowerCase(),
      },
      scope: k.scope,
      versions: [version(k.version, true), ...(k.also ?? []).map(name => version(name, false))],
    },
  };
}

// Schemas of custom resources.

export const str = (more: Schema = {}): Schema => ({ type: 'string', ...more });
export const bool = (more: Schema = {}): Schema => ({ type: 'boolean', ...more });
export const int = (more: Schema = {}): Schema => ({ format: 'int32', type: 'integer', ...more });
export const list = (items: Schema, more: Schema = {}): Schema => ({ items, type: 'array', ...more });
export const map = (values: Schema): Schema => ({ additionalProperties: values, type: 'object' });
export const open = (): Schema => ({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
export const struct = (properties: Record<string, Schema>, required: string[] = [], more: Schema = {}): Schema => ({
  properties,
  ...(required.length ? { required } : {}),
  type: 'object',
  ...more,
});

export const root = (spec: Schema, status: Schema = open(), required: string[] = ['spec']): Schema =>
  struct({ apiVersion: str(), kind: str(), metadata: { type: 'object' }, spec, status }, required);

export const labelSelector = (): Schema =>
  struct(
    {
      matchExpressions: list(struct({ key: str(), operator: str(), values: list(str()) }, ['key', 'operator'])),
      matchLabels: map(str()),
    },
    [],
    { 'x-kubernetes-map-type': 'atomic' },
  );

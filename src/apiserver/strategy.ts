// What the generic registry asks a kind for (k8s.io/apiserver/pkg/registry/rest strategies, v0.36.3).

import type { FieldError } from './field.ts';
import type { Manager } from './managed/managers.ts';
import type { ApiRequest, ApiServer, KubeObject, ResourceInfo, Status } from './types.ts';

export interface WriteContext {
  server: ApiServer;
  info: ResourceInfo;
  request: ApiRequest;
  warnings: string[];
  dryRun: boolean;
  /** After the storage write; allocations of a dry run or a failed write are never made. */
  done: (() => void)[];
  /** The spec that was sent or patched had empty lists in it, which the decoded one no longer shows. */
  emptyLists: boolean;
  /** The managers that server-side apply leaves; any other write finds its own. */
  managers: Manager[] | null;
  /** The write came through the object's scale: that is what admission sees. */
  scale?: boolean;
}

/** The empty list or map that a request says at a path, of which decoding leaves nothing; null: it says none. */
export function saidEmpty(c: WriteContext, ...path: string[]): unknown {
  let v: any = c.request.body;
  for (const k of path) v = v?.[k];
  const isEmpty = typeof v === 'object' && v !== null && !Object.keys(v).length;
  return isEmpty ? v : null;
}

/** Every hook gets an object of its own, which it may change; `old` is stored and may not be changed. */
export interface KindStrategy {
  /** Version defaulting: runs on everything that is decoded. */
  defaults?: (o: KubeObject) => void;
  /** Admission that changes objects or refuses them before validation. */
  admit?: (c: WriteContext, o: KubeObject, old: KubeObject | null) => Status | null;
  prepareCreate?: (o: KubeObject, c: WriteContext) => void;
  /** What defaulting makes of a new object when it is read back from storage, which its creator sees too. */
  readBack?: (o: KubeObject) => void;
  prepareUpdate?: (o: KubeObject, old: KubeObject, c: WriteContext) => void;
  /** Including the object's metadata. */
  validate?: (o: KubeObject, c: WriteContext) => FieldError[];
  validateUpdate?: (o: KubeObject, old: KubeObject, c: WriteContext) => FieldError[];
  /** Errors of a name, as `metadata.name` must be. `prefix`: it is a generateName. */
  nameRule?: (name: string, prefix: boolean) => string[];
  /** Allocation, after validation and before the storage write. */
  begin?: (c: WriteContext, o: KubeObject, old: KubeObject | null) => Status | null;
  /** After the object is gone for good. */
  afterDelete?: (server: ApiServer, old: KubeObject) => void;
  /** What a change of must raise metadata.generation; without it the kind has none. */
  generation?: (o: KubeObject) => unknown;
  /** An empty list in the new spec is a change too: the kind compares by reflect.DeepEqual, and storage keeps none. */
  emptyIsChange?: boolean;
  /** `update` without a resourceVersion is refused. */
  conditionalUpdate?: boolean;
  /** A PUT of a name that does not exist creates it. */
  createOnUpdate?: boolean;
  /** Has a status that only /status writes. */
  hasStatus?: boolean;
  prepareStatusUpdate?: (o: KubeObject, old: KubeObject) => void;
  validateStatusUpdate?: (o: KubeObject, old: KubeObject, c: WriteContext) => FieldError[];
  warnings?: (o: KubeObject, old: KubeObject | null) => string[];
  /** Seconds of grace of a deletion; null: at once. `asked`: from the request. */
  grace?: (o: KubeObject, asked: number | undefined) => number | null;
  /** `scale`: where the counts and the selector are. */
  scale?: boolean;
}

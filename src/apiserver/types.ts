// What a client and the apiserver say to each other, and the store's shape.

import type { Pipe } from '../sim/pipe.ts';
import type { Random } from '../sim/random.ts';
import type { Sim } from '../sim/sim.ts';
import type { Co, WaitQueue } from '../sim/task.ts';

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
}

/** Any API object. Objects in the store are never changed in place: an update replaces them. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: any;
  status?: any;
  [field: string]: any;
}

export interface Status {
  apiVersion: 'v1';
  kind: 'Status';
  metadata: Record<string, unknown>;
  status: 'Failure' | 'Success';
  message?: string;
  reason?: string;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
  code?: number;
}

/** meta.k8s.io/v1 Table, what `kubectl get` prints. */
export interface Table {
  apiVersion: 'meta.k8s.io/v1';
  kind: 'Table';
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  columnDefinitions: { name: string; type: string; format: string; description: string; priority: number }[];
  rows: { cells: unknown[]; conditions?: unknown[]; object: KubeObject }[];
}

export interface KubeList {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: KubeObject[];
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface ApiRequest {
  verb: Verb;
  group: string;
  version: string;
  /** Plural, lower case: `pods`. */
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  body?: unknown;
  patchType?: 'strategic' | 'merge' | 'json' | 'apply';
  query?: {
    labelSelector?: string;
    fieldSelector?: string;
    limit?: number;
    continue?: string;
    resourceVersion?: string;
    dryRun?: boolean;
    fieldManager?: string;
    fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
    force?: boolean;
    /** DeleteOptions. */
    gracePeriodSeconds?: number;
    propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
    preconditions?: { uid?: string; resourceVersion?: string };
  };
  /** Ask for a server-printed Table instead of objects. */
  as?: 'object' | 'table';
  /** Without one, and for the cluster's own components, everything is allowed. */
  user?: string;
  /** Besides those that every user of its kind is in. */
  groups?: string[];
}

export interface ApiResponse {
  code: number;
  body: KubeObject | KubeList | Table | Status;
  /** Warning headers, in order. */
  warnings: string[];
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchEvent {
  type: WatchEventType;
  object: KubeObject;
  /** The object before: controllers compare. Undefined on ADDED. */
  old?: KubeObject;
}

/** One resource's rows of the API: what discovery tells, and how the server treats it. Rows are in resources.ts. */
export interface ResourceInfo {
  group: string;
  version: string;
  resource: string;
  kind: string;
  singular: string;
  shortNames: string[];
  namespaced: boolean;
  categories: string[];
  subresources: string[];
  verbs: Verb[];
}

/** All objects of one resource: by `namespace/name` ('/name' when cluster-scoped). */
export interface Bucket {
  objects: Map<string, KubeObject>;
  /** Insertion does not order the map: lists sort by key. `sorted` caches that order until a key comes or goes. */
  sorted: string[] | null;
  /** A view of an earlier moment holds them too: the next change begins with copies. */
  shared: boolean;
}

/** One change to the store, as the session's log keeps it. */
export interface Change {
  /** `resource.group`, `pods` for the core group. */
  bucket: string;
  key: string;
  object: KubeObject | null;
  /** Of a deletion: watches tell it. */
  revision?: number;
}

export interface Store {
  buckets: Map<string, Bucket>;
  /** Fetches a resource's objects when they are first asked for (a session keeps each kind in a file of its own). */
  load: ((bucket: string) => KubeObject[]) | null;
  /** Last resourceVersion given out. */
  revision: number;
  /** Since the session's last commit. */
  changes: Change[];
  watchers: Map<string, Set<(e: WatchEvent) => void>>;
}

/** admission.k8s.io/v1 AdmissionRequest, as far as webhooks here look at it. */
export interface AdmissionReview {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  namespace: string;
  /** What is written; of a DELETE what goes. */
  object: KubeObject;
  /** What an UPDATE or DELETE finds. */
  old: KubeObject | null;
  dryRun: boolean;
}

/** AdmissionResponse; `object`: what its patch makes of the object. */
export interface AdmissionAnswer {
  allowed: boolean;
  object?: KubeObject;
  message?: string;
  code?: number;
  warnings?: string[];
}

export interface WebhookClient {
  service?: { namespace: string; name: string; path?: string; port?: number };
  url?: string;
}

/** -> the answer; `error`: Go's words for why the request failed; null: podnet has no program for who listens there. */
export type WebhookCaller = (
  client: WebhookClient,
  review: AdmissionReview,
  timeoutMs: number,
) => AdmissionAnswer | { error: string } | null;

/** Where a proxied request goes on to. */
export interface ProxyPlace {
  scheme: 'http' | 'https';
  address: string;
  port: number;
  /** As the URL has it, IPv6 in brackets; without a port: `10.244.1.2:80`. */
  host: string;
  /** The server shows its own certificate for kubelets there. */
  kubelet: boolean;
}

/** A message as it goes over the wire, headers in their order. */
export interface ProxiedRequest {
  method: string;
  /** Path and query, escaped. */
  target: string;
  headers: [name: string, value: string][];
  body: Uint8Array;
}

export interface ProxiedReply {
  code: number;
  headers: [name: string, value: string][];
  body: Uint8Array;
}

/** One request on a connection of the API server's own; `error`: Go's words for why there is no answer. The composition sets it. */
export type RoundTripper = (to: ProxyPlace, req: ProxiedRequest) => Co<ProxiedReply | { error: string }>;

/** What the apiserver asks the kubelet for: `pods/exec`, `pods/log` … The composition sets it. */
export interface KubeletProxy {
  exec: (
    pod: KubeObject,
    container: string,
    argv: string[],
    io: { stdin: boolean; tty: boolean; columns?: number; rows?: number },
  ) => ExecSession | Status;
  attach: (pod: KubeObject, container: string, io: { stdin: boolean; tty: boolean }) => ExecSession | Status;
  /** The log so far and, with `follow`, what comes after; closed when the container has ended (or at once without follow). */
  logs: (
    pod: KubeObject,
    container: string,
    o: {
      follow: boolean;
      previous: boolean;
      tailLines?: number;
      sinceSeconds?: number;
      sinceTime?: string;
      timestamps: boolean;
      limitBytes?: number;
      /** Over a connection that is there already: none is made. */
      connected?: boolean;
    },
  ) => Pipe | Status;
  /** Why the kubelet of the pod's node cannot be had; null: it can. port-forward asks before anything is forwarded. */
  reach: (pod: KubeObject) => Status | null;
  /** A connection to a port inside the pod, from its own loopback. */
  portForward: (pod: KubeObject, port: number) => { send: Pipe; receive: Pipe; error: Pipe } | Status;
}

export interface ExecSession {
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  /** null while it runs. */
  exitCode: number | null;
  ended: WaitQueue;
}

export interface ApiServer {
  sim: Sim;
  /** Names, uids and the like: a stream of its own. */
  random: Random;
  store: Store;
  config: {
    serviceCIDRs: string[];
    nodePortRange: [number, number];
    podCIDRs: string[];
    version: string;
    /** What the first object of a kind is warned of: kept and shown, but nothing in this cluster acts on it. */
    notice: (info: ResourceInfo, o: KubeObject) => string | null;
  };
  kubelet: KubeletProxy | null;
  /** Asks an admission webhook; the composition sets it. Without it nobody can be asked, and no webhook is. */
  webhook: WebhookCaller | null;
  /** The way to Services' endpoints, pods and nodes, for the proxy subresources. */
  proxyTransport: RoundTripper | null;
  /** Extra resources: from CustomResourceDefinitions. */
  resources: ResourceInfo[];
}

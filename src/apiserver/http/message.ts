// What an HTTP client and the API server say to each other, before and after it is about resources.
import type { Co } from '../../sim/task.ts';
import type { ApiRequest, ApiServer, KubeObject, ProxiedReply, ResourceInfo } from '../types.ts';

export interface HttpRequest {
  method: string;
  /** With the query. */
  target: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Uint8Array;
  /** The client's address. */
  remote?: string;
}

export interface HttpReply {
  code: number;
  headers: [name: string, value: string][];
  body: string;
}

/** What stands behind the API's port: things that the server itself does not know. */
export interface HttpBackend {
  /** Who presents this bearer token, beside service accounts; null: nobody. */
  userOfToken: (token: string) => string | null;
  fromYaml: (text: string) => { value: unknown } | { error: string };
  toYaml: (value: unknown) => string;
  /** What Go's decoder says of text that is no JSON. */
  jsonError: (text: string) => string;
}

export interface WatchOptions {
  request: ApiRequest;
  info: ResourceInfo;
  shape: Shape;
  /** '' : begin with what there is. */
  resourceVersion: string;
  /** Begin with what there is and mark where it ends (the streaming list of v1.27 and later). */
  sendInitialEvents: boolean;
  allowBookmarks: boolean;
  timeoutSeconds?: number;
}

export interface LogRequest {
  pod: KubeObject;
  container: string;
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  sinceTime?: string;
  limitBytes?: number;
}

/** exec, attach and portforward: the connection becomes something else. */
export interface ConnectRequest {
  subresource: 'exec' | 'attach' | 'portforward';
  pod: KubeObject;
  /** '' for portforward. */
  container: string;
  command: string[];
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
  ports: number[];
}

/** A whole answer, or what the connection is about from now on. */
export type HttpAnswer =
  | { kind: 'reply'; reply: HttpReply }
  | { kind: 'watch'; watch: WatchOptions }
  | { kind: 'log'; log: LogRequest }
  | { kind: 'connect'; connect: ConnectRequest }
  | { kind: 'openapi'; document: OpenApiRequest }
  /** A program of the cluster answers; the composition's machinery must be there (`server.proxyTransport`). */
  | { kind: 'proxy'; proxy: () => Co<ProxiedReply> }
  /** The server's handler panics: the connection ends without an answer. */
  | { kind: 'abort' };

/** `path` of a version 3 document: `apis/apps/v1`; null: the list of them. */
export type OpenApiRequest = { version: 2 } | { version: 3; path: string | null };

/** How objects are to be shown: as they are, as rows of a Table, or their metadata alone; and in which notation. */
export interface Shape {
  as: 'object' | 'table' | 'partial';
  includeObject: 'None' | 'Metadata' | 'Object';
  yaml: boolean;
  pretty: boolean;
}

export interface Exchange {
  server: ApiServer;
  backend: HttpBackend;
  request: HttpRequest;
  path: string;
  query: Query;
  user: string;
  groups: string[];
}

/** Values by name, in order. */
export type Query = Map<string, string[]>;

/** `a=1&a=2` with its escapes undone. */
export function parseQuery(search: string): Query {
  const out: Query = new Map();
  for (const pair of search.split('&').filter(Boolean)) {
    const [name, value] = pair.split(/=(.*)/s).map(x => decodePart((x ?? '').replace(/\+/g, ' ')));
    out.set(name, [...(out.get(name) ?? []), value ?? '']);
  }
  return out;
}

/** A broken escape stands for itself. */
export function decodePart(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

export const first = (q: Query, name: string): string | undefined => q.get(name)?.[0];

/** strconv.ParseBool, as queryparams convert: an absent or odd value is false, an empty one true. */
export const flag = (q: Query, name: string): boolean => ['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(first(q, name) ?? 'false');

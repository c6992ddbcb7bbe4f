// What kubectl needs of its surroundings: the command line gives real files and terminals, the in-simulation shell virtual ones.

import type {
  ApiRequest,
  ApiResponse,
  ApiServer,
  KubeletProxy,
  KubeObject,
  ResourceInfo,
  Status,
  Table,
  WatchEventType,
} from '../apiserver/types.ts';
import type { Pipe } from '../sim/pipe.ts';
import type { Sim } from '../sim/sim.ts';
import type { Co } from '../sim/task.ts';

/** One API server as a client reaches it. */
export interface Connection {
  request: (req: ApiRequest) => ApiResponse;
  /**
   * Events from now on (after `query.resourceVersion` when it is given), filtered by the request's namespace, name and selectors as the
   * real server does: an object that stops matching is DELETED, one that begins to match ADDED. With `as: 'table'` every event carries
   * a Table of one row. -> how to stop
   */
  watch: (req: ApiRequest, onEvent: (type: WatchEventType, object: KubeObject | Table) => void) => (() => void) | Status;
  /** Discovery: every resource served, custom ones included, in the order of group preference. */
  resources: () => ResourceInfo[];
  /** For those who ask by HTTP. */
  server: ApiServer;
  discovery?: DiscoveryCache;
  kubelet: KubeletProxy | null;
  /** `v1.36.3` */
  version: string;
}

/** clientcmd/api/v1.Config, the kubeconfig file. */
export interface Kubeconfig {
  apiVersion: 'v1';
  kind: 'Config';
  preferences?: Record<string, unknown>;
  clusters: { name: string; cluster: Record<string, any> }[];
  users: { name: string; user: Record<string, any> }[];
  contexts: { name: string; context: { cluster?: string; user?: string; namespace?: string } }[];
  'current-context': string;
}

export type FileError = 'ENOENT' | 'EACCES' | 'EISDIR' | 'ENOTDIR' | 'EEXIST' | 'EIO';

export interface FileInfo {
  directory: boolean;
  mode: number;
  size: number;
  mtimeMs: number;
  /** Target of a symbolic link. */
  link?: string;
}

/** One accepted connection of `port-forward`. */
export interface HostConnection {
  /** From the client; closed when it has said all. */
  receive: Pipe;
  /** To the client. */
  send: Pipe;
  /** Source port of the client. */
  port: number;
}

/** What `kubectl proxy` looks at. */
export interface ProxyRequest {
  method: string;
  /** With the query. */
  target: string;
  /** The Host header. */
  host: string;
}

/** Where the request goes on the server; a file of the user's (`path` is decoded, `query` goes with redirects); or what is answered. */
export type ProxyVerdict =
  | { target: string }
  | { folder: string; path: string; query: string }
  | { status: number; headers: [name: string, value: string][]; body: string };

/** What kubectl remembers of a cluster between two commands: the resources that came with CustomResourceDefinitions when it last asked. */
export interface DiscoveryCache {
  load: () => ResourceInfo[] | undefined;
  save: (resources: ResourceInfo[]) => void;
}

export interface ClientEntry {
  name: string;
  server: string;
  cluster?: Record<string, any>;
  user?: Record<string, any>;
}

export interface KubectlHost {
  sim: Sim;
  /** An error in a manifest is followed by its place, FILE:LINE:COLUMN: podnet's own way, not kubectl's. */
  places?: boolean;
  /** Another program that takes kubectl's commands beside its own; without one it is kubectl. */
  program?: { name: string; commands: string[] };
  /**
   * The API server that a kubeconfig's cluster entry stands for (`name` '': whichever has that address); null: nothing answers there, or
   * what net/http says of why not. `cluster` and `user` are the entries in force.
   */
  connect: (cluster: ClientEntry) => Connection | { unreached: string } | null;
  /** podnet's own kubeconfig; `--kubeconfig FILE` is read through readFile instead. */
  kubeconfig: { path: string; load: () => Kubeconfig; save: (config: Kubeconfig) => void };
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Paths are as the user typed them: relative ones from `cwd`. */
  readFile: (path: string) => Uint8Array | FileError;
  writeFile: (path: string, data: Uint8Array, mode?: number) => FileError | null;
  makeDir: (path: string) => FileError | null;
  removeFile: (path: string) => FileError | null;
  stat: (path: string) => FileInfo | FileError;
  /** The text at a URL; null: nothing can be got from there. */
  fetchUrl?: (url: string) => string | null;
  /** Names, sorted. */
  listDir: (path: string) => string[] | FileError;
  /** Size of the terminal, when stdout is one. */
  terminalSize?: () => { columns: number; rows: number };
  /** Take key presses as they come, for `exec -it`. */
  rawTerminal?: (on: boolean) => void;
  /** Run a program of the user's (an editor) on the user's terminal. -> its exit code, or why it could not start */
  runProgram?: (argv: string[]) => Co<number | string>;
  /**
   * Serve the API of a kubeconfig's cluster entry by plain HTTP, for `proxy`; what `admit` answers itself is never asked. -> where it
   * listens (`127.0.0.1:8001`, or the socket's path), or why it does not
   */
  serveApi?: (
    where: { address: string; port: number } | { socket: string },
    cluster: { name: string; server: string },
    admit: (request: ProxyRequest) => ProxyVerdict,
  ) => Co<{ at: string; close: () => void } | string>;
  /** Listen on the user's machine, for `port-forward`. -> the port that was given, or why not: `bind: address already in use` */
  listen?: (
    address: string,
    port: number,
    onConnection: (connection: HostConnection) => void,
  ) => Co<{ port: number; close: () => void } | string>;
}

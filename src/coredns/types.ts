// CoreDNS 1.14.2: one process, server blocks, in each a chain of plugins in the order of plugins.ts.
import type { ApiServer } from '../apiserver/types.ts';
import type { Process } from '../linux/types.ts';
import type { Co } from '../sim/task.ts';
import type { DnsMessage, DnsRecord } from '../wire/dns.ts';
import type { Ip } from '../wire/ip.ts';
import type { Directive, ServerBlock } from './corefile.ts';
import type { Metrics } from './metrics.ts';
import type { Options } from './plugins/kubernetes-setup.ts';

/** One query on its way through the chain (coredns/request.Request). */
export interface Request {
  query: DnsMessage;
  /**
   * The message as it has been made by now. Upstream hands one message along, which rewrite changes: whoever looks at it on the way back (log,
   * errors, metrics) sees it changed. Plugins that work on a copy begin another one.
   */
  message: { query: DnsMessage };
  /** Lower case, absolute. `query.questions[0].name` keeps the client's spelling. */
  name: string;
  type: string;
  client: Ip;
  clientPort: number;
  local: Ip;
  localPort: number;
  proto: 'udp' | 'tcp';
  /** When it came, for durations. */
  startedAtMs: number;
  /** What plugins leave for those behind or before them (metadata), by `plugin/label`. */
  notes: Map<string, string>;
  /** Where it came in, as metrics name servers: `dns://:53`. */
  server: string;
  /** The server block's zone and view that took the query. */
  zone?: string;
  view?: string;
}

/** null: nobody answered: the server says SERVFAIL or REFUSED. An Error is for the errors plugin. */
export type Outcome = { reply: DnsMessage | null; error?: string; rcode?: DnsMessage['rcode']; drop?: boolean };
export type Next = (r: Request) => Co<Outcome>;
export type Handler = (r: Request, next: Next) => Co<Outcome>;

/** A plugin of upstream's falls over here: the server recovers, past all plugins. The message is Go's. */
export class Panic extends Error {}

export interface Block {
  /** What it serves, and where. */
  keys: { transport: Transport; zone: string; port: number }[];
  /** Those of the keys. */
  zones: string[];
  /** The first key's. */
  port: number;
  /** Addresses that `bind` names; none: all of the host. */
  listen: Ip[];
  /** Takes only some of the queries for its zones. */
  view?: { name: string; takes: (r: Request) => boolean };
  /** Answers class CH as well. */
  chaos?: boolean;
  directives: Directive[];
  chain: { name: string; handle: Handler }[];
  instance: Instance;
  /** What the block's kubernetes plugin was told, for the plugins that ask it (autopath, k8s_external). */
  kubernetes?: Options;
  /** Whole zones, SOA first and last, for the transfer plugin; null: not this plugin's zone. */
  transferers?: ((zone: string) => DnsRecord[] | null)[];
  /** Where the block forwards to, for the loop plugin. */
  upstreams?: Ip[];
}

export type Transport = 'dns' | 'tls' | 'quic' | 'grpc' | 'https' | 'https3';

export interface Instance {
  p: Process;
  server: ApiServer;
  corefilePath: string;
  corefile: string;
  blocks: Block[];
  /** Run after all blocks are set up, before queries are taken; a coroutine may serve a port until the instance stops. */
  starts: (() => Co<void>)[];
  /** Printed between the servers' addresses and the version. */
  banners: (() => string)[];
  stops: (() => void)[];
  /** What is done, one after the other, when the process is told to end, while it serves on. */
  finals: (() => Co<void>)[];
  /** When something will be said although nobody asks. */
  dues: (() => number[])[];
  /** Run before metrics are shown. */
  gathers: (() => void)[];
  /** Addresses of HTTP endpoints: plugins of several blocks share one. */
  endpoints: Set<string>;
  /** Names of plugins that are not ready yet. */
  unready: Set<string>;
  /** EDNS0 options that the Corefile made known: they are sent back as they came. */
  ednsOptions: Set<number>;
  /** The Corefile's words, of which reload makes its checksum. */
  serverBlocks: ServerBlock[];
  /** Only the syntax of a Corefile. -> its server blocks, or what is wrong with them */
  parse: (corefile: string) => ServerBlock[] | string;
  /** The Corefile has changed: set by the process, called by reload. -> what was wrong with it, null: it serves */
  changed?: () => string | null;
  metrics: Metrics;
  /** What plugins know that a later command has to know too, by their place in the Corefile. */
  keeps: Map<string, () => unknown>;
  /** What they knew when an earlier command left this process. */
  kept: Record<string, unknown>;
  log: (level: 'INFO' | 'WARNING' | 'ERROR' | 'FATAL', text: string) => void;
  stopped: boolean;
  /** Prints a `[FATAL]` line and ends the process with 1. */
  fatal: (text: string) => void;
  /** A query of a plugin's own, through the server that the client's came to. */
  resolve: (r: Request) => Co<Outcome>;
}

export interface Setup {
  block: Block;
  instance: Instance;
  directive: Directive;
  /** Every use of this directive in the block: plugins that take several lines are set up once with all of them. */
  all: Directive[];
  /** Plain JSON that this use of the plugin wants back in the next command. -> what it had in the last one; undefined: the process is new */
  keep: (save: () => unknown) => unknown;
}

/** A mistake in the Corefile; the text as CoreDNS prints it behind `FILE:LINE - `. */
export class CorefileError extends Error {
  line: number;
  /** An imported file; the Corefile without it. */
  file?: string;
  constructor(line: number, message: string, file?: string) {
    super(message);
    this.line = line;
    this.file = file;
  }
}

/** A mistake that upstream reports without its place: `plugin/NAME: …` and no more. */
export const plainError = (message: string): CorefileError => new CorefileError(0, message);

/** caddy's Dispenser.ArgErr: names the last word that was read. */
export const argumentError = (d: Directive): CorefileError =>
  new CorefileError(d.line, `Wrong argument count or unexpected line ending after '${d.args[d.args.length - 1] ?? d.name}'`);

export const ONCE = 'this plugin can only be used once per Server Block';

export interface Plugin {
  name: string;
  /** Each line of its own is a link of the chain (forward), instead of the first alone. */
  many?: boolean;
  /** null: the plugin takes no part in answering. */
  setup: (s: Setup) => Handler | null;
}

// What the proxy needs to know: plain data, made from API objects by translate.ts, read by serve.ts.

import type { Certificate } from '../../userland/tls.ts';
import type { Cidr } from '../../wire/ip.ts';

/** Whom auth-url asks. */
export interface ExternalAuth {
  url: string;
  method: string;
  /** Where whoever is not known is sent. */
  signin: string | null;
  /** Headers of the answer that the request takes along. */
  responseHeaders: string[];
}

/** NAMESPACE-SERVICE-PORT and the addresses behind it: IPs, or a name to be resolved. */
export interface Upstream {
  name: string;
  endpoints: { host: string; port: number }[];
  hashBy?: string;
}

export interface Canary {
  upstream: Upstream;
  /** Of `weightTotal`. */
  weight: number;
  weightTotal: number;
  header?: string;
  headerValue?: string;
  headerPattern?: RegExp;
  cookie?: string;
}

export interface Cors {
  origins: string[];
  methods: string;
  headers: string;
  credentials: boolean;
  maxAge: string;
  expose: string;
}

/** A location's annotations, read. */
export interface Options {
  rewriteTarget: string | null;
  appRoot: string | null;
  sslRedirect: boolean;
  forceSslRedirect: boolean;
  redirect: { code: number; to: string } | null;
  secureUpstream: boolean;
  auth: { realm: string; users: Map<string, string> } | { missing: true } | null;
  externalAuth: ExternalAuth | null;
  allow: Cidr[];
  deny: Cidr[];
  cors: Cors | null;
  /** Requests a second with a burst, by client address. */
  limit: { perSecond: number; burst: number } | null;
  affinity: { cookie: string } | null;
  upstreamVhost: string | null;
  forwardedPrefix: string | null;
  connectMs: number;
  readMs: number;
  bodyBytes: number;
  customErrors: Set<number>;
  tries: number;
}

export interface Location {
  path: string;
  type: 'Exact' | 'Prefix' | 'ImplementationSpecific';
  /** Locations of a host with regular expressions: matched from the start, whatever the case. */
  regex: RegExp | null;
  upstream: Upstream | null;
  options: Options;
  canaries: Canary[];
  /** namespace/name of the Ingress. */
  ingress: string;
}

export interface Server {
  /** '_': whatever no other has. */
  host: string;
  aliases: string[];
  certificate: Certificate | null;
  /** In the order of matching. */
  locations: Location[];
}

export interface Config {
  servers: Server[];
  /** --default-backend-service, or what an Ingress without rules gives. null: the built-in 404. */
  defaultUpstream: Upstream | null;
  hsts: boolean;
  /** use-http2: offered to clients that come with TLS. */
  http2: boolean;
}

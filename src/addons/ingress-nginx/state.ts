// What the running proxy remembers.
import type { Process } from '../../linux/types.ts';
import { header } from '../../userland/http.ts';
import type { Served } from '../../userland/http-server.ts';
import type { Config } from './config.ts';

export interface IngressProxy {
  p: Process;
  config: Config;
  /** Whose turn it is, by upstream. */
  turns: Map<string, number>;
  /** Tokens left by location and client, for limit-rps. */
  buckets: Map<string, { level: number; atMs: number }>;
  requests: number;
}

export const newProxy = (p: Process, config: Config): IngressProxy => ({ p, config, turns: new Map(), buckets: new Map(), requests: 0 });

/** What the access log has beside the answer. */
export interface Trip {
  upstream: string;
  alternative: string;
  address: string;
  length: string;
  seconds: string;
  status: string;
  id: string;
}

export const cookieOf = (req: Served, name: string): string | undefined =>
  (header(req.headers, 'Cookie') ?? '')
    .split(/;\s*/)
    .find(c => c.startsWith(`${name}=`))
    ?.slice(name.length + 1);

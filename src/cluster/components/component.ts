// What the components of the control plane have in common: they read their flags and files, and end at once, with their own words, when
// those are wrong (k8s.io/component-base/cli/run.go v0.36.3).

import { complain } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { lookup, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import { klogTime } from '../host/time-text.ts';
import { parseFlags } from './flags.ts';

/** A mistake that ends a component before it serves: what it says last, and its exit code. */
export interface Refusal {
  text: string;
  code: number;
}

export const refusal = (text: string, code = 1): Refusal => ({ text, code });

export const klogLine = (p: Process, level: 'I' | 'W' | 'E' | 'F', source: string, text: string): string =>
  `${level}${klogTime(p.kernel.sim.nowMs)}       1 ${source}] ${text}\n`;

/** cli.Run: what it says of an error once logging has been set up. */
export const commandFailed = (p: Process, err: string): Refusal =>
  refusal(klogLine(p, 'E', 'run.go:72', `"command failed" err=${goQuote(err)}`));

/** The flags of a component of Kubernetes, or what it says of one that it does not know. */
export function flagsOf(component: string, p: Process): Map<string, string> | Refusal {
  const { flags, unknown, stray } = parseFlags(component, p.argv.slice(1));
  if (unknown !== null) return refusal(`Error: unknown flag: --${unknown}\n`);
  if (stray !== null) {
    return refusal(`Error: "${component}" does not take any arguments, got ${JSON.stringify(p.argv.slice(1)).replaceAll('","', '" "')}\n`);
  }
  const port = flags.get('secure-port');
  if (port !== undefined && !/^\d+$/.test(port)) {
    return refusal(
      `Error: invalid argument ${goQuote(port)} for "--secure-port" flag: strconv.ParseInt: parsing ${goQuote(port)}: invalid syntax\n`,
    );
  }
  return flags;
}

export const isRefusal = (x: object): x is Refusal => 'text' in x && 'code' in x;

/** Go's error for a file that cannot be read; null: it can. */
export function openError(p: Process, path: string): string | null {
  // Opened, not read: what certificates say is made when somebody reads it.
  const node = lookup(p.fs, path);
  if (typeof node !== 'string' && node.kind !== 'dir') return null;
  return typeof node !== 'string' ? `read ${path}: is a directory` : `open ${path}: no such file or directory`;
}

export function textOf(p: Process, path: string): string {
  const data = readFile(p.fs, path);
  return typeof data === 'string' ? '' : bytesToString(data);
}

/** The files behind these flags, in this order: the first that is not there. `say` words it. */
export function missingFile(p: Process, flags: Map<string, string>, names: string[], say = (error: string) => error): Refusal | null {
  for (const name of names) {
    const path = flags.get(name);
    const error = path ? openError(p, path) : null;
    if (error) return commandFailed(p, say(error));
  }
  return null;
}

export function refuse(p: Process, r: Refusal): number {
  complain(p, r.text);
  return r.code;
}

/** Host and port of a URL; null: it is none. */
export function endpointOf(url: string): { host: string; port: number } | null {
  const m = /^https?:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(url.trim());
  return m ? { host: m[1].replace(/^\[|\]$/g, ''), port: Number(m[2] ?? 443) } : null;
}

// How a verb fails, and what kubectl prints then (k8s.io/kubectl v0.36.3, pkg/cmd/util/helpers.go: checkErr).

import type { KubeObject, Status } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import type { Info } from './builder.ts';

/** Thrown by verbs; `run` in main.ts is the one place that prints them. */
export interface Failure {
  kubectlFailure: true;
  message: string;
  /** An API error; `message` is its own, perhaps with a prefix. */
  status?: Status;
  /** Several errors. */
  errors?: Failure[];
  /** Printed as it is, without `error: `. */
  plain?: boolean;
  /** The manifest that it is about. */
  manifest?: Manifest;
  /** No server answers: what net/http says of it, without the request. */
  unreachable?: { url: string; why: string };
  code: number;
}

export interface Manifest {
  /** The file, as the user named it; '' = none. */
  source: string;
  text?: string;
  /** The object in it; null: the text as such is wrong. */
  object: KubeObject | null;
}

export const failure = (message: string): Failure => ({ kubectlFailure: true, message, code: 1 });

export const statusFailure = (status: Status): Failure => ({ kubectlFailure: true, message: status.message ?? '', status, code: 1 });

/** Ends the command with this code, after printing `message` as it is. */
export const exitFailure = (code: number, message = ''): Failure => ({ kubectlFailure: true, message, plain: true, code });

export function fail(message: string): never {
  throw failure(message);
}

export const isFailure = (e: unknown): e is Failure => typeof e === 'object' && e !== null && 'kubectlFailure' in e;

/** apimachinery's Aggregate: null of none, the error itself of one. */
export function aggregate(errors: Failure[]): Failure | null {
  const flat = errors.flatMap(e => e.errors ?? [e]);
  if (!flat.length) return null;
  if (flat.length === 1) return flat[0];
  const messages = [...new Set(flat.map(e => e.message))];
  return {
    kubectlFailure: true,
    message: messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`,
    errors: flat,
    code: 1,
  };
}

/** utilerrors.NewAggregate as checkErr sees it: even one error is printed without `error: ` then. */
export function throwAll(errors: Failure[]): void {
  const flat = errors.flatMap(e => e.errors ?? [e]);
  if (flat.length) throw { kubectlFailure: true, message: flat.map(e => e.message).join(', '), errors: flat, code: 1 } satisfies Failure;
}

export const isNotFound = (f: Failure): boolean => f.status?.reason === 'NotFound';

type ManifestInfo = Pick<Info, 'source' | 'text' | 'object'>;

/** cmdutil.AddSourceToErr */
export function withSource(verb: string, of: ManifestInfo, f: Failure): Failure {
  if (!of.source) return f;
  const message = `error when ${verb} ${goQuote(of.source)}: ${f.message}`;
  const manifest = { source: of.source, text: of.text, object: of.object as KubeObject };
  return f.status ? { ...f, message, manifest, status: { ...f.status, message } } : { ...f, message, manifest };
}

/** pkg/errors.Wrap and fmt's %w: an API error inside is no API error any more for checkErr. */
export const wrapped = (prefix: string, f: Failure): Failure => failure(`${prefix}: ${f.message}`);

/** cmdutil.StandardErrorMessage, or the error's own text. */
function standardMessage(f: Failure): { text: string; standard: boolean } {
  if (!f.status) return { text: f.message, standard: f.plain ?? false };
  if (f.status.reason === 'Unauthorized') return { text: `error: You must be logged in to the server (${f.message})`, standard: true };
  const reason = f.status.reason ? ` (${f.status.reason})` : '';
  return { text: `Error from server${reason}: ${f.message}`, standard: true };
}

/** What is printed on stderr, with its newline. */
export function errorText(f: Failure): string {
  if (f.errors) return f.errors.map(e => `${standardMessage(e).text}\n`).join('');
  let text: string;
  if (f.status?.reason === 'Invalid') text = invalidText(f.status);
  else {
    const m = standardMessage(f);
    text = m.standard || m.text.startsWith('error: ') ? m.text : `error: ${m.text}`;
  }
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function invalidText(status: Status): string {
  const d = status.details;
  if (!d) return `The request is invalid${status.message ? `: ${status.message}` : ''}`;
  const causes = d.causes ?? [];
  let s = 'The request is invalid';
  if (d.kind || d.name) s = `The ${d.kind ?? ''} ${goQuote(d.name ?? '')} is invalid`;
  else if (status.message && !causes.length) s += `: ${status.message}`;
  if (!causes.length) return s;
  const messages = [...new Set(causes.map(c => `${c.field ?? ''}: ${c.message ?? ''}`))];
  if (messages.length === 1) return `${s}: ${messages[0]}\n`;
  return `${s}: \n${messages.map(m => `* ${m}\n`).join('')}`;
}

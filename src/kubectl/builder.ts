// From words and files to objects (k8s.io/cli-runtime v0.36.3, pkg/resource/builder.go and visitor.go).

import { matchRequirements, parseSelector } from '../apiserver/labels.ts';
import type { KubeList, KubeObject, ResourceInfo, Status, Table } from '../apiserver/types.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import { type Cmd, connect, requestRaw } from './command.ts';
import { aggregate, type Failure, fail, failure, isFailure, isNotFound, statusFailure } from './failure.ts';
import { fileSources, readStdin, type Source } from './files.ts';
import { lazy } from './lazy.ts';
import { mappingFor } from './mapping.ts';
import { bare, flatten, objectInfo, setNamespace } from './object-infos.ts';
import { readArgs, type Tuple } from './resource-args.ts';

export interface Info {
  /** Undefined only in local mode. */
  mapping: ResourceInfo;
  namespace: string;
  name: string;
  /** The file it came from; '' = the command line. */
  source: string;
  /** What that file holds. */
  text?: string;
  object: KubeObject | KubeList | Table | null;
  subresource: string;
}

export interface BuildOptions {
  args?: string[];
  /** A type alone stands for all objects of it. */
  allowEmptySelector?: boolean;
  filenames?: string[];
  kustomize?: string;
  recursive?: boolean;
  namespace?: string;
  enforceNamespace?: boolean;
  allNamespaces?: boolean;
  labelSelector?: string;
  fieldSelector?: string;
  all?: boolean;
  /** Ask the server for what a file names. */
  latest?: boolean;
  flatten?: boolean;
  continueOnError?: boolean;
  /** No server: objects as the files have them. */
  local?: boolean;
  singleResourceType?: boolean;
  subresource?: string;
  as?: 'object' | 'table';
  /** Do not fetch objects named on the command line. */
  lazyObjects?: boolean;
  /** Type of names without one (exec, logs). */
  defaultType?: string;
  /** false: `--validate=false`. */
  checkKind?: boolean;
  ignoreNotFound?: boolean;
}

export interface Result {
  error: Failure | null;
  singleItemImplied: boolean;
  targetsSingleItems: boolean;
  /** Calls `fn` for each object; thrown failures are collected when errors do not stop the visit. -> what went wrong */
  visit: (fn: (info: Info) => void) => Failure | null;
}

const MISSING = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

export function* build(cmd: Cmd, o: BuildOptions): Co<Result> {
  const bad = (error: Failure): Result => ({ error, singleItemImplied: false, targetsSingleItems: false, visit: () => error });
  try {
    const sources = yield* collectSources(cmd, o);
    return plan(cmd, o, sources);
  } catch (e) {
    if (isFailure(e)) return bad(e);
    throw e;
  }
}

function* collectSources(cmd: Cmd, o: BuildOptions): Co<Source[]> {
  const errors: Failure[] = [];
  const sources: Source[] = [];
  let stdin = false;
  if (o.filenames?.length && o.kustomize) fail('only one of -f or -k can be specified');
  for (const name of o.filenames ?? []) {
    if (name === '-') {
      if (stdin) errors.push(failure('standard input cannot be used for multiple arguments'));
      stdin = true;
      sources.push({ name: 'STDIN', text: yield* readStdin(cmd) });
      continue;
    }
    try {
      sources.push(...fileSources(cmd, name, o.recursive ?? false));
    } catch (e) {
      if (!isFailure(e)) throw e;
      errors.push(e);
    }
  }
  if (o.kustomize) sources.push({ name: o.kustomize, kustomize: true });
  const error = aggregate(errors);
  if (error) throw error;
  return sources;
}

function plan(cmd: Cmd, o: BuildOptions, sources: Source[]): Result {
  if ((o.labelSelector || o.fieldSelector) && o.all)
    fail(
      o.labelSelector
        ? `found non-empty label selector ${goQuote(o.labelSelector)} with previously set 'all' parameter. `
        : `found non-empty field selector ${goQuote(o.fieldSelector ?? '')} with previously set 'all' parameter. `,
    );
  const words = readArgs(cmd, o);
  const selecting = o.all || o.labelSelector || o.fieldSelector || (words.types.length > 0 && !words.names.length && o.allowEmptySelector);
  if (sources.length) {
    if (words.types.length && !words.names.length && !words.tuples.length)
      fail('when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well');
    if (words.names.length) fail('when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well');
    if (words.tuples.length) fail('resource/name arguments cannot be provided when a path is specified');
    return fromSources(cmd, o, sources);
  }
  if (selecting) return fromSelector(cmd, o, words);
  if (words.tuples.length) return fromTuples(cmd, o, words);
  if (words.names.length)
    return fromTuples(cmd, o, { ...words, types: [], tuples: words.names.map(name => ({ resource: words.types[0], name })) }, words.types);
  if (words.types.length) {
    for (const t of words.types) mappingFor(connect(cmd), t);
    fail('resource(s) were provided, but no name was specified');
  }
  return fail(MISSING);
}

/** Runs the visit with the options' error rules. */
function visitor(o: BuildOptions, produce: (emit: (info: Info) => void, error: (f: Failure) => void) => void): Result['visit'] {
  return fn => {
    const errors: Failure[] = [];
    const stop = { stop: true };
    const note = (f: Failure): void => {
      if (o.ignoreNotFound && isNotFound(f)) return;
      errors.push(f);
      if (!o.continueOnError) throw stop;
    };
    try {
      produce(info => {
        try {
          fn(info);
        } catch (e) {
          if (!isFailure(e)) throw e;
          note(e);
        }
      }, note);
    } catch (e) {
      if (e !== stop) {
        if (!isFailure(e)) throw e;
        errors.push(e);
      }
    }
    return aggregate(errors);
  };
}

const gvr = (r: ResourceInfo) => `${r.group}/${r.version}, Resource=${r.resource}`;

/** Fetch an object; a Table when the options ask for one. */
export function fetchInfo(cmd: Cmd, info: Info, as: 'object' | 'table' = 'object'): void {
  checkName(info.name);
  const response = requestRaw(cmd, {
    verb: 'get',
    group: info.mapping.group,
    version: info.mapping.version,
    resource: info.mapping.resource,
    subresource: info.subresource || undefined,
    namespace: info.namespace || undefined,
    name: info.name,
    as,
  });
  if (response.code >= 400) {
    if (response.code === 404 && info.namespace && info.namespace !== 'default') {
      const ns = requestRaw(cmd, { verb: 'get', group: '', version: 'v1', resource: 'namespaces', name: info.namespace });
      if (ns.code === 404) throw statusFailure(ns.body as Status);
    }
    throw statusFailure(response.body as Status);
  }
  info.object = response.body as KubeObject;
}

/** rest.IsValidPathSegmentName */
export function checkName(name: string, what = 'resource name'): void {
  if (!name) fail('resource name may not be empty');
  if (name === '.' || name === '..') fail(`invalid ${what} ${goQuote(name)}: [may not be '${name}']`);
  const bad = ['/', '%'].filter(c => name.includes(c)).map(c => `may not contain '${c}'`);
  if (bad.length) fail(`invalid ${what} ${goQuote(name)}: [${bad.join(' ')}]`);
}

function fromSelector(cmd: Cmd, o: BuildOptions, words: { types: string[]; names: string[]; tuples: Tuple[] }): Result {
  if (words.names.length) fail('name cannot be provided when a selector is specified');
  if (words.tuples.length) fail('selectors and the all flag cannot be used when passing resource/name arguments');
  if (!words.types.length) fail('at least one resource must be specified to use a selector');
  if (o.subresource) fail('subresource cannot be used when bulk resources are specified');
  if (words.types.length > 1 && o.singleResourceType) fail('you may only specify a single resource type');
  const mappings: ResourceInfo[] = [];
  for (const t of words.types) {
    const m = mappingFor(connect(cmd), t);
    if (!mappings.includes(m)) mappings.push(m);
  }
  const query = { labelSelector: o.labelSelector || undefined, fieldSelector: o.fieldSelector || undefined };
  return {
    error: null,
    singleItemImplied: false,
    targetsSingleItems: false,
    visit: visitor(o, (emit, error) => {
      for (const mapping of mappings) {
        const namespace = mapping.namespaced && !o.allNamespaces ? (o.namespace ?? cmd.namespace) : '';
        const response = requestRaw(cmd, {
          verb: 'list',
          group: mapping.group,
          version: mapping.version,
          resource: mapping.resource,
          namespace: namespace || undefined,
          query,
          as: o.as ?? 'object',
        });
        if (response.code >= 400) {
          error(listFailure(response.body as Status, mapping, o));
          continue;
        }
        const info: Info = { mapping, namespace, name: '', source: '', object: response.body as KubeList, subresource: '' };
        if (o.flatten && response.body.kind !== 'Table') for (const item of flatten(cmd, o, info)) emit(item);
        else emit(info);
      }
    }),
  };
}

/** resource.Selector.Visit */
function listFailure(status: Status, mapping: ResourceInfo, o: BuildOptions): Failure {
  if (status.reason !== 'BadRequest' && status.reason !== 'NotFound') return statusFailure(status);
  const message =
    !o.labelSelector && !o.fieldSelector
      ? `Unable to list ${goQuote(gvr(mapping))}: ${status.message}`
      : `Unable to find ${goQuote(gvr(mapping))} that match label selector ${goQuote(o.labelSelector ?? '')}, field selector ${goQuote(o.fieldSelector ?? '')}: ${status.message}`;
  return statusFailure({ ...status, message });
}

function fromTuples(cmd: Cmd, o: BuildOptions, words: { types: string[]; tuples: Tuple[] }, types: string[] = words.types): Result {
  if (words.types.length) fail('you may not specify individual resources and bulk resources in the same call');
  if (types.length > 1) fail('you must specify only one resource');
  const mappings = new Map<string, ResourceInfo>();
  for (const t of words.tuples) if (!mappings.has(t.resource)) mappings.set(t.resource, mappingFor(connect(cmd), t.resource));
  if (o.singleResourceType && new Set(mappings.values()).size > 1) fail('you may only specify a single resource type');
  const infos = words.tuples.map((t): Info => {
    const mapping = mappings.get(t.resource) as ResourceInfo;
    if (mapping.namespaced && o.allNamespaces) fail('a resource cannot be retrieved by name across all namespaces');
    const namespace = mapping.namespaced ? (o.namespace ?? cmd.namespace) : '';
    return { mapping, namespace, name: t.name, source: '', object: null, subresource: o.subresource ?? '' };
  });
  return {
    error: null,
    singleItemImplied: infos.length === 1,
    targetsSingleItems: true,
    visit: visitor(o, (emit, error) => {
      for (const info of infos) {
        try {
          if (!o.lazyObjects) fetchInfo(cmd, info, o.as);
        } catch (e) {
          if (!isFailure(e)) throw e;
          error(e);
          continue;
        }
        if (o.flatten && info.object && Array.isArray((info.object as KubeList).items) && info.object.kind !== 'Table')
          for (const item of flatten(cmd, o, info)) emit(item);
        else emit(info);
      }
    }),
  };
}

function fromSources(cmd: Cmd, o: BuildOptions, sources: Source[]): Result {
  const stream = sources.some(s => s.name === 'STDIN');
  const requirements = o.labelSelector ? parseSelector(o.labelSelector) : null;
  if (typeof requirements === 'string') fail(`the provided selector ${goQuote(o.labelSelector ?? '')} is not valid: ${requirements}`);
  return {
    error: null,
    singleItemImplied: !stream && sources.length === 1,
    targetsSingleItems: true,
    visit: visitor(o, (emit, error) => {
      // EagerVisitorList gives its own errors when all is done, behind those of what was done with the objects.
      const late: Failure[] = [];
      const unread = (f: Failure) => (o.continueOnError ? void late.push(f) : error(f));
      for (const source of sources) {
        const about = (f: Failure, object: KubeObject | null): Failure => ({
          ...f,
          manifest: { source: source.name, text: source.text, object },
        });
        for (const object of sourceObjects(cmd, source, o)) {
          if (isFailure(object)) {
            unread(about(object, null));
            continue;
          }
          try {
            const isList = Array.isArray((object as KubeObject & { items?: unknown }).items) && object.kind.endsWith('List');
            const infos = isList ? flatten(cmd, o, bare(object, source), error) : [objectInfo(cmd, o, object, source)];
            for (const info of infos) {
              try {
                setNamespace(cmd, o, info);
                if (Array.isArray(requirements) && !matchRequirements(requirements, (info.object as KubeObject).metadata?.labels)) continue;
                if (o.latest) fetchInfo(cmd, info, o.as);
              } catch (e) {
                if (!isFailure(e)) throw e;
                error(about(e, info.object as KubeObject));
                continue;
              }
              emit(info);
            }
          } catch (e) {
            if (!isFailure(e)) throw e;
            unread(about(e, object));
          }
        }
      }
      for (const f of late) error(f);
    }),
  };
}

function* sourceObjects(cmd: Cmd, source: Source, o: BuildOptions): Generator<KubeObject | Failure> {
  if (source.kustomize) {
    try {
      yield* lazy('kustomize').kustomizeObjects(cmd, source.name);
    } catch (e) {
      if (!isFailure(e)) throw e;
      yield e;
    }
    return;
  }
  if (source.error) {
    yield source.error;
    return;
  }
  yield* lazy('manifest').manifestObjects(source.text ?? '', source.name, o.checkKind ?? false);
}

/** Result.Infos: everything that could be had, and what went wrong. */
export function infosOf(result: Result): { infos: Info[]; error: Failure | null } {
  if (result.error) return { infos: [], error: result.error };
  const infos: Info[] = [];
  const error = result.visit(info => void infos.push(info));
  return { infos, error };
}

/** Result.Object of one named object. */
export function oneInfo(result: Result): Info {
  const { infos, error } = infosOf(result);
  if (error) throw error;
  return infos[0];
}

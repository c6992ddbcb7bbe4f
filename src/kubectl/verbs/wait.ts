// kubectl wait (k8s.io/kubectl v0.36.3, pkg/cmd/wait).

import type { KubeObject } from '../../apiserver/types.ts';
import { sprint } from '../../sim/go-print.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep, waitOn, wakeAll } from '../../sim/task.ts';
import { type BuildOptions, build, fetchInfo, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, duration, flag, isStatus, list } from '../command.ts';
import { fail, failure, isFailure, isNotFound } from '../failure.ts';
import { isJsonPathError, RELAXED_ERROR, relaxed } from '../jsonpath.ts';
import { lazy } from '../lazy.ts';
import { resultPrinter } from '../print-flags.ts';
import { getObject } from '../requests.ts';
import { timedOut, waitDeleted } from '../wait-deleted.ts';

type Condition = { kind: 'delete' } | { kind: 'create' } | { kind: 'check'; met: (o: KubeObject) => boolean };

export function* run(cmd: Cmd): Co<number> {
  const wanted = list(cmd, 'for');
  const print = resultPrinter(cmd, 'condition met');
  if (!wanted.length) fail('unrecognized condition: []');
  const conditions = wanted.map(parseCondition);
  let timeout = duration(cmd, 'timeout');
  if (timeout < 0) timeout = 168 * 3_600_000;
  const deadline = cmd.host.sim.nowMs + timeout;
  const has = (name: string) => wanted.some(w => w.toLowerCase() === name);
  const options: BuildOptions = {
    args: cmd.args,
    allowEmptySelector: bool(cmd, 'all'),
    filenames: list(cmd, 'filename'),
    recursive: bool(cmd, 'recursive'),
    allNamespaces: bool(cmd, 'all-namespaces'),
    labelSelector: flag(cmd, 'selector').trim(),
    fieldSelector: flag(cmd, 'field-selector').trim(),
    local: bool(cmd, 'local'),
    latest: true,
    flatten: true,
    ignoreNotFound: has('delete'),
  };
  if (has('create')) yield* waitCreated(cmd, options, deadline);
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  for (const info of infos) {
    for (const c of conditions) {
      if (c.kind === 'delete') yield* untilDeleted(cmd, info, timeout, deadline);
      else if (c.kind === 'check') info.object = yield* untilMet(cmd, info, c.met, timeout, deadline);
      print(info.object as KubeObject);
    }
  }
  if (error) throw error;
  if (!infos.length && !has('delete')) fail('no matching resources found');
  return 0;
}

function parseCondition(text: string): Condition {
  const lower = text.toLowerCase();
  if (lower === 'delete') return { kind: 'delete' };
  if (lower === 'create') return { kind: 'create' };
  if (text.startsWith('condition=')) return { kind: 'check', met: conditionCheck(text.slice('condition='.length)) };
  if (text.startsWith('jsonpath=')) return { kind: 'check', met: jsonPathCheck(text.slice('jsonpath='.length)) };
  return fail(`unrecognized condition: ${goQuote(text)}`);
}

const fold = (s: unknown) => String(s).toLowerCase();

function conditionCheck(text: string): (o: KubeObject) => boolean {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const status = at < 0 ? 'true' : text.slice(at + 1);
  return o => {
    const c = (o.status?.conditions ?? []).find((x: any) => fold(x?.type) === fold(name) && typeof x.status === 'string');
    if (!c) return false;
    const observed = c.observedGeneration ?? o.status?.observedGeneration;
    if (o.metadata.generation !== undefined && observed !== undefined && observed < o.metadata.generation) return false;
    return fold(c.status) === fold(status);
  };
}

/** Split at single equals signs only. */
function splitInput(input: string): string[] {
  const out: string[] = [];
  let element = '';
  for (let i = 0; i < input.length; i++) {
    if (input[i] !== '=') element += input[i];
    else if (input[i + 1] === '=') {
      element += '==';
      i++;
    } else {
      out.push(element);
      element = '';
    }
  }
  return [...out, element];
}

function jsonPathCheck(input: string): (o: KubeObject) => boolean {
  const parts = splitInput(input);
  if (!parts[0]) fail('jsonpath expression cannot be empty');
  if (parts.length > 2)
    fail("jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'");
  const expression = relaxed(parts[0]);
  if (expression === null) fail(RELAXED_ERROR);
  const value = parts.length === 1 ? null : parts[1].replace(/^['"]+|['"]+$/g, '');
  if (value === '') fail("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3");
  const { parseJsonPath, findResults } = lazy('jsonpath');
  const nodes = attempt(() => parseJsonPath(expression as string));
  return o => {
    const results = attempt(() => findResults(nodes, o, true));
    if (!results.length || !results[0].length) return false;
    if (results.length > 1) fail('given jsonpath expression matches more than one list');
    if (results[0].length > 1) fail('given jsonpath expression matches more than one value');
    if (value === null) return true;
    const v = results[0][0];
    if (typeof v === 'object' && v !== null) fail('jsonpath leads to a nested object or list which is not supported');
    return sprint(v).trim() === value.trim();
  };
}

function attempt<T>(f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (isJsonPathError(e)) return fail(e.jsonpath);
    throw e;
  }
}

function* waitCreated(cmd: Cmd, options: BuildOptions, deadline: number): Co<void> {
  for (;;) {
    const { infos, error } = infosOf(yield* build(cmd, options));
    if (error && !isNotFound(error)) throw error;
    if (!error && infos.length) return;
    if (cmd.host.sim.nowMs >= deadline) throw failure('timed out waiting for the condition');
    yield* sleep(cmd.host.sim, Math.min(500, deadline - cmd.host.sim.nowMs));
  }
}

const named = (info: Info) => `${info.mapping.resource}/${info.name}`;

function* untilDeleted(cmd: Cmd, info: Info, timeout: number, deadline: number): Co<void> {
  const uid = (info.object as KubeObject).metadata?.uid ?? '';
  if (timeout === 0) {
    const now = getObject(cmd, info.mapping, info.namespace, info.name);
    if (isFailure(now) ? isNotFound(now) : now.metadata.uid !== uid) return;
    fail(`condition not met for ${named(info)}`);
  }
  yield* waitDeleted(cmd, [{ mapping: info.mapping, namespace: info.namespace, name: info.name, uid }], deadline - cmd.host.sim.nowMs);
}

function* untilMet(cmd: Cmd, info: Info, met: (o: KubeObject) => boolean, timeout: number, deadline: number): Co<KubeObject> {
  const waiting = new Set<() => void>();
  const { mapping, namespace, name } = info;
  const latest = (): KubeObject => {
    fetchInfo(cmd, info);
    return info.object as KubeObject;
  };
  let object = latest();
  if (timeout === 0) return met(object) ? object : fail(`condition not met for ${named(info)}`);
  const stop = connect(cmd).watch(
    { verb: 'watch', group: mapping.group, version: mapping.version, resource: mapping.resource, namespace: namespace || undefined, name },
    () => wakeAll(waiting),
  );
  try {
    while (!met(object)) {
      const left = deadline - cmd.host.sim.nowMs;
      if (left <= 0 || !(yield* waitOn(cmd.host.sim, [waiting], left))) {
        if (met((object = latest()))) break;
        throw timedOut(mapping, name);
      }
      object = latest();
    }
    return object;
  } finally {
    if (!isStatus(stop)) stop();
  }
}

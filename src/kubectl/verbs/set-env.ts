// kubectl set env (k8s.io/kubectl v0.36.3, pkg/cmd/set/set_env.go, env/).

import { cloneJson } from '../../apiserver/json.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, dryRun, err, flag, list, out, warn } from '../command.ts';
import { type Failure, fail, isFailure } from '../failure.ts';
import { readStdin } from '../files.ts';
import { mappingFor } from '../mapping.ts';
import { getObject } from '../requests.ts';
import { changeAll, checkLocal, infosFor, podSpecOf, selectContainers } from './set-changes.ts';

/** validation.IsEnvVarName */
const ENV_NAME =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: any;
}

function splitWords(args: string[]): { resources: string[]; words: string[] } {
  const resources: string[] = [];
  const words: string[] = [];
  for (const s of args) {
    if (/^.+=/s.test(s) || s.endsWith('-')) words.push(s);
    else if (words.length) fail(`all resources must be specified before environment changes: ${args.join(' ')}`);
    else resources.push(s);
  }
  return { resources, words };
}

function* parseEnv(cmd: Cmd, words: string[]): Co<{ env: EnvVar[]; remove: string[] }> {
  const env: EnvVar[] = [];
  const remove: string[] = [];
  const given = new Set<string>();
  for (const w of words) {
    const at = w.indexOf('=');
    if (w === '-') {
      for (const line of (yield* readStdin(cmd)).split('\n')) {
        const text = line.replace(/\r$/, '').split('#')[0];
        const eq = text.indexOf('=');
        if (eq >= 0) env.push({ name: text.slice(0, eq), value: text.slice(eq + 1) });
      }
    } else if (at >= 0) {
      const name = w.slice(0, at);
      if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) fail(`${goQuote(name)} is not a valid key name: ${ENV_NAME}`);
      given.add(name);
      env.push({ name, value: w.slice(at + 1) });
    } else if (w.endsWith('-')) remove.push(w.slice(0, -1));
    else fail(`unknown environment variable: ${w}`);
  }
  if (remove.some(r => given.has(r))) fail('can not both modify and remove the same environment variable in the same command');
  return { env, remove };
}

function* fromResource(cmd: Cmd, source: string): Co<EnvVar[]> {
  const keys = list(cmd, 'keys');
  const env: EnvVar[] = [];
  for (const info of yield* infosFor(cmd, [source], { filenames: [] })) {
    const o = info.object as KubeObject & { data?: Record<string, string> };
    const ref = { Secret: 'secretKeyRef', ConfigMap: 'configMapKeyRef' }[o.kind];
    if (!ref) return fail('unsupported resource specified in --from');
    for (const key of Object.keys(o.data ?? {}).sort()) {
      if (keys.length && !keys.includes(key)) continue;
      const name = key.replace(/[^a-zA-Z0-9_]/g, '_').toUpperCase();
      if (name !== key) warn(cmd, `key ${key} transferred to ${name}`);
      env.push({ name, valueFrom: { [ref]: { name: o.metadata.name, key } } });
    }
  }
  return env;
}

function updateEnv(existing: EnvVar[], env: EnvVar[], remove: string[]): EnvVar[] {
  const covered = new Set(remove);
  const result: EnvVar[] = [];
  for (const e of existing) {
    if (covered.has(e.name)) continue;
    const newer = env.find(x => x.name === e.name);
    if (newer) covered.add(e.name);
    result.push(newer ?? e);
  }
  for (const e of env) {
    if (covered.has(e.name)) continue;
    covered.add(e.name);
    result.push(e);
  }
  return result;
}

/** envutil.GetEnvVarRefString */
function reference(from: any): string {
  if (from.configMapKeyRef) return `configmap ${from.configMapKeyRef.name}, key ${from.configMapKeyRef.key}`;
  if (from.secretKeyRef) return `secret ${from.secretKeyRef.name}, key ${from.secretKeyRef.key}`;
  if (from.fieldRef) return `field path ${from.fieldRef.fieldPath}`;
  if (from.resourceFieldRef) {
    const c = from.resourceFieldRef.containerName;
    return `resource field ${c ? `${c}/` : ''}${from.resourceFieldRef.resource}`;
  }
  return 'invalid valueFrom';
}

function resolve(cmd: Cmd, from: any, o: any): string {
  for (const [ref, resource, secret] of [
    ['secretKeyRef', 'secrets', true],
    ['configMapKeyRef', 'configmaps', false],
  ] as const) {
    if (!from[ref]) continue;
    const object = getObject(cmd, mappingFor(connect(cmd), resource), cmd.namespace, from[ref].name);
    if (isFailure(object)) throw object;
    const value = (object as any).data?.[from[ref].key];
    if (value === undefined) fail(`key ${from[ref].key} not found in ${secret ? 'secret' : 'config map'} ${from[ref].name}`);
    return secret ? bytesToString(unbase64(value) ?? new Uint8Array()) : value;
  }
  const path = from.fieldRef?.fieldPath as string | undefined;
  if (path) {
    const value = path.split('.').reduce((v: any, k) => v?.[k], o);
    return value === undefined ? fail(`unsupported fieldPath: ${path}`) : String(value);
  }
  return fail('not supported');
}

function listEnv(cmd: Cmd, o: KubeObject, container: any): boolean {
  out(cmd, `# ${o.kind} ${o.metadata.name}, container ${container.name}\n`);
  const wrong = new Map<string, string[]>();
  for (const e of (container.env ?? []) as EnvVar[]) {
    if (!e.valueFrom) {
      out(cmd, `${e.name}=${e.value ?? ''}\n`);
      continue;
    }
    if (bool(cmd, 'resolve')) {
      try {
        out(cmd, `${e.name}=${resolve(cmd, e.valueFrom, o)}\n`);
        continue;
      } catch (x) {
        if (!isFailure(x)) throw x;
        wrong.set(x.message, [...(wrong.get(x.message) ?? []), e.name]);
      }
    }
    out(cmd, `# ${e.name} from ${reference(e.valueFrom)}\n`);
  }
  const lines = [...wrong].map(([why, names]) => `error retrieving reference for ${names.sort().join(', ')}: ${why}\n`);
  err(cmd, lines.sort().join(''));
  return wrong.size === 0;
}

export function* setEnv(cmd: Cmd): Co<number> {
  const mode = dryRun(cmd);
  if (bool(cmd, 'all') && flag(cmd, 'selector')) fail('cannot set --all and --selector at the same time');
  const { resources, words } = splitWords(cmd.args);
  checkLocal(cmd, mode);
  if (!list(cmd, 'filename').length && !resources.length)
    fail('one or more resources must be specified as <resource> <name> or <resource>/<name>');
  const listing = bool(cmd, 'list');
  if (listing && flag(cmd, 'output')) fail('--list and --output may not be specified together');
  if (list(cmd, 'keys').length && !flag(cmd, 'from')) fail('when specifying --keys, a configmap or secret must be provided with --from');
  const { env, remove } = yield* parseEnv(cmd, [...list(cmd, 'env'), ...words]);
  if (flag(cmd, 'from')) env.push(...(yield* fromResource(cmd, flag(cmd, 'from'))));
  for (const e of env) e.name = flag(cmd, 'prefix') + e.name;
  const infos = yield* infosFor(cmd, resources);
  const mutate = (o: KubeObject, _errors: Failure[]): boolean => {
    const pattern = flag(cmd, 'containers');
    const containers = selectContainers(podSpecOf(o), pattern);
    if (!containers.length) warn(cmd, `${o.kind}/${o.metadata.name} does not have any containers matching ${goQuote(pattern)}`);
    let resolved = true;
    for (const c of containers) {
      if (!bool(cmd, 'overwrite')) {
        for (const e of env) {
          const old = (c.env ?? []).find((x: EnvVar) => x.name === e.name);
          if (old && (old.value ?? '') !== (e.value ?? ''))
            fail(`'${old.name}' already has a value (${old.value ?? ''}), and --overwrite is false`);
        }
      }
      const updated = updateEnv(c.env ?? [], env, remove).map(e => (e.value === '' ? { name: e.name } : e));
      if (updated.length) c.env = updated;
      else delete c.env;
      if (listing && !listEnv(cmd, o, c)) resolved = false;
    }
    if (!resolved) fail('failed to retrieve valueFrom references');
    return true;
  };
  if (listing) {
    for (const info of infos) {
      try {
        mutate(cloneJson(info.object) as KubeObject, []);
      } catch (e) {
        if (!isFailure(e)) throw e;
      }
    }
    return 0;
  }
  changeAll(cmd, mode, infos, { operation: 'env updated', refused: 'failed to patch env update to pod template:', mutate });
  return 0;
}

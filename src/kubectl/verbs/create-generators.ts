// kubectl create TYPE NAME (k8s.io/kubectl v0.36.3, pkg/cmd/create).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, dryRun, duration, flag, list, out, request, usageError, validation } from '../command.ts';
import { fail, failure, isFailure } from '../failure.ts';
import { clusterRole, clusterRoleBinding, priorityClass, quota, role, roleBinding } from '../generators/access.ts';
import { configMap, secretDockerRegistry, secretGeneric, secretTls } from '../generators/config.ts';
import { cronJob, deployment, ingress, job, jobFromCronJob, podDisruptionBudget, service } from '../generators/workload.ts';
import type { Connection } from '../host.ts';
import { saveTypedConfig } from '../last-applied.ts';
import { resourceOfKind } from '../mapping.ts';
import { dryRunSuffix, printerOf, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';

type Generator = (cmd: Cmd, name: string, rest: string[]) => KubeObject;

/** What the error of a failed creation begins with; '' = the server's error as it is. */
const GENERATORS: Record<string, { make: Generator; failed: string }> = {
  clusterrole: { make: clusterRole, failed: '' },
  clusterrolebinding: { make: clusterRoleBinding, failed: 'failed to create clusterrolebinding: ' },
  configmap: { make: configMap, failed: 'failed to create configmap: ' },
  cronjob: { make: cronJob, failed: 'failed to create cronjob: ' },
  deployment: { make: deployment, failed: 'failed to create deployment: ' },
  ingress: { make: ingress, failed: 'failed to create ingress: ' },
  job: { make: job, failed: 'failed to create job: ' },
  namespace: {
    make: (_, name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {}, status: {} }),
    failed: '',
  },
  poddisruptionbudget: { make: podDisruptionBudget, failed: 'failed to create poddisruptionbudgets: ' },
  priorityclass: { make: priorityClass, failed: 'failed to create priorityclass: ' },
  quota: { make: quota, failed: 'failed to create quota: ' },
  role: { make: role, failed: '' },
  rolebinding: { make: roleBinding, failed: 'failed to create rolebinding: ' },
  'secret docker-registry': { make: secretDockerRegistry, failed: 'failed to create secret ' },
  'secret generic': { make: secretGeneric, failed: 'failed to create secret ' },
  'secret tls': { make: secretTls, failed: 'failed to create secret ' },
  'service clusterip': { make: (c, n) => service(c, 'clusterip', n), failed: 'failed to create ClusterIP service: ' },
  'service externalname': { make: (c, n) => service(c, 'externalname', n), failed: 'failed to create ExternalName service: ' },
  'service loadbalancer': { make: (c, n) => service(c, 'loadbalancer', n), failed: 'failed to create LoadBalancer service: ' },
  'service nodeport': { make: (c, n) => service(c, 'nodeport', n), failed: 'failed to create NodePort service: ' },
  serviceaccount: {
    make: (_, name) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }),
    failed: 'failed to create serviceaccount: ',
  },
};

/** Cluster-scoped, and those that never take the namespace of -n. */
const CLUSTER = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'PriorityClass']);

export function* run(cmd: Cmd): Co<number> {
  const what = cmd.path.replace(/^create /, '');
  const { args } = cmd;
  const before = cmd.flags.dash === -1 ? args.length : cmd.flags.dash;
  const takesCommand = what === 'deployment' || what === 'job' || what === 'cronjob';
  if (takesCommand && cmd.flags.dash === -1 && args.length > 1) usageError(cmd, `exactly one NAME is required, got ${args.length}`);
  if (before !== 1) usageError(cmd, `exactly one NAME is required, got ${before}`);
  if (what === 'token') return createToken(cmd, args[0]);
  const mode = dryRun(cmd);
  const directive = validation(cmd);
  const print = resultPrinter(cmd, 'created', dryRunSuffix(mode));
  const generator = GENERATORS[what];
  let object: KubeObject;
  if (what === 'job') object = yield* makeJob(cmd, args[0], args.slice(1));
  else object = generator.make(cmd, args[0], args.slice(1));
  if (cmd.explicitNamespace && !CLUSTER.has(object.kind)) object.metadata = { ...object.metadata, namespace: cmd.namespace };
  object = saveTypedConfig(object, bool(cmd, 'save-config'));
  if (mode !== 'client') {
    const mapping = resourceOfKind(connectFor(cmd, object, generator.failed), object.apiVersion, object.kind);
    if (!mapping) return fail(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
    try {
      object = createObject(cmd, mapping, cmd.namespace, object, writeQuery(cmd, mode, 'kubectl-create', { fieldValidation: directive }));
    } catch (e) {
      if (isFailure(e) && generator.failed) throw failure(generator.failed + e.message);
      throw e;
    }
  }
  print(object);
  return 0;
}

/** Where a generator says what it was about, the request that found nobody is shown. */
function connectFor(cmd: Cmd, object: KubeObject, about: string | undefined): Connection {
  try {
    return connect(cmd);
  } catch (e) {
    if (!isFailure(e) || !e.unreachable || !about) throw e;
    const { url, why } = e.unreachable;
    const place = CLUSTER.has(object.kind) ? '' : `namespaces/${cmd.namespace}/`;
    const kind = object.kind.toLowerCase();
    const path = `${object.apiVersion === 'v1' ? 'api' : 'apis'}/${object.apiVersion}/${place}${kind}${kind.endsWith('s') ? 'es' : 's'}`;
    return fail(`${about}Post "${url}/${path}?fieldManager=${flag(cmd, 'field-manager')}&fieldValidation=${validation(cmd)}": ${why}`);
  }
}

function* makeJob(cmd: Cmd, name: string, command: string[]): Co<KubeObject> {
  const [image, from] = [flag(cmd, 'image'), flag(cmd, 'from')];
  if (!image === !from) fail('either --image or --from must be specified');
  if (from && command.length) fail('cannot specify --from and command');
  if (image) return job(cmd, name, command);
  const { infos, error } = infosOf(yield* build(cmd, { args: [from], latest: true, flatten: true }));
  if (error) throw error;
  if (infos.length !== 1) fail('from must be an existing cronjob');
  return jobFromCronJob(name, infos[0].object as KubeObject);
}

const BOUND: Record<string, string> = { Node: 'v1', Pod: 'v1', Secret: 'v1' };

function createToken(cmd: Cmd, name: string): number {
  const ms = duration(cmd, 'duration');
  if (ms < 0) fail('--duration must be greater than or equal to 0');
  if (ms % 1000) fail('--duration cannot be expressed in units less than seconds');
  if (list(cmd, 'audience').includes('')) fail('--audience must not be an empty string');
  const [kind, bound, uid] = [flag(cmd, 'bound-object-kind'), flag(cmd, 'bound-object-name'), flag(cmd, 'bound-object-uid')];
  if (!kind) {
    if (bound) fail('--bound-object-name can only be set if --bound-object-kind is provided');
    if (uid) fail('--bound-object-uid can only be set if --bound-object-kind is provided');
  } else {
    if (!(kind in BOUND)) fail(`supported --bound-object-kind values are ${Object.keys(BOUND).sort().join(', ')}`);
    if (!bound) fail('--bound-object-name is required if --bound-object-kind is provided');
  }
  const audiences = list(cmd, 'audience');
  let response: KubeObject;
  try {
    response = request(cmd, {
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'serviceaccounts',
      subresource: 'token',
      namespace: cmd.namespace,
      name,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences: audiences.length ? audiences : null,
          expirationSeconds: ms ? ms / 1000 : null,
          boundObjectRef: kind ? { kind, apiVersion: BOUND[kind], name: bound, uid: uid || undefined } : null,
        },
        status: { token: '', expirationTimestamp: null },
      },
    });
  } catch (e) {
    throw isFailure(e) ? failure(`failed to create token: ${e.message}`) : e;
  }
  const token = response.status?.token;
  if (!token) fail('failed to create token: no token in server response');
  const print = printerOf(cmd);
  if (print) print(response);
  else out(cmd, cmd.host.stdout.tty ? `${token}\n` : token);
  return 0;
}

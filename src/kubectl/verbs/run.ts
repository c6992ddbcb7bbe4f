// kubectl run (k8s.io/kubectl v0.36.3, pkg/cmd/run/run.go).

import type { KubeObject, ResourceInfo } from '../../apiserver/types.ts';
import { readPipe, writePipe } from '../../sim/pipe.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import type { Info } from '../builder.ts';
import {
  bool,
  type Cmd,
  connect,
  type DryRun,
  dryRun,
  duration,
  err,
  flag,
  int,
  isSet,
  isStatus,
  list,
  out,
  usageError,
} from '../command.ts';
import { exitFailure, fail, isFailure, statusFailure } from '../failure.ts';
import { parsePairs } from '../key-values.ts';
import { saveTypedConfig } from '../last-applied.ts';
import { mappingFor } from '../mapping.ts';
import { applyOverrides } from '../overrides.ts';
import { containerFor, waitForPod } from '../pods.ts';
import { dryRunSuffix, resultPrinter } from '../print-flags.ts';
import { createObject, writeQuery } from '../requests.ts';
import { propagation } from './apply.ts';
import { attachTo } from './attach.ts';
import { deleteAll } from './delete.ts';

export const IMAGE =
  /^((?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

export function* run(cmd: Cmd): Co<number> {
  const { args } = cmd;
  const mode = dryRun(cmd);
  const interactive = bool(cmd, 'stdin');
  const attach = isSet(cmd, 'attach') ? bool(cmd, 'attach') : interactive || bool(cmd, 'attach');
  const print = resultPrinter(cmd, 'created', dryRunSuffix(mode));
  if (!args.length || cmd.flags.dash === 0) usageError(cmd, 'NAME is required for run');
  if (duration(cmd, 'pod-running-timeout') <= 0) usageError(cmd, '--pod-running-timeout must be higher than zero');
  checkFlags(cmd, mode, interactive, attach);
  const mapping = mappingFor(connect(cmd), 'pods');
  const pod = create(cmd, mapping, mode, applyOverrides(cmd, generatePod(cmd, args)));
  const created: { mapping: ResourceInfo; object: KubeObject }[] = [{ mapping, object: pod }];
  let serviceError: unknown = null;
  if (bool(cmd, 'expose')) {
    try {
      const services = mappingFor(connect(cmd), 'services');
      const object = create(cmd, services, mode, generateService(cmd, args[0]));
      print(object);
      if (flag(cmd, 'output') === 'yaml') out(cmd, '---\n');
      created.push({ mapping: services, object });
    } catch (e) {
      if (!isFailure(e)) throw e;
      serviceError = e;
    }
  }
  if (attach) return yield* attachAndWait(cmd, pod, created);
  print(pod);
  if (serviceError) throw serviceError;
  return 0;
}

function checkFlags(cmd: Cmd, mode: DryRun, interactive: boolean, attach: boolean): void {
  const image = flag(cmd, 'image');
  if (!image) fail('--image is required');
  if (!IMAGE.test(image)) fail(`Invalid image name ${goQuote(image)}: invalid reference format`);
  if (bool(cmd, 'tty') && !interactive) usageError(cmd, '-i/--stdin is required for containers with -t/--tty=true');
  if (bool(cmd, 'expose') && !flag(cmd, 'port')) usageError(cmd, '--port must be set when exposing a service');
  if (!['', 'Always', 'OnFailure', 'Never'].includes(flag(cmd, 'restart')))
    usageError(cmd, `invalid restart policy: ${flag(cmd, 'restart')}`);
  if (!attach && bool(cmd, 'rm')) usageError(cmd, '--rm should only be used for attached containers');
  if (attach && mode !== 'none')
    usageError(cmd, "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)");
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(flag(cmd, 'image-pull-policy')))
    usageError(cmd, `invalid image pull policy: ${flag(cmd, 'image-pull-policy')}`);
}

/** generate.ParseLabels */
function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.split(',')) {
    const pair = part.split('=');
    if (pair.length !== 2) fail(`unexpected label spec: ${part}`);
    if (!pair[0]) fail('unexpected empty label key');
    labels[pair[0]] = pair[1];
  }
  return labels;
}

function port(cmd: Cmd): number | undefined {
  const text = flag(cmd, 'port');
  if (!text) return undefined;
  return /^[+-]?\d+$/.test(text) ? Number(text) : fail(`strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
}

function generatePod(cmd: Cmd, args: string[]): KubeObject {
  const name = args[0];
  const words = args.slice(1);
  const env = list(cmd, 'env').map(e => {
    const at = e.indexOf('=');
    if (at <= 0 || !/^[ -<>-~]+$/.test(e.slice(0, at))) fail(`invalid env: ${e}`);
    return { name: e.slice(0, at), value: e.slice(at + 1) || undefined };
  });
  const annotations = list(cmd, 'annotations');
  const labels = flag(cmd, 'labels');
  const stdin = bool(cmd, 'stdin');
  const containerPort = port(cmd);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: labels ? parseLabels(labels) : { run: name },
      annotations: annotations.length ? parsePairs(annotations, 'annotations', false).set : undefined,
    },
    spec: {
      containers: [
        {
          name,
          image: flag(cmd, 'image'),
          imagePullPolicy: flag(cmd, 'image-pull-policy') || undefined,
          command: words.length && bool(cmd, 'command') ? words : undefined,
          args: words.length && !bool(cmd, 'command') ? words : undefined,
          env: env.length ? env : undefined,
          ports: containerPort === undefined ? undefined : [{ containerPort }],
          resources: {},
          securityContext: bool(cmd, 'privileged') ? { privileged: true } : undefined,
          stdin: stdin || undefined,
          stdinOnce: (stdin && !bool(cmd, 'leave-stdin-open')) || undefined,
          tty: bool(cmd, 'tty') || undefined,
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: flag(cmd, 'restart') || 'Always',
    },
    status: {},
  };
}

function generateService(cmd: Cmd, name: string): KubeObject {
  const selector = parseLabels(flag(cmd, 'labels') || `run=${name}`);
  const number = port(cmd) as number;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: flag(cmd, 'labels') ? selector : undefined },
    spec: { ports: [{ port: number, protocol: 'TCP', targetPort: number }], selector },
    status: { loadBalancer: {} },
  };
}

function create(cmd: Cmd, mapping: ResourceInfo, mode: DryRun, object: KubeObject): KubeObject {
  if (mode === 'client') return cmd.explicitNamespace ? { ...object, metadata: { ...object.metadata, namespace: cmd.namespace } } : object;
  return createObject(cmd, mapping, cmd.namespace, saveTypedConfig(object, bool(cmd, 'save-config')), writeQuery(cmd, mode, 'kubectl-run'));
}

const ended = (p: KubeObject) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed';
const ready = (p: KubeObject) =>
  p.status?.phase === 'Running' && (p.status.conditions ?? []).some((c: any) => c.type === 'Ready' && c.status === 'True');

function* attachAndWait(cmd: Cmd, pod: KubeObject, created: { mapping: ResourceInfo; object: KubeObject }[]): Co<number> {
  try {
    return yield* attachOnce(cmd, pod);
  } finally {
    if (bool(cmd, 'rm')) yield* removeAll(cmd, created);
  }
}

function* attachOnce(cmd: Cmd, pod: KubeObject): Co<number> {
  const { name, namespace = '' } = pod.metadata;
  const timeout = duration(cmd, 'pod-running-timeout');
  const quiet = bool(cmd, 'quiet');
  const running = yield* waitForPod(cmd, namespace, name, timeout, p => ended(p) || ready(p));
  if (ended(running)) yield* printLog(cmd, running);
  else {
    yield* printLog(cmd, running);
    yield* attachTo(cmd, running, { container: '', stdin: bool(cmd, 'stdin'), tty: bool(cmd, 'tty'), quiet });
  }
  const restart = flag(cmd, 'restart') || 'Always';
  if (restart === 'Always' || bool(cmd, 'leave-stdin-open')) return 0;
  const done = yield* waitForPod(cmd, namespace, name, timeout, p => (restart === 'Never' ? ended(p) : p.status?.phase === 'Succeeded'));
  if (done.status.phase === 'Succeeded') return 0;
  const terminated = done.status.containerStatuses?.[0]?.state?.terminated;
  if (!terminated?.exitCode) return fail(`pod ${namespace}/${name} failed with unknown exit code`);
  throw exitFailure(terminated.exitCode, `pod ${namespace}/${name} terminated (${terminated.reason ?? ''})\n${terminated.message ?? ''}`);
}

/** What the container said before anybody listened. */
function* printLog(cmd: Cmd, pod: KubeObject): Co<void> {
  const { kubelet } = connect(cmd);
  if (!kubelet) return;
  const container = containerFor(cmd, pod, '', bool(cmd, 'quiet'));
  const log = kubelet.logs(pod, container, { follow: false, previous: false, timestamps: false });
  if (isStatus(log)) {
    if (ended(pod)) throw statusFailure(log);
    err(cmd, `warning: couldn't fetch pre-attach logs: ${log.message}\n`);
    return;
  }
  for (;;) {
    const chunk = (yield* readPipe(cmd.host.sim, log)) as Uint8Array;
    if (!chunk.length) return;
    writePipe(cmd.host.stdout, chunk);
  }
}

function* removeAll(cmd: Cmd, created: { mapping: ResourceInfo; object: KubeObject }[]): Co<void> {
  for (const { mapping, object } of created) {
    const info: Info = {
      mapping,
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name,
      source: '',
      object,
      subresource: '',
    };
    yield* deleteAll(
      {
        cmd,
        grace: int(cmd, 'grace-period') >= 0 ? int(cmd, 'grace-period') : -1,
        cascade: propagation(flag(cmd, 'cascade')),
        mode: 'none',
        output: '',
        quiet: bool(cmd, 'quiet'),
        wait: false,
        timeoutMs: 0,
        warnClusterScope: false,
        forced: false,
      },
      {
        visit: fn => {
          try {
            fn(info);
            return null;
          } catch (e) {
            if (!isFailure(e)) throw e;
            return e.status?.reason === 'NotFound' ? null : e;
          }
        },
      },
    );
  }
}

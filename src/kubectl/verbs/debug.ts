// kubectl debug (k8s.io/kubectl v0.36.3, pkg/cmd/debug): an ephemeral container, a changed copy, or a pod on a node.

import { cloneJson } from '../../apiserver/json.ts';
import { twoWayPatch } from '../../apiserver/strategic-diff.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { readPipe, writePipe } from '../../sim/pipe.ts';
import { goQuote } from '../../sim/quote.ts';
import { safeString } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { build, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, err, flag, isSet, isStatus, list, out } from '../command.ts';
import { applyCustomProfile, checkCustomProfile, customProfile, warnOfUser } from '../custom-profile.ts';
import { fail, isFailure, statusFailure } from '../failure.ts';
import { findContainer, podsMapping, waitForPod } from '../pods.ts';
import { createObject, deleteObject, patchObject } from '../requests.ts';
import { attachTo } from './attach.ts';
import { IMAGE } from './run.ts';

const PROFILES = ['legacy', 'general', 'baseline', 'restricted', 'netadmin', 'sysadmin'];

interface Debugging {
  cmd: Cmd;
  /** What follows `--`. */
  argv: string[];
  env: { name: string; value: string }[];
  setImages: Record<string, string>;
  /** --custom: a partial container, or null. */
  custom: any;
}

export function* run(cmd: Cmd): Co<number> {
  const { dash } = cmd.flags;
  const targets = dash >= 0 ? cmd.args.slice(0, dash) : cmd.args;
  const pairs = (name: string) =>
    Object.fromEntries(list(cmd, name).map(kv => [kv.slice(0, kv.indexOf('=')), kv.slice(kv.indexOf('=') + 1)]));
  const d: Debugging = {
    cmd,
    argv: dash >= 0 ? cmd.args.slice(dash) : [],
    env: Object.entries(pairs('env')).map(([name, value]) => ({ name, value })),
    setImages: pairs('set-image'),
    custom: null,
  };
  check(d, targets);
  const result = yield* build(cmd, {
    args: targets,
    defaultType: 'pods',
    filenames: list(cmd, 'filename'),
    enforceNamespace: cmd.explicitNamespace,
  });
  const { infos, error } = infosOf(result);
  for (const info of infos) {
    const object = info.object as KubeObject;
    let made: { pod: KubeObject; container: string };
    if (info.mapping.resource === 'nodes') made = onNode(d, object);
    else if (info.mapping.resource === 'pods') made = flag(cmd, 'copy-to') ? byCopy(d, object) : byEphemeral(d, object);
    else {
      const m = info.mapping;
      fail(`${goQuote(`${m.group}/${m.version}, Kind=${m.kind}`)} not supported by debug`);
    }
    const attach = bool(cmd, 'attach') || (!isSet(cmd, 'attach') && bool(cmd, 'stdin'));
    if (attach && made.container) yield* attachTogether(cmd, made.pod, made.container);
  }
  if (error) throw error;
  return 0;
}

function check(d: Debugging, targets: string[]): void {
  const { cmd } = d;
  const [image, container, copy] = ['image', 'container', 'copy-to'].map(f => flag(cmd, f));
  const profile = flag(cmd, 'profile') || 'general';
  if (!PROFILES.includes(profile)) fail(`unknown profile: ${profile}`);
  d.custom = customProfile(cmd);
  if (bool(cmd, 'attach') && isSet(cmd, 'attach') && !image && !container)
    fail('you must specify --container or create a new container using --image in order to attach.');
  const setting = Object.keys(d.setImages).length > 0;
  if (copy) {
    if (!image && !setting && !d.argv.length) fail('you must specify --image, --set-image or command arguments.');
    if (d.argv.length && !container && !image) fail('you must specify an existing container or a new image when specifying args.');
  } else {
    if (bool(cmd, 'replace')) fail('--replace may only be used with --copy-to.');
    if (bool(cmd, 'same-node')) fail('--same-node may only be used with --copy-to.');
    if (setting) fail('--set-image may only be used with --copy-to.');
    if (!image) fail('you must specify --image when not using --copy-to.');
  }
  if (image && !IMAGE.test(image)) fail(`invalid image name ${goQuote(image)}: invalid reference format`);
  if (!targets.length && !list(cmd, 'filename').length) fail('NAME or filename is required for debug');
  const policy = flag(cmd, 'image-pull-policy');
  if (!['', 'Always', 'IfNotPresent', 'Never'].includes(policy)) fail(`invalid image pull policy: ${policy}`);
  for (const [name, i] of Object.entries(d.setImages))
    if (!IMAGE.test(i)) fail(`invalid image name ${goQuote(i)} for container ${goQuote(name)}: invalid reference format`);
  const target = flag(cmd, 'target');
  if (target) {
    if (copy) fail('--target is incompatible with --copy-to. Use --share-processes instead.');
    if (!bool(cmd, 'quiet'))
      out(
        cmd,
        `Targeting container ${goQuote(target)}. If you don't see processes from this container it may be because the container runtime doesn't support this feature.\n`,
      );
  }
  if (bool(cmd, 'tty') && !bool(cmd, 'stdin')) fail('-i/--stdin is required for containers with -t/--tty=true');
  checkCustomProfile(d.custom);
  if (profile === 'legacy')
    err(
      cmd,
      '--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "--profile=general".\n',
    );
}

/** The debug container's own fields. */
function containerOf(d: Debugging, name: string): any {
  const { cmd } = d;
  return {
    name,
    image: flag(cmd, 'image'),
    ...(d.env.length ? { env: d.env } : {}),
    ...(flag(cmd, 'image-pull-policy') ? { imagePullPolicy: flag(cmd, 'image-pull-policy') } : {}),
    resources: {},
    ...(bool(cmd, 'stdin') ? { stdin: true } : {}),
    ...(bool(cmd, 'tty') ? { tty: true } : {}),
    terminationMessagePolicy: 'File',
    ...(d.argv.length ? { [bool(cmd, 'arguments-only') ? 'args' : 'command']: d.argv } : {}),
  };
}

function containerName(d: Debugging, pod: KubeObject): string {
  const { cmd } = d;
  if (flag(cmd, 'container')) return flag(cmd, 'container');
  let name: string;
  do name = `debugger-${safeString(cmd.host.sim.random, 5)}`;
  while (findContainer(pod, name));
  if (!bool(cmd, 'quiet')) out(cmd, `Defaulting debug container name to ${name}.\n`);
  return name;
}

type Style = 'node' | 'copy' | 'ephemeral';

/** profiles.go */
function applyProfile(cmd: Cmd, pod: any, name: string, style: Style): void {
  const profile = flag(cmd, 'profile') || 'general';
  const c = ['containers', 'initContainers', 'ephemeralContainers'].flatMap(l => pod.spec[l] ?? []).find(x => x.name === name);
  const security = () => (c.securityContext ??= {});
  const capable = (...names: string[]) => {
    const s = security();
    s.capabilities = { ...s.capabilities, add: [...(s.capabilities?.add ?? []), ...names] };
  };
  const hostNamespaces = () => Object.assign(pod.spec, { hostIPC: true, hostNetwork: true, hostPID: true });
  const root = () => {
    pod.spec.volumes = [...(pod.spec.volumes ?? []), { hostPath: { path: '/' }, name: 'host-root' }];
    c.volumeMounts = [...(c.volumeMounts ?? []), { mountPath: '/host', name: 'host-root' }];
  };
  switch (profile) {
    case 'legacy':
      if (style === 'copy') delete pod.metadata.labels;
      break;
    case 'general':
      if (style === 'node') delete c.securityContext;
      else if (c) capable('SYS_PTRACE');
      break;
    case 'baseline':
      if (c) delete c.securityContext;
      break;
    case 'restricted':
      if (c)
        c.securityContext = {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        };
      break;
    case 'netadmin':
      if (c) capable('NET_ADMIN', 'NET_RAW');
      break;
    case 'sysadmin':
      if (c) security().privileged = true;
      break;
  }
  if (style === 'node' && ['legacy', 'general', 'sysadmin'].includes(profile)) root();
  if (style === 'node' && !['baseline', 'restricted'].includes(profile)) hostNamespaces();
  if (style !== 'copy' || profile === 'legacy') return;
  if (!bool(cmd, 'keep-labels')) delete pod.metadata.labels;
  if (!bool(cmd, 'keep-annotations')) delete pod.metadata.annotations;
  for (const x of pod.spec.containers) {
    if (!bool(cmd, 'keep-liveness')) delete x.livenessProbe;
    if (!bool(cmd, 'keep-readiness')) delete x.readinessProbe;
    if (!bool(cmd, 'keep-startup')) delete x.startupProbe;
  }
  if (!bool(cmd, 'keep-init-containers')) delete pod.spec.initContainers;
  pod.spec.shareProcessNamespace ??= true;
}

function byEphemeral(d: Debugging, pod: KubeObject): { pod: KubeObject; container: string } {
  const { cmd } = d;
  const name = containerName(d, pod);
  const after = cloneJson(pod) as KubeObject;
  const target = flag(cmd, 'target');
  const container = { ...containerOf(d, name), ...(target ? { targetContainerName: target } : {}) };
  after.spec.ephemeralContainers = [...(after.spec.ephemeralContainers ?? []), container];
  applyProfile(cmd, after, name, 'ephemeral');
  if (d.custom) applyCustomProfile(after, d.custom, name, 'ephemeralContainers');
  warnOfUser(cmd, after.spec.ephemeralContainers.at(-1), pod);
  const diff = twoWayPatch('v1', 'Pod', pod, after);
  if (typeof diff === 'string') return fail(`error creating patch to add debug container: ${diff}`);
  const namespace = pod.metadata.namespace ?? '';
  const made = patchObject(cmd, podsMapping(cmd), namespace, pod.metadata.name, 'strategic', diff.patch, {}, 'ephemeralcontainers');
  return { pod: made, container: name };
}

function byCopy(d: Debugging, pod: KubeObject): { pod: KubeObject; container: string } {
  const { cmd } = d;
  const spec = cloneJson(pod.spec) as any;
  const { labels, annotations, namespace = '' } = pod.metadata;
  const copy: any = { apiVersion: 'v1', kind: 'Pod', metadata: { name: flag(cmd, 'copy-to'), namespace, labels, annotations }, spec };
  delete spec.ephemeralContainers;
  if (isSet(cmd, 'share-processes')) spec.shareProcessNamespace = bool(cmd, 'share-processes');
  if (!bool(cmd, 'same-node')) delete spec.nodeName;
  for (const c of spec.containers) c.image = d.setImages[c.name] ?? d.setImages['*'] ?? c.image;
  let name = flag(cmd, 'container');
  let c = findContainer(copy, name);
  let debugging = true;
  if (!c) {
    if (!flag(cmd, 'image')) {
      if (!Object.keys(d.setImages).length) fail('you must specify image when creating new container');
      debugging = false;
    } else {
      name ||= containerName(d, copy);
      c = { name, terminationMessagePolicy: 'File' };
      spec.containers.push(c);
    }
  }
  if (debugging) {
    const own = containerOf(d, name);
    if (own.command) delete c.args;
    for (const key of ['command', 'args', 'env', 'imagePullPolicy']) if (own[key]) c[key] = own[key];
    if (own.image) c.image = own.image;
    c.stdin = bool(cmd, 'stdin') || undefined;
    c.tty = bool(cmd, 'tty') || undefined;
    applyProfile(cmd, copy, name, 'copy');
    if (d.custom) applyCustomProfile(copy, d.custom, name, 'containers');
    warnOfUser(cmd, findContainer(copy, name), copy);
  }
  const made = createObject(cmd, podsMapping(cmd), namespace, JSON.parse(JSON.stringify(copy)), {});
  if (bool(cmd, 'replace')) deleteObject(cmd, podsMapping(cmd), namespace, pod.metadata.name, { gracePeriodSeconds: 0 });
  return { pod: made, container: debugging ? name : '' };
}

function onNode(d: Debugging, node: KubeObject): { pod: KubeObject; container: string } {
  const { cmd } = d;
  const container = flag(cmd, 'container') || 'debugger';
  const name = `node-debugger-${node.metadata.name}-${safeString(cmd.host.sim.random, 5)}`;
  if (!bool(cmd, 'quiet')) out(cmd, `Creating debugging pod ${name} with container ${container} on node ${node.metadata.name}.\n`);
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } },
    spec: {
      containers: [containerOf(d, container)],
      nodeName: node.metadata.name,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    },
  };
  applyProfile(cmd, pod, container, 'node');
  if (d.custom) applyCustomProfile(pod, d.custom, container, 'containers');
  return { pod: createObject(cmd, podsMapping(cmd), cmd.namespace, pod, {}), container };
}

const statusOf = (p: KubeObject, name: string): any =>
  ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'].flatMap(l => p.status?.[l] ?? []).find(s => s.name === name);

function* attachTogether(cmd: Cmd, pod: KubeObject, container: string): Co<void> {
  const { name, namespace = '' } = pod.metadata;
  const running = yield* waitForPod(cmd, namespace, name, 0, p => {
    const state = statusOf(p, container)?.state;
    return state?.running !== undefined || state?.terminated !== undefined;
  });
  if (statusOf(running, container).state.terminated) return yield* printLog(cmd, running, container);
  try {
    yield* attachTo(cmd, running, { container, stdin: bool(cmd, 'stdin'), tty: bool(cmd, 'tty'), quiet: bool(cmd, 'quiet') });
  } catch (e) {
    if (!isFailure(e)) throw e;
    err(cmd, `warning: couldn't attach to pod/${name}, falling back to streaming logs: ${e.message.replace(/^error: /, '')}\n`);
    yield* printLog(cmd, running, container);
  }
}

function* printLog(cmd: Cmd, pod: KubeObject, container: string): Co<void> {
  const log = connect(cmd).kubelet?.logs(pod, container, { follow: false, previous: false, timestamps: false });
  if (!log) return;
  if (isStatus(log)) throw statusFailure(log);
  for (;;) {
    const chunk = (yield* readPipe(cmd.host.sim, log)) as Uint8Array;
    if (!chunk.length) return;
    writePipe(cmd.host.stdout, chunk);
  }
}

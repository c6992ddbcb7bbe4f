// crictl inspect and inspectp: a container and a sandbox as containerd tells of them (containerd 2.2 internal/cri/server/container_status.go,
// sandbox_status.go; cri-tools v1.36 cmd/crictl/util.go: one JSON object, its keys in order).

import type { KubeObject } from '../../apiserver/types.ts';
import { wakePod } from '../../kubelet/kubelet.ts';
import type { ContainerRuntime, PodRuntime } from '../../kubelet/types.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { parseRfc3339, rfc3339 } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import type { NodeRuntime } from '../types.ts';

export interface FoundPod {
  rt: PodRuntime;
  pod: KubeObject;
  sandboxId: string;
}

export type FoundContainer = FoundPod & { c: ContainerRuntime };

export const startedMs = (c: ContainerRuntime): number =>
  parseRfc3339((c.state?.running ?? c.state?.terminated ?? c.lastState?.terminated)?.startedAt ?? '') ?? 0;

const nanos = (ms: number) => rfc3339(ms).replace('Z', '.000000000Z');

const podLabels = (pod: KubeObject) => ({
  'io.kubernetes.pod.name': pod.metadata.name,
  'io.kubernetes.pod.namespace': pod.metadata.namespace,
  'io.kubernetes.pod.uid': pod.metadata.uid,
});

const logFolder = (pod: KubeObject) => `/var/log/pods/${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`;

export function sandboxStatus(f: FoundPod): Record<string, unknown> {
  const { pod, rt } = f;
  const [ip = '', ...more] = rt.ips;
  const { name, namespace, uid, labels, annotations } = pod.metadata;
  const mode = (host: unknown) => (host ? 'NODE' : 'POD');
  return {
    annotations: annotations ?? {},
    createdAt: nanos(rt.startTimeMs),
    id: f.sandboxId,
    labels: { ...labels, ...podLabels(pod) },
    linux: {
      namespaces: {
        options: {
          ipc: mode(pod.spec.hostIPC),
          network: mode(rt.hostNetwork),
          pid: pod.spec.hostPID ? 'NODE' : pod.spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
          targetId: '',
          usernsOptions: null,
        },
      },
    },
    metadata: { attempt: 0, name, namespace, uid },
    network: { additionalIps: rt.hostNetwork ? [] : more.map(x => ({ ip: x })), ip: rt.hostNetwork ? '' : ip },
    runtimeHandler: '',
    state: rt.sandboxReady ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
  };
}

export function containerStatus(f: FoundContainer): Record<string, unknown> {
  const { c, pod } = f;
  const ended = c.state?.terminated ?? (c.state?.running ? null : c.lastState?.terminated);
  const spec = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].find((s: any) => s.name === c.name);
  return {
    createdAt: nanos(startedMs(c)),
    exitCode: ended?.exitCode ?? 0,
    finishedAt: ended ? nanos(parseRfc3339(ended.finishedAt) ?? 0) : '0001-01-01T00:00:00Z',
    id: c.id,
    image: { image: spec?.image ?? '' },
    imageRef: c.imageRef,
    labels: { 'io.kubernetes.container.name': c.name, ...podLabels(pod) },
    logPath: `${logFolder(pod)}/${c.name}/${c.restartCount}.log`,
    message: ended?.message ?? '',
    metadata: { attempt: c.restartCount, name: c.name },
    podSandboxId: f.sandboxId,
    reason: ended?.reason ?? '',
    startedAt: nanos(startedMs(c)),
    state: c.state?.running ? 'CONTAINER_RUNNING' : 'CONTAINER_EXITED',
  };
}

/** What the CNI gave the sandbox: its devices, by what is in its namespace. */
function cniResult(rt: PodRuntime): unknown {
  const interfaces: Record<string, unknown> = {};
  for (const link of rt.netns?.links.values() ?? []) {
    const addresses = link.addresses.filter(a => a.scope === 'global' || link.kind === 'loopback');
    const configs = addresses.map(a => ({ Gateway: '', IP: formatIp(a.ip) }));
    interfaces[link.name] = { IPConfigs: configs, Mac: link.mac, PciID: '', Sandbox: `/var/run/netns/${rt.netns?.file}`, SocketPath: '' };
  }
  return { DNS: [], Interfaces: interfaces, Routes: null };
}

/** Namespaces of a sandbox's or container's own are made without a path; those of others are joined by one. */
function namespaces(f: FoundPod, joins: number | null): object[] {
  const { pod, rt } = f;
  const at = (type: string, file: string) => (joins === null ? { type } : { path: `/proc/${joins}/ns/${file}`, type });
  const network = joins === null ? { path: `/var/run/netns/${rt.netns?.file}`, type: 'network' } : at('network', 'net');
  return [
    ...(pod.spec.hostPID ? [] : [joins !== null && pod.spec.shareProcessNamespace ? at('pid', 'pid') : { type: 'pid' }]),
    ...(pod.spec.hostIPC ? [] : [at('ipc', 'ipc')]),
    ...(rt.hostNetwork ? [] : [at('uts', 'uts')]),
    { type: 'mount' },
    ...(rt.hostNetwork ? [] : [network]),
    { type: 'cgroup' },
  ];
}

export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10.1';

/** Awake, so that it has processes with numbers. */
function awake(node: NodeRuntime, f: FoundPod): void {
  if (f.rt.sandboxReady) wakePod(node.kubelet, f.pod);
}

export function sandboxInfo(node: NodeRuntime, f: FoundPod): Record<string, unknown> {
  awake(node, f);
  const { pod, rt } = f;
  const { name, namespace, uid, labels, annotations } = pod.metadata;
  return {
    ...(rt.hostNetwork ? {} : { cniResult: cniResult(rt) }),
    config: {
      annotations: annotations ?? {},
      hostname: name,
      labels: { ...labels, ...podLabels(pod) },
      log_directory: logFolder(pod),
      metadata: { name, namespace, uid },
    },
    image: PAUSE_IMAGE,
    netNamespaceClosed: false,
    pid: rt.pause?.pid ?? 0,
    processStatus: rt.sandboxReady ? 'running' : 'deleted',
    runtimeHandler: '',
    runtimeSpec: {
      annotations: {
        'io.kubernetes.cri.container-type': 'sandbox',
        'io.kubernetes.cri.sandbox-id': f.sandboxId,
        'io.kubernetes.cri.sandbox-name': name,
        'io.kubernetes.cri.sandbox-namespace': namespace,
        'io.kubernetes.cri.sandbox-uid': uid,
      },
      hostname: name,
      linux: { namespaces: namespaces(f, null) },
      ociVersion: '1.2.1',
      process: { args: ['/pause'], cwd: '/', user: { gid: 65535, uid: 65535 } },
    },
    runtimeType: 'io.containerd.runc.v2',
    snapshotKey: f.sandboxId,
    snapshotter: 'overlayfs',
  };
}

export function containerInfo(node: NodeRuntime, f: FoundContainer): Record<string, unknown> {
  awake(node, f);
  const { c, rt } = f;
  const p = c.process;
  return {
    pid: p && p.exitCode === null ? p.pid : 0,
    removing: false,
    runtimeSpec: {
      annotations: {
        'io.kubernetes.cri.container-name': c.name,
        'io.kubernetes.cri.container-type': 'container',
        'io.kubernetes.cri.sandbox-id': f.sandboxId,
      },
      hostname: f.pod.metadata.name,
      linux: { namespaces: namespaces(f, rt.pause?.pid ?? 1) },
      ociVersion: '1.2.1',
      process: { args: p?.argv ?? [], cwd: c.cwd, env: [...c.env].map(([k, v]) => `${k}=${v}`), user: { gid: 0, uid: c.uid } },
    },
    runtimeType: 'io.containerd.runc.v2',
    sandboxID: f.sandboxId,
    snapshotKey: c.id,
    snapshotter: 'overlayfs',
  };
}

function sorted(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(sorted);
  if (v === null || typeof v !== 'object') return v;
  const entries = Object.entries(v).filter(([, x]) => x !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([k, x]) => [k, sorted(x)]));
}

/** -o json, which is what it is without a word, or a template of fields. -> exit code */
export function printObject(p: Process, object: object, format: string, template: string | undefined): number {
  if (format === 'json' || format === '') {
    print(p, `${JSON.stringify(sorted(object), null, 2)}\n`);
    return 0;
  }
  if (format !== 'go-template') {
    complain(p, `FATA[0000] podnet: crictl's output format ${goQuote(format)} is not modelled here; json and go-template are\n`);
    return 1;
  }
  if (template === undefined) {
    complain(p, 'FATA[0000] template string is empty\n');
    return 1;
  }
  const beyond = /\{\{(?!-?\s*(?:\.\w+)+\s*-?\}\})[^}]*\}\}/.exec(template);
  if (beyond) {
    complain(p, `FATA[0000] podnet: crictl's templates take fields only, as in {{.info.pid}}; not modelled: ${beyond[0]}\n`);
    return 1;
  }
  const field = (path: string): unknown => path.split('.').reduce((v: any, key) => v?.[key], object);
  const shown = (v: unknown) => (v === undefined ? '<no value>' : typeof v === 'object' ? JSON.stringify(sorted(v)) : String(v));
  print(p, `${template.replace(/\{\{-?\s*\.([\w.]+)\s*-?\}\}/g, (_, path: string) => shown(field(path)))}\n`);
  return 0;
}

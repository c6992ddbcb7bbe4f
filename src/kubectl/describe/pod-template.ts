// Containers, volumes and the rest of a pod's spec (k8s.io/kubectl v0.36.3, pkg/describe/describe.go).

import { formatLabelSelector } from '../../apiserver/labels.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { sprint } from '../../sim/go-print.ts';
import { goQuote } from '../../sim/quote.ts';
import { rfc1123z } from '../time.ts';
import { annotationsMultiline, type Description, goList, labelsMultiline, multiline, orNone, put, sortedKeys, truth } from './writer.ts';

type Any = any;

export function describePodTemplate(d: Description, template: Any): void {
  put(d, 0, 'Pod Template:\n');
  if (!template) {
    put(d, 1, '<unset>');
    return;
  }
  const spec = template.spec ?? {};
  labelsMultiline(d, '  Labels', template.metadata?.labels);
  if (Object.keys(template.metadata?.annotations ?? {}).length) annotationsMultiline(d, '  Annotations', template.metadata.annotations);
  if (spec.serviceAccountName) put(d, 1, `Service Account:\t${spec.serviceAccountName}\n`);
  if (spec.initContainers?.length) describeContainers(d, 'Init Containers', spec.initContainers, undefined, null, '  ');
  describeContainers(d, 'Containers', spec.containers ?? [], undefined, null, '  ');
  describeVolumes(d, spec.volumes ?? [], '  ');
  describeTopologySpread(d, spec.topologySpreadConstraints ?? [], '  ');
  if (spec.priorityClassName) put(d, 1, `Priority Class Name:\t${spec.priorityClassName}\n`);
  labelsMultiline(d, '  Node-Selectors', spec.nodeSelector);
  tolerationsMultiline(d, '  Tolerations', spec.tolerations ?? []);
}

export function tolerationsMultiline(d: Description, title: string, tolerations: Any[]): void {
  const rows = [...tolerations].sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : (a.key ?? '') > (b.key ?? '') ? 1 : 0));
  multiline(
    d,
    title,
    rows.map(t => {
      let s = `${t.key ?? ''}${t.value ? `=${t.value}` : ''}${t.effect ? `:${t.effect}` : ''}`;
      if (t.operator === 'Exists' && !t.value) s += t.key || t.effect ? ' op=Exists' : 'op=Exists';
      return t.tolerationSeconds !== undefined && t.tolerationSeconds !== null ? `${s} for ${t.tolerationSeconds}s` : s;
    }),
  );
}

export function describeTopologySpread(d: Description, constraints: Any[], space: string): void {
  if (!constraints.length) return;
  const rows = [...constraints].sort((a, b) => (a.topologyKey < b.topologyKey ? -1 : a.topologyKey > b.topologyKey ? 1 : 0));
  put(d, 0, `${space}Topology Spread Constraints:\t`);
  rows.forEach((c, i) => {
    if (i) put(d, 0, `${space}\t`);
    const selector = c.labelSelector ? ` for selector ${formatLabelSelector(c.labelSelector)}` : '';
    put(d, 0, `${c.topologyKey}:${c.whenUnsatisfiable} when max skew ${c.maxSkew} is exceeded${selector}\n`);
  });
}

// -------------------------------------------------------------- containers

/** `pod` resolves the fields that environment variables refer to; null in a template. */
export function describeContainers(
  d: Description,
  label: string,
  containers: Any[],
  statuses: Any[] | undefined,
  pod: KubeObject | null,
  space: string,
): void {
  put(d, 0, `${space}${label}:${containers.length ? '' : ' <none>'}\n`);
  for (const c of containers) {
    const status = statuses?.find(s => s.name === c.name);
    basicInfo(d, c, status, space);
    command(d, 'Command', c.command);
    command(d, 'Args', c.args);
    if (status) containerState(d, status);
    describeResources(d, c.resources, 2);
    for (const [title, probe] of [
      ['Liveness', c.livenessProbe],
      ['Readiness', c.readinessProbe],
      ['Startup', c.startupProbe],
    ] as const)
      if (probe) put(d, 2, `${title}:\t${probeText(probe)}\n`);
    if (c.envFrom?.length) envFrom(d, c);
    environment(d, c, pod);
    mounts(d, c);
  }
}

const ports = (list: Any[] | undefined, field: string): string =>
  (list ?? []).map(p => `${p[field] ?? 0}/${p.protocol ?? 'TCP'}${p.name ? ` (${p.name})` : ''}`).join(', ');

function basicInfo(d: Description, c: Any, status: Any, space: string): void {
  put(d, 1, `${space ? ' ' : ''}${c.name}:\n`);
  if (status) put(d, 2, `Container ID:\t${status.containerID ?? ''}\n`);
  put(d, 2, `Image:\t${c.image ?? ''}\n`);
  if (status) put(d, 2, `Image ID:\t${status.imageID ?? ''}\n`);
  const own = ports(c.ports, 'containerPort');
  put(d, 2, own.includes(',') ? `Ports:\t${own}\n` : `Port:\t${orNone(own)}\n`);
  const host = ports(c.ports, 'hostPort');
  put(d, 2, host.includes(',') ? `Host Ports:\t${host}\n` : `Host Port:\t${orNone(host)}\n`);
  const seccomp = c.securityContext?.seccompProfile;
  if (seccomp) {
    put(d, 2, `SeccompProfile:\t${seccomp.type}\n`);
    if (seccomp.type === 'Localhost') put(d, 3, `LocalhostProfile:\t${seccomp.localhostProfile}\n`);
  }
}

function command(d: Description, title: string, words: string[] | undefined): void {
  if (!words?.length) return;
  put(d, 2, `${title}:\n`);
  for (const w of words) for (const s of w.split('\n')) put(d, 3, `${s}\n`);
}

function containerState(d: Description, status: Any): void {
  stateText(d, 'State', status.state ?? {});
  if (status.lastState?.terminated) stateText(d, 'Last State', status.lastState);
  put(d, 2, `Ready:\t${truth(status.ready)}\n`);
  put(d, 2, `Restart Count:\t${status.restartCount ?? 0}\n`);
}

function stateText(d: Description, name: string, state: Any): void {
  if (state.running) {
    put(d, 2, `${name}:\tRunning\n`);
    put(d, 3, `Started:\t${rfc1123z(state.running.startedAt)}\n`);
  } else if (state.terminated) {
    const t = state.terminated;
    put(d, 2, `${name}:\tTerminated\n`);
    if (t.reason) put(d, 3, `Reason:\t${t.reason}\n`);
    if (t.message) put(d, 3, `Message:\t${t.message}\n`);
    put(d, 3, `Exit Code:\t${t.exitCode ?? 0}\n`);
    if (t.signal > 0) put(d, 3, `Signal:\t${t.signal}\n`);
    put(d, 3, `Started:\t${rfc1123z(t.startedAt)}\n`);
    put(d, 3, `Finished:\t${rfc1123z(t.finishedAt)}\n`);
  } else {
    put(d, 2, `${name}:\tWaiting\n`);
    if (state.waiting?.reason) put(d, 3, `Reason:\t${state.waiting.reason}\n`);
  }
}

export function describeResources(d: Description, resources: Any, level: number): void {
  for (const [title, list] of [
    ['Limits', resources?.limits],
    ['Requests', resources?.requests],
  ] as const) {
    if (!Object.keys(list ?? {}).length) continue;
    put(d, level, `${title}:\n`);
    for (const k of sortedKeys(list)) put(d, level + 1, `${k}:\t${list[k]}\n`);
  }
}

/** net.JoinHostPort */
const joinHostPort = (host: string, port: unknown): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** url.URL.String's escaping of a path. */
const escapePath = (p: string): string =>
  encodeURI(p)
    .replace(/%25/g, '%')
    .replace(/[?#]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function probeText(p: Any): string {
  const attributes = `delay=${p.initialDelaySeconds ?? 0}s timeout=${p.timeoutSeconds ?? 0}s period=${p.periodSeconds ?? 0}s #success=${p.successThreshold ?? 0} #failure=${p.failureThreshold ?? 0}`;
  if (p.exec) return `exec ${goList(p.exec.command)} ${attributes}`;
  if (p.httpGet) {
    const path = p.httpGet.path ?? '';
    const host = joinHostPort(p.httpGet.host ?? '', p.httpGet.port);
    const scheme = (p.httpGet.scheme ?? '').toLowerCase();
    return `http-get ${scheme ? `${scheme}:` : ''}//${host}${path && !path.startsWith('/') ? '/' : ''}${escapePath(path)} ${attributes}`;
  }
  if (p.tcpSocket) return `tcp-socket ${p.tcpSocket.host ?? ''}:${p.tcpSocket.port} ${attributes}`;
  if (p.grpc) return `grpc <pod>:${p.grpc.port} ${p.grpc.service ?? ''} ${attributes}`;
  return `unknown ${attributes}`;
}

function envFrom(d: Description, c: Any): void {
  put(d, 2, 'Environment Variables from:\n');
  for (const e of c.envFrom) {
    const [from, ref] = e.configMapRef ? ['ConfigMap', e.configMapRef] : ['Secret', e.secretRef ?? {}];
    const prefix = e.prefix ? ` with prefix '${e.prefix}'` : '';
    put(d, 3, `${ref.name ?? ''}\t${from}${prefix}\tOptional: ${ref.optional === true}\n`);
  }
}

function environment(d: Description, c: Any, pod: KubeObject | null): void {
  put(d, 2, `Environment:${c.env?.length ? '' : '\t<none>'}\n`);
  for (const e of c.env ?? []) {
    const from = e.valueFrom;
    if (!from) {
      (e.value ?? '').split('\n').forEach((s: string, i: number) => {
        put(d, 3, i ? `\t${s}\n` : `${e.name}:\t${s}\n`);
      });
    } else if (from.fieldRef) {
      const value = pod ? fieldOf(pod, from.fieldRef.fieldPath) : '';
      put(d, 3, `${e.name}:\t${value} (${from.fieldRef.apiVersion ?? 'v1'}:${from.fieldRef.fieldPath})\n`);
    } else if (from.resourceFieldRef) {
      const resource = from.resourceFieldRef.resource;
      const [list, name] = resource.split('.');
      const found = c.resources?.[list]?.[name];
      const value =
        found === undefined
          ? resource === 'limits.cpu' || resource === 'limits.memory'
            ? 'node allocatable'
            : '0'
          : wholeQuantity(found, name);
      put(d, 3, `${e.name}:\t${value} (${resource})\n`);
    } else if (from.secretKeyRef) {
      const r = from.secretKeyRef;
      put(d, 3, `${e.name}:\t<set to the key '${r.key}' in secret '${r.name}'>\tOptional: ${r.optional === true}\n`);
    } else if (from.configMapKeyRef) {
      const r = from.configMapKeyRef;
      put(d, 3, `${e.name}:\t<set to the key '${r.key}' of config map '${r.name}'>\tOptional: ${r.optional === true}\n`);
    }
  }
}

const SCALE: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

function wholeQuantity(q: unknown, _name: string): string {
  const m = /^([\d.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(q));
  return m ? String(Math.ceil(Number(m[1]) * SCALE[m[2] ?? ''])) : String(q);
}

/** kubectl's own scheme knows these two labels of fields and no other (EnvValueRetriever): the rest stays blank. */
function fieldOf(pod: KubeObject, path: string): string {
  if (path === 'metadata.name') return pod.metadata.name;
  return path === 'metadata.namespace' ? (pod.metadata.namespace ?? '') : '';
}

function mounts(d: Description, c: Any): void {
  const rows = [...(c.volumeMounts ?? [])].sort((a, b) => (a.mountPath < b.mountPath ? -1 : a.mountPath > b.mountPath ? 1 : 0));
  put(d, 2, `Mounts:${rows.length ? '' : '\t<none>'}\n`);
  for (const m of rows)
    put(d, 3, `${m.mountPath} from ${m.name} (${m.readOnly ? 'ro' : 'rw'}${m.subPath ? `,path=${goQuote(m.subPath)}` : ''})\n`);
  if (!c.volumeDevices?.length) return;
  put(d, 2, `Devices:${rows.length ? '' : '\t<none>'}\n`);
  for (const v of [...c.volumeDevices].sort((a, b) => (a.devicePath < b.devicePath ? -1 : 1)))
    put(d, 3, `${v.devicePath} from ${v.name}\n`);
}

// ----------------------------------------------------------------- volumes

/** Each source: its words, and its fields in order. */
const VOLUME_SOURCES: Record<string, (v: Any) => [string, unknown][]> = {
  hostPath: v => [
    ['Type', 'HostPath (bare host directory volume)'],
    ['Path', v.path],
    ['HostPathType', v.type ?? '<none>'],
  ],
  emptyDir: v => [
    ['Type', "EmptyDir (a temporary directory that shares a pod's lifetime)"],
    ['Medium', v.medium ?? ''],
    ['SizeLimit', v.sizeLimit && v.sizeLimit !== '0' ? v.sizeLimit : '<unset>'],
  ],
  secret: v => [
    ['Type', 'Secret (a volume populated by a Secret)'],
    ['SecretName', v.secretName ?? ''],
    ['Optional', v.optional === true],
  ],
  configMap: v => [
    ['Type', 'ConfigMap (a volume populated by a ConfigMap)'],
    ['Name', v.name ?? ''],
    ['Optional', v.optional === true],
  ],
  nfs: v => [
    ['Type', 'NFS (an NFS mount that lasts the lifetime of a pod)'],
    ['Server', v.server],
    ['Path', v.path],
    ['ReadOnly', v.readOnly === true],
  ],
  persistentVolumeClaim: v => [
    ['Type', 'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)'],
    ['ClaimName', v.claimName],
    ['ReadOnly', v.readOnly === true],
  ],
  downwardAPI: v => [
    ['Type', 'DownwardAPI (a volume populated by information about the pod)'],
    ['Items', ''],
    ...(v.items ?? []).flatMap((i: Any): [string, unknown][] =>
      i.fieldRef ? [[`  ${i.fieldRef.fieldPath} -> ${i.path}`, null]] : [[`  ${i.resourceFieldRef?.resource} -> ${i.path}`, null]],
    ),
  ],
  projected: v => [
    ['Type', 'Projected (a volume that contains injected data from multiple sources)'],
    ...(v.sources ?? []).flatMap((s: Any): [string, unknown][] => {
      if (s.secret)
        return [
          ['SecretName', s.secret.name],
          ['Optional', s.secret.optional === true],
        ];
      if (s.downwardAPI) return [['DownwardAPI', true]];
      if (s.configMap)
        return [
          ['ConfigMapName', s.configMap.name],
          ['Optional', s.configMap.optional === true],
        ];
      if (s.serviceAccountToken) return [['TokenExpirationSeconds', s.serviceAccountToken.expirationSeconds]];
      return [];
    }),
  ],
  csi: v => [
    ['Type', 'CSI (a Container Storage Interface (CSI) volume source)'],
    ['Driver', v.driver],
    ['FSType', v.fsType ?? ''],
    ...(v.volumeHandle !== undefined ? ([['VolumeHandle', v.volumeHandle]] as [string, unknown][]) : []),
    ['ReadOnly', v.readOnly === true],
    [
      'VolumeAttributes',
      sortedKeys(v.volumeAttributes)
        .map(k => `${k}=${v.volumeAttributes[k]}`)
        .join(`\n${' '.repeat(4)}\t`) || '<none>',
    ],
  ],
  local: v => [
    ['Type', 'LocalVolume (a persistent volume backed by local storage on a node)'],
    ['Path', v.path],
  ],
  image: v => [
    ['Type', 'Image (a container image or OCI artifact)'],
    ['Reference', v.reference],
    ['PullPolicy', v.pullPolicy ?? ''],
  ],
  ephemeral: v => [
    ['Type', 'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)'],
    ['StorageClass', v.volumeClaimTemplate?.spec?.storageClassName ?? ''],
    ['Volume', ''],
    ['Labels', '<none>'],
    ['Annotations', '<none>'],
    ['Capacity', ''],
    ['Access Modes', ''],
    ['VolumeMode', v.volumeClaimTemplate?.spec?.volumeMode ?? 'Filesystem'],
  ],
};

export function volumeSource(d: Description, source: Any): void {
  const kind = Object.keys(VOLUME_SOURCES).find(k => source[k]);
  if (!kind) {
    put(d, 1, '<unknown>\n');
    return;
  }
  for (const [name, value] of VOLUME_SOURCES[kind](source[kind]))
    put(d, 2, value === null ? `${name}\n` : name === 'Items' ? 'Items:\n' : `${name}:\t${sprint(value)}\n`);
}

export function describeVolumes(d: Description, volumes: Any[], space: string): void {
  if (!volumes.length) {
    put(d, 0, `${space}Volumes:\t<none>\n`);
    return;
  }
  put(d, 0, `${space}Volumes:\n`);
  for (const v of volumes) {
    put(d, 1, `${space ? ' ' : ''}${v.name}:\n`);
    volumeSource(d, v);
  }
}

// Sidecar injection: what the webhook makes of a pod (files/injection-template.yaml and pkg/kube/inject 1.28, with native sidecars, which are
// the default from Kubernetes 1.33 on).
import type { AdmissionAnswer, AdmissionReview, KubeObject } from '../../apiserver/types.ts';
import { rewriteProbes } from './app-probes.ts';
import { PROXY_IMAGE, PROXY_UID, TRUST_DOMAIN } from './names.ts';

type Any = any;
type Words = Record<string, string>;

/** inject.IgnoredNamespaces */
const IGNORED = ['kube-system', 'kube-public', 'kube-node-lease', 'local-path-storage'];
const TRUE = ['y', 'yes', 'true', 'on'];
const FALSE = ['n', 'no', 'false', 'off'];

/** pkg/kube/inject/inject.go injectRequired; the webhook's selectors have chosen already. */
function wanted(pod: KubeObject, namespace: string): boolean {
  if (pod.spec?.hostNetwork || IGNORED.includes(namespace)) return false;
  const said = pod.metadata.labels?.['sidecar.istio.io/inject'] ?? pod.metadata.annotations?.['sidecar.istio.io/inject'] ?? '';
  return TRUE.includes(said.toLowerCase()) || !FALSE.includes(said.toLowerCase());
}

/** What made the pod: a ReplicaSet's Deployment by the name that its hash is cut from (pkg/kube/util.go GetDeployMetaFromPod). */
export function workloadOf(pod: KubeObject): { name: string; kind: string; apiVersion: string } {
  const { metadata } = pod;
  const owner = (metadata.ownerReferences ?? []).find(o => o.controller);
  if (!owner) return { name: metadata.name || (metadata.generateName ?? '').replace(/-$/, ''), kind: 'Pod', apiVersion: 'v1' };
  const hash = metadata.labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return { name: owner.name.slice(0, -hash.length - 1), kind: 'Deployment', apiVersion: 'apps/v1' };
  const cron = owner.kind === 'Job' ? /^(.+)-\d{8,10}$/.exec(owner.name) : null;
  if (cron) return { name: cron[1], kind: 'CronJob', apiVersion: 'batch/v1' };
  return { name: owner.name, kind: owner.kind, apiVersion: owner.apiVersion };
}

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } });
const resource = (name: string, key: string) => ({ name, valueFrom: { resourceFieldRef: { divisor: '0', resource: key } } });

function resources(notes: Words): Any {
  const own = ['proxyCPU', 'proxyMemory', 'proxyCPULimit', 'proxyMemoryLimit'].map(k => notes[`sidecar.istio.io/${k}`]);
  if (!own.some(Boolean)) return { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '10m', memory: '40Mi' } };
  const part = (cpu?: string, memory?: string) => ({ ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) });
  return {
    ...(own[2] || own[3] ? { limits: part(own[2], own[3]) } : {}),
    ...(own[0] || own[1] ? { requests: part(own[0], own[1]) } : {}),
  };
}

const ports = (pod: KubeObject): Any[] =>
  [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((c: Any) => c.restartPolicy === 'Always')].flatMap(
    (c: Any) => c.ports ?? [],
  );

function environment(pod: KubeObject, namespace: string, probers: string | null): Any[] {
  const w = workloadOf(pod);
  const shown = ports(pod).map((p: Any) => JSON.stringify({ name: p.name, containerPort: p.containerPort, protocol: p.protocol }));
  const notes = Object.keys(pod.metadata.annotations ?? {}).length ? JSON.stringify(pod.metadata.annotations) : '';
  const plural = w.kind === 'Pod' ? 'pods' : `${w.kind.toLowerCase()}s`;
  const list: Any[] = [
    { name: 'PILOT_CERT_PROVIDER', value: 'istiod' },
    { name: 'CA_ADDR', value: 'istiod.istio-system.svc:15012' },
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('INSTANCE_IP', 'status.podIP'),
    field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    field('HOST_IP', 'status.hostIP'),
    resource('ISTIO_CPU_LIMIT', 'limits.cpu'),
    { name: 'PROXY_CONFIG', value: '{}\n' },
    { name: 'ISTIO_META_POD_PORTS', value: shown.length ? `[\n    ${shown.join('\n    ,')}\n]` : '[\n]' },
    { name: 'ISTIO_META_APP_CONTAINERS', value: pod.spec.containers.map((c: Any) => c.name).join(',') },
    resource('GOMEMLIMIT', 'limits.memory'),
    resource('GOMAXPROCS', 'limits.cpu'),
    { name: 'ISTIO_META_CLUSTER_ID', value: 'Kubernetes' },
    field('ISTIO_META_NODE_NAME', 'spec.nodeName'),
    { name: 'ISTIO_META_INTERCEPTION_MODE', value: pod.metadata.annotations?.['sidecar.istio.io/interceptionMode'] ?? 'REDIRECT' },
    ...(notes ? [{ name: 'ISTIO_METAJSON_ANNOTATIONS', value: `${notes}\n` }] : []),
    { name: 'ISTIO_META_WORKLOAD_NAME', value: w.name },
    { name: 'ISTIO_META_OWNER', value: `kubernetes://apis/${w.apiVersion}/namespaces/${namespace}/${plural}/${w.name}` },
    { name: 'ISTIO_META_MESH_ID', value: TRUST_DOMAIN },
    { name: 'TRUST_DOMAIN', value: TRUST_DOMAIN },
  ];
  return probers ? [...list, { name: 'ISTIO_KUBE_APP_PROBERS', value: probers }] : list;
}

const MOUNTS: [string, string][] = [
  ['workload-socket', '/var/run/secrets/workload-spiffe-uds'],
  ['credential-socket', '/var/run/secrets/credential-uds'],
  ['workload-certs', '/var/run/secrets/workload-spiffe-credentials'],
  ['istiod-ca-cert', '/var/run/secrets/istio'],
  ['istio-ca-crl', '/var/run/secrets/istio/crl'],
  ['istio-data', '/var/lib/istio/data'],
  ['istio-envoy', '/etc/istio/proxy'],
  ['istio-token', '/var/run/secrets/tokens'],
  ['istio-podinfo', '/etc/istio/pod'],
];

const volumes = (): Any[] => [
  { emptyDir: {}, name: 'workload-socket' },
  { emptyDir: {}, name: 'credential-socket' },
  { emptyDir: {}, name: 'workload-certs' },
  { emptyDir: { medium: 'Memory' }, name: 'istio-envoy' },
  { emptyDir: {}, name: 'istio-data' },
  {
    downwardAPI: {
      items: ['labels', 'annotations'].map(path => ({ fieldRef: { apiVersion: 'v1', fieldPath: `metadata.${path}` }, path })),
    },
    name: 'istio-podinfo',
  },
  {
    name: 'istio-token',
    projected: { sources: [{ serviceAccountToken: { audience: 'istio-ca', expirationSeconds: 43200, path: 'istio-token' } }] },
  },
  { configMap: { name: 'istio-ca-root-cert' }, name: 'istiod-ca-cert' },
  { configMap: { name: 'istio-ca-crl', optional: true }, name: 'istio-ca-crl' },
];

const traffic = (notes: Words, name: string, fallback: string): string => notes[`traffic.sidecar.istio.io/${name}`] ?? fallback;

function initContainer(notes: Words): Any {
  const excluded = [...new Set(['15020', ...traffic(notes, 'excludeInboundPorts', '').split(',')])].filter(Boolean).join(',');
  const outbound = notes['traffic.sidecar.istio.io/excludeOutboundPorts'];
  const include = notes['traffic.sidecar.istio.io/includeOutboundPorts'];
  return {
    name: 'istio-init',
    image: PROXY_IMAGE,
    args: [
      'istio-iptables',
      '-p',
      '15001',
      '-z',
      '15006',
      '-u',
      String(PROXY_UID),
      '-m',
      notes['sidecar.istio.io/interceptionMode'] ?? 'REDIRECT',
      '-i',
      traffic(notes, 'includeOutboundIPRanges', '*'),
      '-x',
      traffic(notes, 'excludeOutboundIPRanges', ''),
      '-b',
      traffic(notes, 'includeInboundPorts', '*'),
      '-d',
      `15090,15021,${excluded}`,
      ...(include === undefined ? [] : ['-q', include]),
      ...(outbound === undefined ? [] : ['-o', outbound]),
      '--log_output_level=default:info',
    ],
    resources: resources(notes),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: false,
      runAsGroup: 0,
      runAsNonRoot: false,
      runAsUser: 0,
    },
  };
}

const ready = (more: object) => ({ httpGet: { path: '/healthz/ready', port: 15021 }, ...more });

function proxyContainer(pod: KubeObject, namespace: string, native: boolean, probers: string | null): Any {
  const notes = pod.metadata.annotations ?? {};
  return {
    name: 'istio-proxy',
    image: notes['sidecar.istio.io/proxyImage'] ?? PROXY_IMAGE,
    args: [
      'proxy',
      'sidecar',
      '--domain',
      '$(POD_NAMESPACE).svc.cluster.local',
      `--proxyLogLevel=${notes['sidecar.istio.io/logLevel'] ?? 'warning'}`,
      `--proxyComponentLogLevel=${notes['sidecar.istio.io/componentLogLevel'] ?? 'misc:error'}`,
      '--log_output_level=default:info',
    ],
    env: environment(pod, namespace, probers),
    ...(native
      ? {
          lifecycle: { preStop: { exec: { command: ['pilot-agent', 'request', '--debug-port=15020', 'POST', 'drain'] } } },
          restartPolicy: 'Always',
        }
      : {}),
    ports: [{ containerPort: 15090, name: 'http-envoy-prom', protocol: 'TCP' }],
    readinessProbe: ready({ failureThreshold: 4, periodSeconds: 15, timeoutSeconds: 3 }),
    startupProbe: ready({ failureThreshold: 600, periodSeconds: 1, timeoutSeconds: 3 }),
    resources: resources(notes),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: PROXY_UID,
      runAsNonRoot: true,
      runAsUser: PROXY_UID,
    },
    volumeMounts: MOUNTS.map(([name, mountPath]) => ({ mountPath, name })),
  };
}

/** The container of a proxy that stands alone, and what it mounts. */
export function gatewayContainer(name: string, namespace: string): { container: object; volumes: object[] } {
  const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec: { containers: [] } };
  const { startupProbe: _, ...rest } = proxyContainer(pod, namespace, false, null);
  return { container: { ...rest, args: ['proxy', 'router', ...rest.args.slice(2)] }, volumes: volumes() };
}

/** The webhook at /inject. */
export function inject({ object: pod, namespace }: AdmissionReview): AdmissionAnswer {
  const notes = pod.metadata.annotations ?? {};
  if (!wanted(pod, namespace) || notes['sidecar.istio.io/status']) return { allowed: true };
  if (/\bgateway\b/.test(notes['inject.istio.io/templates'] ?? '')) return { allowed: true, object: asGateway(pod, namespace) };
  const native = notes['sidecar.istio.io/nativeSidecar'] !== 'false';
  const probers = rewriteProbes(pod);
  const proxy = proxyContainer(pod, namespace, native, probers);
  const init = notes['sidecar.istio.io/interceptionMode'] === 'NONE' ? [] : [initContainer(notes)];
  const { spec } = pod;
  spec.initContainers = [...init, ...(native ? [proxy] : []), ...(spec.initContainers ?? [])];
  const first = spec.containers[0]?.name;
  if (!native) {
    const holds = /holdApplicationUntilProxyStarts"?:\s*true/.test(notes['proxy.istio.io/config'] ?? '');
    spec.containers = holds ? [proxy, ...spec.containers] : [...spec.containers, proxy];
  }
  const taken = new Set((spec.volumes ?? []).map((v: Any) => v.name));
  spec.volumes = [...volumes().filter(v => !taken.has(v.name)), ...(spec.volumes ?? [])];
  mark(pod, first, {
    initContainers: [...init.map(c => c.name), ...(native ? ['istio-proxy'] : [])],
    containers: native ? null : ['istio-proxy'],
    volumes: volumes().map(v => v.name),
    imagePullSecrets: null,
    revision: 'default',
  });
  return { allowed: true, object: pod };
}

/** Labels and annotations that tell what was done; what is there already stays. */
function mark(pod: KubeObject, container: string, status: object): void {
  const { metadata } = pod;
  const labels = metadata.labels ?? {};
  const name = labels['app.kubernetes.io/name'] ?? labels.app ?? workloadOf(pod).name;
  metadata.labels = {
    'security.istio.io/tlsMode': 'istio',
    'service.istio.io/canonical-name': name,
    'service.istio.io/canonical-revision': labels['app.kubernetes.io/version'] ?? labels.version ?? 'latest',
    ...labels,
  };
  metadata.annotations = {
    'istio.io/rev': 'default',
    'kubectl.kubernetes.io/default-container': container,
    'kubectl.kubernetes.io/default-logs-container': container,
    'prometheus.io/path': '/stats/prometheus',
    'prometheus.io/port': '15020',
    'prometheus.io/scrape': 'true',
    ...metadata.annotations,
    'sidecar.istio.io/status': JSON.stringify(status),
  };
}

/** The template `gateway`: the container istio-proxy, whose image is `auto`, becomes a gateway's proxy (files/gateway-injection-template.yaml). */
function asGateway(pod: KubeObject, namespace: string): KubeObject {
  const { spec } = pod;
  const proxy = proxyContainer(pod, namespace, false, null);
  spec.containers = spec.containers.map((c: Any) => {
    if (c.name !== 'istio-proxy') return c;
    const { startupProbe: _, ...rest } = proxy;
    const own = Object.fromEntries(Object.entries(c).filter(([k]) => k !== 'image' && k !== 'volumeMounts'));
    return {
      ...rest,
      args: ['proxy', 'router', ...rest.args.slice(2)],
      ...own,
      env: [...rest.env, ...(c.env ?? [])],
      ports: [...(c.ports ?? []), ...rest.ports],
      volumeMounts: [...rest.volumeMounts, ...(c.volumeMounts ?? [])],
    };
  });
  spec.securityContext = { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }], ...spec.securityContext };
  spec.volumes = [...volumes(), ...(spec.volumes ?? [])];
  mark(pod, 'istio-proxy', {
    initContainers: null,
    containers: ['istio-proxy'],
    volumes: volumes().map(v => v.name),
    imagePullSecrets: null,
    revision: 'default',
  });
  return pod;
}

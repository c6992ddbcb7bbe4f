// Defaults of pods and pod templates (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go v1.36.3). Objects are changed in place.

import { aggregateRequests } from './pod-resources.ts';

type Spec = any;

const NAME = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const DOMAIN = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?';
const IMAGE = new RegExp(
  `^(?:(?:${DOMAIN})/)?${NAME}(?:/${NAME})*(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** pkg/util/parsers ParseImageName: `latest` when neither tag nor digest is given, '' when the name is no image. */
function imageTag(image: string): string {
  const m = IMAGE.exec(image);
  if (!m || /^[0-9a-f]{64}$/.test(image)) return '';
  if (m[1]) return m[1];
  return m[2] ? '' : 'latest';
}

export const pullPolicy = (image: string | undefined): string => (imageTag(image ?? '') === 'latest' ? 'Always' : 'IfNotPresent');

function defaultHandler(h: Spec): void {
  if (!h) return;
  if (h.httpGet) {
    h.httpGet.path ||= '/';
    h.httpGet.scheme ||= 'HTTP';
  }
  if (h.grpc) h.grpc.service ??= '';
}

function defaultProbe(p: Spec): void {
  if (!p) return;
  defaultHandler(p);
  p.timeoutSeconds ||= 1;
  p.periodSeconds ||= 10;
  p.successThreshold ||= 1;
  p.failureThreshold ||= 3;
}

function defaultContainer(c: Spec): void {
  for (const p of c.ports ?? []) p.protocol ||= 'TCP';
  for (const e of c.env ?? []) {
    if (e.valueFrom?.fieldRef) e.valueFrom.fieldRef.apiVersion ||= 'v1';
    if (e.valueFrom?.fileKeyRef) e.valueFrom.fileKeyRef.optional ??= false;
  }
  defaultProbe(c.livenessProbe);
  defaultProbe(c.readinessProbe);
  defaultProbe(c.startupProbe);
  defaultHandler(c.lifecycle?.postStart);
  defaultHandler(c.lifecycle?.preStop);
  c.imagePullPolicy ||= pullPolicy(c.image);
  c.terminationMessagePath ||= '/dev/termination-log';
  c.terminationMessagePolicy ||= 'File';
}

function defaultDownwardItems(items: Spec[] | undefined): void {
  for (const i of items ?? []) if (i.fieldRef) i.fieldRef.apiVersion ||= 'v1';
}

function defaultVolume(v: Spec): void {
  if (Object.keys(v).every(k => k === 'name')) v.emptyDir = {};
  if (v.hostPath) v.hostPath.type ??= '';
  if (v.secret) v.secret.defaultMode ??= 420;
  if (v.configMap) v.configMap.defaultMode ??= 420;
  if (v.downwardAPI) {
    v.downwardAPI.defaultMode ??= 420;
    defaultDownwardItems(v.downwardAPI.items);
  }
  if (v.projected) {
    v.projected.defaultMode ??= 420;
    for (const s of v.projected.sources ?? []) {
      defaultDownwardItems(s.downwardAPI?.items);
      if (s.serviceAccountToken) s.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (v.iscsi) v.iscsi.iscsiInterface ||= 'default';
  if (v.rbd) {
    v.rbd.pool ||= 'rbd';
    v.rbd.user ||= 'admin';
    v.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (v.azureDisk) {
    v.azureDisk.cachingMode ??= 'ReadWrite';
    v.azureDisk.fsType ??= 'ext4';
    v.azureDisk.readOnly ??= false;
    v.azureDisk.kind ??= 'Shared';
  }
  if (v.scaleIO) {
    v.scaleIO.storageMode ||= 'ThinProvisioned';
    v.scaleIO.fsType ||= 'xfs';
  }
  if (v.ephemeral?.volumeClaimTemplate) v.ephemeral.volumeClaimTemplate.spec.volumeMode ??= 'Filesystem';
  if (v.image) v.image.pullPolicy ||= pullPolicy(v.image.reference);
}

/** Of every PodSpec, also in templates. */
function defaultPodSpec(spec: Spec): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  // Conversion keeps the deprecated field beside the new one.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const v of spec.volumes ?? []) defaultVolume(v);
  for (const c of spec.initContainers ?? []) defaultContainer(c);
  for (const c of spec.containers ?? []) defaultContainer(c);
  for (const c of spec.ephemeralContainers ?? []) defaultContainer(c);
  if (spec.hostNetwork) hostPorts(spec);
}

/** With the host's network, container ports are host ports. */
function hostPorts(spec: Spec): void {
  for (const c of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const p of c.ports ?? []) p.hostPort ||= p.containerPort;
  }
}

export function defaultPodTemplate(template: Spec): void {
  if (template?.spec) defaultPodSpec(template.spec);
}

/** Of a Pod itself. */
export function defaultPod(pod: Spec): void {
  const { spec } = pod;
  if (!spec) return;
  for (const c of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = c.resources?.limits;
    if (!limits || !Object.keys(limits).length) continue;
    c.resources.requests = { ...limits, ...c.resources.requests };
  }
  if (spec.resources?.limits && Object.keys(spec.resources.limits).length) {
    const requests = { ...spec.resources.requests };
    const sums = aggregateRequests(spec);
    for (const k of ['cpu', 'memory']) if (!(k in requests) && k in sums) requests[k] = sums[k];
    for (const k in spec.resources.limits) requests[k] ??= spec.resources.limits[k];
    if (Object.keys(requests).length) spec.resources.requests = requests;
  }
  spec.enableServiceLinks ??= true;
  defaultPodSpec(spec);
}

// Pulling images: policies, events, back-off (pkg/kubelet/images/image_manager.go v1.36, containerd 2.2's texts).
import { recordEvent } from '../apiserver/recorder.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { hex, stringToBytes } from '../sim/bytes.ts';
import { sha256 } from '../sim/sha256.ts';
import type { Co } from '../sim/task.ts';
import { pause } from './pause.ts';
import type { ContainerRuntime, ImageConfig, Kubelet } from './types.ts';

export interface PullFailure {
  reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName';
  message: string;
}

/** `nginx` -> `docker.io/library/nginx:latest`. */
function canonicalImage(image: string): string {
  let name = image;
  const first = name.split('/')[0];
  if (!name.includes('/')) name = `docker.io/library/${name}`;
  else if (!/[.:]/.test(first) && first !== 'localhost') name = `docker.io/${name}`;
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last.includes(':') || name.includes('@') ? name : `${name}:latest`;
}

/** containerStatus.imageID: the repository's digest. */
function imageId(image: string): string {
  const full = canonicalImage(image);
  if (full.includes('@')) return full;
  const colon = full.lastIndexOf(':');
  return `${full.slice(0, colon)}@sha256:${hex(sha256(stringToBytes(full)))}`;
}

const VALID = /^[a-z0-9]+([._-]+[a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@sha256:[a-f0-9]{64})?$/;

function pullError(k: Kubelet, image: string): { event: string; message: string } {
  const full = canonicalImage(image);
  const host = full.split('/')[0];
  const failed = `failed to pull and unpack image "${full}": failed to resolve image:`;
  switch (k.deps.missingImage?.(image) ?? 'tag') {
    case 'repository': {
      const text = `${failed} pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`;
      return { event: text, message: text };
    }
    case 'registry': {
      const path = full.slice(host.length + 1);
      const at = path.lastIndexOf(':');
      const url = `https://${host}/v2/${path.slice(0, at)}/manifests/${path.slice(at + 1)}`;
      const text = `${failed} failed to do request: Head "${url}": dial tcp: lookup ${host}: no such host`;
      return { event: text, message: text };
    }
    default: {
      const text = `rpc error: code = NotFound desc = ${failed} ${full}: not found`;
      return { event: text, message: text };
    }
  }
}

const round = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}ms` : `${Number((ms / 1000).toFixed(3))}s`);

const FIRST_BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 300_000;

/** EnsureImageExists. `c.pulls` is the back-off of failed pulls: 10 s doubling to five minutes. */
export function* ensureImage(
  k: Kubelet,
  pod: KubeObject,
  spec: any,
  fieldPath: string,
  c: Pick<ContainerRuntime, 'pulls'>,
): Co<{ image: ImageConfig; ref: string } | PullFailure> {
  const image: string = spec.image;
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    recordEvent(k.recorder, pod, type, reason, message, fieldPath);
  if (!VALID.test(image)) {
    const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
    event('Warning', 'InspectFailed', message);
    return { reason: 'InvalidImageName', message };
  }
  const policy = spec.imagePullPolicy ?? (/:latest$/.test(canonicalImage(image)) ? 'Always' : 'IfNotPresent');
  const found = k.deps.findImage(image);
  const present = found !== null && (k.deps.imagePresent?.(image) ?? true);
  if (present && policy !== 'Always') {
    event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
    return { image: found, ref: imageId(image) };
  }
  if (policy === 'Never') {
    const message = `Container image "${image}" is not present with pull policy of Never`;
    event('Warning', 'ErrImageNeverPull', message);
    event('Warning', 'Failed', 'Error: ErrImageNeverPull');
    return { reason: 'ErrImageNeverPull', message };
  }
  if (c.pulls?.image !== image) c.pulls = null;
  if (c.pulls && k.server.sim.nowMs - c.pulls.failedAtMs < c.pulls.backoffMs) {
    event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
    event('Warning', 'Failed', 'Error: ImagePullBackOff');
    return { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${c.pulls.message}` };
  }
  event('Normal', 'Pulling', `Pulling image "${image}"`);
  const size = found?.sizeBytes ?? 0;
  // A layer at some tens of MB a second, and the registry's own answers.
  const ms = found ? (present ? 420 : 650 + size / 40_000) + (image.length % 17) * 11 : 900;
  yield* pause(k.server.sim, ms, false);
  if (!found) {
    const error = pullError(k, image);
    event('Warning', 'Failed', `Failed to pull image "${image}": ${error.event}`);
    event('Warning', 'Failed', 'Error: ErrImagePull');
    const backoffMs = c.pulls ? Math.min(MAX_BACKOFF_MS, c.pulls.backoffMs * 2) : FIRST_BACKOFF_MS;
    c.pulls = { image, backoffMs, failedAtMs: k.server.sim.nowMs, message: error.message };
    return { reason: 'ErrImagePull', message: error.message };
  }
  c.pulls = null;
  event(
    'Normal',
    'Pulled',
    `Successfully pulled image "${image}" in ${round(ms)} (${round(ms)} including waiting). Image size: ${size} bytes.`,
  );
  return { image: found, ref: imageId(image) };
}

// What a container is started with: user, capabilities, environment, command (pkg/kubelet/kuberuntime/kuberuntime_container.go v1.36).
import type { KubeObject } from '../apiserver/types.ts';
import { LayeredEnv } from '../linux/environment.ts';
import { ALL_CAPS, DEFAULT_CAPS, DEFAULT_PATH } from '../linux/process.ts';
import { hexId } from './containers.ts';
import { containerEnv, expand } from './env.ts';
import { utsHostname } from './pod-files.ts';
import { formatPod } from './status.ts';
import type { ContainerRuntime, ImageConfig, Kubelet, PodRuntime } from './types.ts';

export interface Config {
  image: ImageConfig;
  argv: string[];
}

function userOf(pod: KubeObject, spec: any, image: ImageConfig): number | null {
  const asked = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  if (asked !== undefined) return Number(asked);
  const name = (image.user ?? '').split(':')[0];
  if (!name || name === 'root') return 0;
  return /^\d+$/.test(name) ? Number(name) : null;
}

/** The container's configuration into `c`, or why there is none. */
export function configure(
  k: Kubelet,
  rt: PodRuntime,
  pod: KubeObject,
  spec: any,
  c: ContainerRuntime,
  image: ImageConfig,
): Config | { error: string; reason: string } {
  const { env, services, error } = containerEnv(k, pod, rt, spec);
  if (error) return { error, reason: 'CreateContainerConfigError' };
  const nonRoot = spec.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  const uid = userOf(pod, spec, image);
  if (nonRoot) {
    const where = `(pod: "${formatPod(pod)}", container: ${c.name})`;
    if (uid === 0) {
      const asked = spec.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
      const text = asked === 0 ? "container's runAsUser breaks non-root policy" : 'container has runAsNonRoot and image will run as root';
      return { error: `${text} ${where}`, reason: 'CreateContainerConfigError' };
    }
    if (uid === null) {
      const text = `container has runAsNonRoot and image has non-numeric user (${image.user}), cannot verify user is non-root`;
      return { error: `${text} ${where}`, reason: 'CreateContainerConfigError' };
    }
  }
  const vars = new Map([
    ['PATH', image.env?.PATH ?? DEFAULT_PATH],
    ['HOSTNAME', utsHostname(k, pod)],
  ]);
  for (const [name, value] of Object.entries(image.env ?? {})) vars.set(name, value);
  for (const [name, value] of env) vars.set(name, value);
  c.uid = uid ?? 101;
  if (!vars.has('HOME')) vars.set('HOME', c.uid === 0 ? '/root' : '/');
  c.env = new LayeredEnv(services, vars);
  c.cwd = spec.workingDir || image.workdir || '/';
  c.caps = capsOf(spec, c.uid);
  const words = (list: string[] | undefined) => (list ?? []).map(w => expand(w, env, services));
  const entry = spec.command?.length ? words(spec.command) : (image.entrypoint ?? []);
  const args = spec.args?.length ? words(spec.args) : spec.command?.length ? [] : (image.cmd ?? []);
  const argv = [...entry, ...args];
  if (!argv.length && !k.deps.programFor?.(pod, spec)) {
    const text = `failed to generate container "${hexId(k)}" spec: failed to generate spec: no command specified`;
    return { error: text, reason: 'CreateContainerError' };
  }
  return { image, argv };
}

function capsOf(spec: any, uid: number): Set<string> {
  const security = spec.securityContext ?? {};
  if (security.privileged) return new Set(ALL_CAPS);
  const name = (s: string) => s.toUpperCase().replace(/^CAP_/, '');
  const add: string[] = (security.capabilities?.add ?? []).map(name);
  const drop: string[] = (security.capabilities?.drop ?? []).map(name);
  const caps = new Set<string>(add.includes('ALL') ? ALL_CAPS : drop.includes('ALL') ? [] : DEFAULT_CAPS);
  for (const d of drop) if (d !== 'ALL' && !add.includes('ALL')) caps.delete(d);
  for (const a of add) if (a !== 'ALL') caps.add(a);
  // execve as a user that is not root empties the effective set: there are no ambient capabilities.
  return uid === 0 ? caps : new Set();
}

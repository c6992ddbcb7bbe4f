// What the checks of Pod Security Standards have in common (k8s.io/pod-security-admission/policy/{helpers,visitor}.go v0.36.3).

import type { Json } from '../../json.ts';

/** What is wrong, in few words and in detail; null: nothing. */
export type Finding = { reason: string; detail: string } | null;

/** `meta` and `spec` of a pod, or of a template of pods. */
export type Check = (meta: Json, spec: Json) => Finding;

export const containersOf = (spec: Json): Json[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** Inner quotes stay as they are. */
export const quoted = (items: string[]): string => items.map(x => `"${x}"`).join(', ');
export const plural = (one: string, many: string, n: number): string => (n === 1 ? one : many);
export const sorted = (items: Iterable<string>): string[] => [...new Set(items)].sort();

/** `container "a"`, `containers "a", "b"` */
export const named = (containers: Json[]): string =>
  `${plural('container', 'containers', containers.length)} ${quoted(containers.map(c => c.name))}`;

/** Who has set something bad: `pod and container "a"`. */
export const setters = (pod: boolean, containers: Json[]): string =>
  [...(pod ? ['pod'] : []), ...(containers.length ? [named(containers)] : [])].join(' and ');

export const isWindows = (spec: Json): boolean => spec.os?.name === 'windows';

/** In a user namespace of its own a pod may be root. */
export const inUserNamespace = (spec: Json): boolean => spec.hostUsers === false;

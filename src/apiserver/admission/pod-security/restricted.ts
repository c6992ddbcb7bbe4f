// The restricted level (k8s.io/pod-security-admission/policy/check_*.go v0.36.3).

import type { Json } from '../../json.ts';
import { isSeccompBad, seccompProfile } from './baseline.ts';
import { type Check, containersOf, inUserNamespace, isWindows, named, plural, quoted, setters, sorted } from './containers.ts';

/** What Windows does not know is not asked of its pods. */
export const notOnWindows =
  (check: Check): Check =>
  (meta, spec) =>
    isWindows(spec) ? null : check(meta, spec);

export const unlessInUserNamespace =
  (check: Check): Check =>
  (meta, spec) =>
    inUserNamespace(spec) ? null : check(meta, spec);

export const allowPrivilegeEscalation: Check = (_, spec) => {
  const bad = containersOf(spec).filter(c => c.securityContext?.allowPrivilegeEscalation !== false);
  if (!bad.length) return null;
  return { reason: 'allowPrivilegeEscalation != false', detail: `${named(bad)} must set securityContext.allowPrivilegeEscalation=false` };
};

export const dropAll: Check = (_, spec) => {
  const of = (c: Json, k: string): string[] => c.securityContext?.capabilities?.[k] ?? [];
  const added = (c: Json) => of(c, 'add').filter(x => x !== 'NET_BIND_SERVICE');
  const keeping = containersOf(spec).filter(c => !of(c, 'drop').includes('ALL'));
  const adding = containersOf(spec).filter(c => added(c).length);
  const details: string[] = [];
  if (keeping.length) details.push(`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length) {
    details.push(`${named(adding)} must not include ${quoted(sorted(adding.flatMap(added)))} in securityContext.capabilities.add`);
  }
  return details.length ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : null;
};

const VOLUMES = 'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' ');

export const restrictedVolumes: Check = (_, spec) => {
  const sourceOf = (v: Json): string => Object.keys(v).find(k => k !== 'name' && v[k]) ?? 'unknown';
  const bad: Json[] = (spec.volumes ?? []).filter((v: Json) => !VOLUMES.includes(sourceOf(v)));
  if (!bad.length) return null;
  const types = sorted(bad.map(sourceOf));
  const what = plural('restricted volume type', 'restricted volume types', types.length);
  const who = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(v => v.name))} ${plural('uses', 'use', bad.length)}`;
  return { reason: 'restricted volume types', detail: `${who} ${what} ${quoted(types)}` };
};

export const runAsNonRoot: Check = (_, spec) => {
  const reason = 'runAsNonRoot != true';
  const set = (x: Json): boolean | undefined => x.securityContext?.runAsNonRoot;
  const no = containersOf(spec).filter(c => set(c) === false);
  if (set(spec) === false || no.length) {
    return { reason, detail: `${setters(set(spec) === false, no)} must not set securityContext.runAsNonRoot=false` };
  }
  const open = set(spec) ? [] : containersOf(spec).filter(c => set(c) === undefined || set(c) === null);
  return open.length ? { reason, detail: `pod or ${named(open)} must set securityContext.runAsNonRoot=true` } : null;
};

export const runAsUser: Check = (_, spec) => {
  const isRoot = (x: Json) => x.securityContext?.runAsUser === 0;
  const bad = containersOf(spec).filter(isRoot);
  return isRoot(spec) || bad.length ? { reason: 'runAsUser=0', detail: `${setters(isRoot(spec), bad)} must not set runAsUser=0` } : null;
};

export const seccompRequired: Check = (meta, spec) => {
  const set = (x: Json) => !!x.securityContext?.seccompProfile;
  const bad = seccompProfile(meta, spec);
  if (bad || (set(spec) && !isSeccompBad(spec))) return bad;
  const open = containersOf(spec).filter(c => !set(c));
  if (!open.length) return null;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named(open)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

// The baseline level (k8s.io/pod-security-admission/policy/check_*.go v0.36.3).

import { goQuote } from '../../../sim/quote.ts';
import type { Json } from '../../json.ts';
import { type Check, containersOf, inUserNamespace, named, plural, quoted, setters, sorted } from './containers.ts';

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

export const appArmorProfile: Check = (meta, spec) => {
  const isBad = (x: Json) =>
    x.securityContext?.appArmorProfile && !['RuntimeDefault', 'Localhost'].includes(x.securityContext.appArmorProfile.type);
  const bad = containersOf(spec).filter(isBad);
  const pod = !!isBad(spec);
  const annotations = Object.entries<string>(meta?.annotations ?? {})
    .filter(([k, v]) => k.startsWith(APPARMOR) && v && v !== 'runtime/default' && !v.startsWith('localhost/'))
    .map(([k, v]) => `${k}=${goQuote(v)}`);
  const who = [setters(pod, bad), annotations.length ? plural('annotation', 'annotations', annotations.length) : ''].filter(Boolean);
  if (!who.length) return null;
  const values = [...sorted([...(pod ? [spec] : []), ...bad].map(x => x.securityContext.appArmorProfile.type)), ...sorted(annotations)];
  return {
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
};

const CAPABILITIES = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
);

export const capabilities: Check = (_, spec) => {
  const extra = (c: Json): string[] => (c.securityContext?.capabilities?.add ?? []).filter((x: string) => !CAPABILITIES.has(x));
  const bad = containersOf(spec).filter(c => extra(c).length);
  if (!bad.length) return null;
  const what = quoted(sorted(bad.flatMap(extra)));
  return { reason: 'non-default capabilities', detail: `${named(bad)} must not include ${what} in securityContext.capabilities.add` };
};

export const hostNamespaces: Check = (_, spec) => {
  const set = ['hostNetwork', 'hostPID', 'hostIPC'].filter(k => spec[k]);
  return set.length ? { reason: 'host namespaces', detail: set.map(k => `${k}=true`).join(', ') } : null;
};

export const hostPathVolumes: Check = (_, spec) => {
  const names: string[] = (spec.volumes ?? []).filter((v: Json) => v.hostPath).map((v: Json) => v.name);
  return names.length ? { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', names.length)} ${quoted(names)}` } : null;
};

export const hostPorts: Check = (_, spec) => {
  const portsOf = (c: Json): string[] => (c.ports ?? []).filter((p: Json) => p.hostPort).map((p: Json) => String(p.hostPort));
  const bad = containersOf(spec).filter(c => portsOf(c).length);
  if (!bad.length) return null;
  const ports = sorted(bad.flatMap(portsOf));
  const what = plural('hostPort', 'hostPorts', ports.length);
  return { reason: 'hostPort', detail: `${named(bad)} ${plural('uses', 'use', bad.length)} ${what} ${ports.join(', ')}` };
};

export const hostProbes: Check = (_, spec) => {
  const hostsOf = (c: Json): string[] =>
    [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop].flatMap(h =>
      [h?.httpGet?.host, h?.tcpSocket?.host].filter(Boolean),
    );
  const bad = containersOf(spec)
    .filter(c => hostsOf(c).length)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (!bad.length) return null;
  const hosts = sorted(bad.flatMap(hostsOf));
  const what = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length);
  return { reason: 'probe or lifecycle host', detail: `${named(bad)} ${plural('uses', 'use', bad.length)} ${what} ${quoted(hosts)}` };
};

export const privileged: Check = (_, spec) => {
  const bad = containersOf(spec).filter(c => c.securityContext?.privileged);
  return bad.length ? { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` } : null;
};

export const procMount: Check = (_, spec) => {
  const bad = containersOf(spec).filter(c => c.securityContext?.procMount && c.securityContext.procMount !== 'Default');
  if (!bad.length) return null;
  const what = quoted(sorted(bad.map(c => c.securityContext.procMount)));
  return { reason: 'procMount', detail: `${named(bad)} must not set securityContext.procMount to ${what}` };
};

export const procMountRelaxed: Check = (meta, spec) => (inUserNamespace(spec) ? null : procMount(meta, spec));

const SELINUX = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

const seLinux =
  (types: string[]): Check =>
  (_, spec) => {
    const options = (x: Json): Json => x.securityContext?.seLinuxOptions;
    const isBad = (x: Json) => options(x) && (!types.includes(options(x).type ?? '') || options(x).user || options(x).role);
    const bad = containersOf(spec).filter(isBad);
    const pod = !!isBad(spec);
    if (!pod && !bad.length) return null;
    const all = [...(pod ? [spec] : []), ...bad].map(options);
    const wrong = sorted(all.map(o => o.type ?? '').filter(t => !types.includes(t)));
    const what = [
      ...(wrong.length ? [`${plural('type', 'types', wrong.length)} ${quoted(wrong)}`] : []),
      ...(all.some(o => o.user) ? ['user may not be set'] : []),
      ...(all.some(o => o.role) ? ['role may not be set'] : []),
    ];
    return { reason: 'seLinuxOptions', detail: `${setters(pod, bad)} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}` };
  };

export const seLinuxOptions = seLinux(SELINUX);
export const seLinuxOptionsWithEngine = seLinux([...SELINUX, 'container_engine_t']);

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** Before the field there were annotations. */
export const seccompAnnotations: Check = (meta, spec) => {
  const keys = [SECCOMP_POD, ...containersOf(spec).map(c => `${SECCOMP_CONTAINER}${c.name}`)];
  const isValid = (v: string) => v === 'runtime/default' || v === 'docker/default' || v.startsWith('localhost/');
  const bad = sorted(
    keys
      .filter(k => meta?.annotations?.[k] !== undefined && !isValid(meta.annotations[k]))
      .map(k => `${k}=${goQuote(meta.annotations[k])}`),
  );
  if (!bad.length) return null;
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', 'annotations', bad.length)} ${bad.join(', ')}` };
};

export const isSeccompBad = (x: Json): boolean =>
  !!x.securityContext?.seccompProfile && !['RuntimeDefault', 'Localhost'].includes(x.securityContext.seccompProfile.type);

export const seccompProfile: Check = (_, spec) => {
  const bad = containersOf(spec).filter(isSeccompBad);
  const pod = isSeccompBad(spec);
  if (!pod && !bad.length) return null;
  const what = quoted(sorted([...(pod ? [spec] : []), ...bad].map(x => x.securityContext.seccompProfile.type)));
  return { reason: 'seccompProfile', detail: `${setters(pod, bad)} must not set securityContext.seccompProfile.type to ${what}` };
};

const SYSCTLS: [sinceMinor: number, names: string][] = [
  [
    0,
    'kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start',
  ],
  [27, 'net.ipv4.ip_local_reserved_ports'],
  [29, 'net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes'],
  [32, 'net.ipv4.tcp_rmem net.ipv4.tcp_wmem'],
];

/** As the standards of 1.`minor` have it. */
export const sysctls =
  (minor: number): Check =>
  (_, spec) => {
    const allowed = SYSCTLS.filter(([since]) => since <= minor).flatMap(([, names]) => names.split(' '));
    const bad = (spec.securityContext?.sysctls ?? []).map((s: Json) => s.name).filter((n: string) => !allowed.includes(n));
    return bad.length ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : null;
  };

export const windowsHostProcess: Check = (_, spec) => {
  const isBad = (x: Json) => !!x.securityContext?.windowsOptions?.hostProcess;
  const bad = containersOf(spec).filter(isBad);
  if (!isBad(spec) && !bad.length) return null;
  return { reason: 'hostProcess', detail: `${setters(isBad(spec), bad)} must not set securityContext.windowsOptions.hostProcess=true` };
};

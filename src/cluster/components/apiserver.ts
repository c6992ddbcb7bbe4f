// kube-apiserver's start: flags, files, etcd, then its port (cmd/kube-apiserver/app/server.go, …/options v1.36.3). What it answers is
// given to it.

import { complain, strerror } from '../../linux/process.ts';
import { close, connect, kernelSocket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep, waitOn } from '../../sim/task.ts';
import { type ApiAnswer, kubeEndpoint } from '../../userland/servers/kube-endpoint.ts';
import { familyOf, parseCidr, parseIp } from '../../wire/ip.ts';
import { commandFailed, endpointOf, flagsOf, isRefusal, klogLine, missingFile, type Refusal, refuse, textOf } from './component.ts';

const MODES = ['ABAC', 'AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'];
const PLUGINS = new Set(
  `AlwaysAdmit AlwaysDeny AlwaysPullImages CertificateApproval CertificateSigning CertificateSubjectRestriction ClusterTrustBundleAttest
  DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds DenyServiceExternalIPs EventRateLimit ExtendedResourceToleration
  ImagePolicyWebhook LimitPodHardAntiAffinityTopology LimitRanger MutatingAdmissionPolicy MutatingAdmissionWebhook NamespaceAutoProvision
  NamespaceExists NamespaceLifecycle NodeDeclaredFeatureValidator NodeRestriction OwnerReferencesPermissionEnforcement
  PersistentVolumeClaimResize PodNodeSelector PodSecurity PodTolerationRestriction PodTopologyLabels Priority ResourceQuota RuntimeClass
  ServiceAccount StorageObjectInUseProtection TaintNodesByCondition ValidatingAdmissionPolicy ValidatingAdmissionWebhook`.split(/\s+/),
);

const list = (flags: Map<string, string>, name: string) => (flags.get(name) ?? '').split(',').filter(Boolean);

/** As Complete, Validate and Config come upon them. */
function mistake(p: Process, flags: Map<string, string>): Refusal | null {
  const ranges = list(flags, 'service-cluster-ip-range');
  const broken = ranges.findIndex(r => !parseCidr(r));
  if (broken >= 0) return commandFailed(p, `service-cluster-ip-range[${broken}] is not ${broken ? 'an ip net' : 'a valid cidr'}`);
  const signing = missingFile(p, flags, ['service-account-signing-key-file'], e => `failed to parse service-account-issuer-key-file: ${e}`);
  if (signing) return signing;
  const errors: string[] = [];
  const servers = list(flags, 'etcd-servers');
  if (!servers.length) errors.push('--etcd-servers must be specified');
  for (const m of list(flags, 'authorization-mode'))
    if (!MODES.includes(m)) errors.push(`authorization-mode ${goQuote(m)} is not a valid mode`);
  for (const name of ['enable-admission-plugins', 'disable-admission-plugins'])
    for (const plugin of list(flags, name)) if (!PLUGINS.has(plugin)) errors.push(`${name} plugin ${goQuote(plugin)} is unknown`);
  if (!flags.has('service-account-issuer')) errors.push('--service-account-issuer is a required flag');
  if (!flags.has('service-account-key-file'))
    errors.push('either `--service-account-key-file` or `--service-account-signing-endpoint` must be set');
  if (errors.length) return commandFailed(p, errors.length > 1 ? `[${errors.join(', ')}]` : errors[0]);
  return (
    missingFile(p, flags, ['tls-cert-file', 'tls-private-key-file', 'client-ca-file', 'requestheader-client-ca-file']) ??
    missingFile(p, flags, ['service-account-key-file', 'token-auth-file', 'audit-policy-file', 'encryption-provider-config']) ??
    missingFile(p, flags, ['etcd-certfile', 'etcd-keyfile', 'etcd-cafile'], e => `error creating storage factory: ${e}`) ??
    missingFile(p, flags, ['kubelet-client-certificate', 'kubelet-client-key', 'proxy-client-cert-file', 'proxy-client-key-file'])
  );
}

/** How long the first request to etcd is waited for (factory/etcd3.go), and how often a connection is tried meanwhile. */
const PATIENCE_MS = 20_000;
const RETRY_MS = 1000;

function* reachEtcd(p: Process, servers: string[]): Co<boolean> {
  const untilMs = p.kernel.sim.nowMs + PATIENCE_MS;
  for (;;) {
    for (const server of servers) {
      const at = endpointOf(server);
      const address = at && parseIp(at.host === 'localhost' ? '127.0.0.1' : at.host);
      if (!at || !address) continue;
      const s = kernelSocket(p.netns, 'tcp', familyOf(address));
      const error = yield* connect(s, address, at.port, RETRY_MS);
      close(s);
      if (!error) return true;
      const where = `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
      const why = error === 'EINPROGRESS' ? 'i/o timeout' : `connect: ${strerror(error).toLowerCase()}`;
      complain(
        p,
        klogLine(
          p,
          'W',
          'logging.go:55',
          `[core] [Channel #1 SubChannel #2] grpc: addrConn.createTransport failed to connect to {Addr: "${where}", ServerName: "${where}", }. Err: connection error: desc = "transport: Error while dialing: dial tcp ${where}: ${why}"`,
        ),
      );
    }
    if (p.kernel.sim.nowMs >= untilMs) return false;
    yield* sleep(p.kernel.sim, RETRY_MS);
  }
}

/** `goesOn`: an earlier process of the session has started it: it has read its files and found etcd then. */
export function* kubeApiserver(p: Process, api: ApiAnswer, goesOn: boolean): Co<number> {
  const flags = flagsOf('kube-apiserver', p);
  if (isRefusal(flags)) return refuse(p, flags);
  if (!goesOn) {
    const wrong = mistake(p, flags);
    if (wrong) return refuse(p, wrong);
    if (!(yield* reachEtcd(p, list(flags, 'etcd-servers')))) {
      return refuse(p, commandFailed(p, 'error creating storage factory: context deadline exceeded'));
    }
  }
  const port = Number(flags.get('secure-port') ?? 6443);
  const bound = flags.get('bind-address');
  const error = kubeEndpoint(p, port, bound && bound !== '0.0.0.0' && bound !== '::' ? parseIp(bound) : null, {
    api,
    pem: () => textOf(p, flags.get('tls-cert-file') ?? ''),
    clientAuthorities: () => ['client-ca-file', 'requestheader-client-ca-file'].map(f => textOf(p, flags.get(f) ?? '')).join('\n'),
  });
  if (error) {
    return refuse(
      p,
      commandFailed(
        p,
        `failed to create listener: failed to listen on ${bound ?? '0.0.0.0'}:${port}: listen tcp ${bound ?? '0.0.0.0'}:${port}: bind: ${strerror(error).toLowerCase()}`,
      ),
    );
  }
  for (;;) yield* waitOn(p.kernel.sim, []);
}

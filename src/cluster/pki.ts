// The certificates, keys and kubeconfigs of `kubeadm init` and of the kubelets (cmd/kubeadm/app/phases/certs, …/kubeconfig,
// pkg/kubelet/certificate v1.36): real X.509, made when somebody reads them. Drawn from the cluster's own uid and day of birth, so that a
// file is the same whenever it is read.
import { getObject } from '../apiserver/store.ts';
import type { ApiServer } from '../apiserver/types.ts';
import { base64, stringToBytes } from '../sim/bytes.ts';
import { newRandom } from '../sim/random.ts';
import { newRsaKey, type RsaKey, toInt } from '../sim/rsa.ts';
import { sha256 } from '../sim/sha256.ts';
import { civilTime, parseRfc3339 } from '../sim/time.ts';
import { certificatePem, type Name, privateKeyPem, publicKeyPem } from '../userland/x509-write.ts';
import { apiAddresses } from './bootstrap.ts';
import type { ClusterConfig, NodeSpec } from './config.ts';

export const PKI = '/etc/kubernetes/pki';
const YEAR_MS = 365 * 86_400_000;
/** kubeadm and client-go date certificates back for clocks that are behind. */
const BACKDATE_MS = 300_000;

interface Authority {
  file: string;
  name: string;
}
const CA: Authority = { file: 'ca', name: 'kubernetes' };
const FRONT_PROXY: Authority = { file: 'front-proxy-ca', name: 'front-proxy-ca' };
const ETCD: Authority = { file: 'etcd/ca', name: 'etcd-ca' };
export const AUTHORITIES = [CA, ETCD, FRONT_PROXY];

export interface Leaf {
  /** Below /etc/kubernetes/pki, without its ending. */
  file: string;
  ca: Authority;
  subject: Name;
  usages: ('server' | 'client')[];
  dns?: string[];
  ips?: string[];
}

/** Those of a control plane's machine. */
export function leaves(config: ClusterConfig, spec: NodeSpec): Leaf[] {
  const etcdNames = { dns: [spec.name, 'localhost'].sort(), ips: [spec.ips[0], '127.0.0.1', '::1'] };
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const apiNames = { dns: [spec.name, ...service].sort(), ips: [...apiAddresses(config), spec.ips[0]] };
  const leaf = (file: string, ca: Authority, subject: Name, usages: Leaf['usages'], names: Partial<Leaf> = {}): Leaf => ({
    ...{ file, ca, subject, usages },
    ...names,
  });
  return [
    leaf('apiserver', CA, [['CN', 'kube-apiserver']], ['server'], apiNames),
    leaf('apiserver-etcd-client', ETCD, [['CN', 'kube-apiserver-etcd-client']], ['client']),
    leaf('apiserver-kubelet-client', CA, [...inGroup('kubeadm:cluster-admins'), ['CN', 'kube-apiserver-kubelet-client']], ['client']),
    leaf('etcd/healthcheck-client', ETCD, [['CN', 'kube-etcd-healthcheck-client']], ['client']),
    leaf('etcd/peer', ETCD, [['CN', spec.name]], ['server', 'client'], etcdNames),
    leaf('etcd/server', ETCD, [['CN', spec.name]], ['server', 'client'], etcdNames),
    leaf('front-proxy-client', FRONT_PROXY, [['CN', 'front-proxy-client']], ['client']),
  ];
}

const inGroup = (group: string): Name => [['O', group]];

/** kubeadm's kubeconfigs below /etc/kubernetes: the user's name and group. */
export const KUBECONFIGS: Record<string, { user: string; subject: Name }> = {
  'admin.conf': { user: 'kubernetes-admin', subject: [...inGroup('kubeadm:cluster-admins'), ['CN', 'kubernetes-admin']] },
  'controller-manager.conf': { user: 'system:kube-controller-manager', subject: [['CN', 'system:kube-controller-manager']] },
  'scheduler.conf': { user: 'system:kube-scheduler', subject: [['CN', 'system:kube-scheduler']] },
  'super-admin.conf': { user: 'kubernetes-super-admin', subject: [...inGroup('system:masters'), ['CN', 'kubernetes-super-admin']] },
};

interface Born {
  uid: string;
  atMs: number;
}

function bornOf(server: ApiServer): Born {
  const system = getObject(server, 'namespaces', '', 'kube-system');
  return { uid: system?.metadata.uid ?? '', atMs: parseRfc3339(system?.metadata.creationTimestamp ?? '') ?? server.sim.nowMs };
}

const made = new WeakMap<ApiServer, Map<string, string>>();

/** Each is made once in a process: signing takes its time. */
function once(server: ApiServer, key: string, make: () => string): string {
  let known = made.get(server);
  if (!known) made.set(server, (known = new Map()));
  let text = known.get(key);
  if (text === undefined) known.set(key, (text = make()));
  return text;
}

const drawn = (born: Born, what: string) => sha256(stringToBytes(`${born.uid} ${what}`));
const keyOf = (born: Born, what: string): RsaKey => newRsaKey(newRandom(Number(toInt(drawn(born, `key ${what}`).subarray(0, 6)))));
/** 1 … 2⁶³−1 */
const serialOf = (born: Born, what: string): bigint => (toInt(drawn(born, `serial ${what}`).subarray(0, 8)) >> 1n) | 1n;

const authorityCert = (born: Born, a: Authority): string =>
  certificatePem({
    subject: [['CN', a.name]],
    issuer: [['CN', a.name]],
    serial: serialOf(born, a.file),
    notBeforeMs: born.atMs - BACKDATE_MS,
    notAfterMs: born.atMs + 10 * YEAR_MS,
    key: keyOf(born, a.file),
    signer: keyOf(born, a.file),
    ca: true,
    dns: [a.name],
  });

const leafCert = (born: Born, machine: string, l: Leaf): string =>
  certificatePem({
    subject: l.subject,
    issuer: [['CN', l.ca.name]],
    serial: serialOf(born, `${machine} ${l.file}`),
    notBeforeMs: born.atMs - BACKDATE_MS,
    notAfterMs: born.atMs + YEAR_MS,
    key: keyOf(born, `${machine} ${l.file}`),
    signer: keyOf(born, l.ca.file),
    usages: l.usages,
    dns: l.dns,
    ips: l.ips,
  });

export const caCertificate = (server: ApiServer): string => once(server, 'ca.crt', () => authorityCert(bornOf(server), CA));

const clientLeaf = (file: string, subject: Name): Leaf => ({ file, ca: CA, subject, usages: ['client'] });
const inBase64 = (text: string) => base64(stringToBytes(text));

function kubeconfig(server: ApiServer, api: string, user: string, credentials: string): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${inBase64(caCertificate(server))}
    server: ${api}
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: ${user}
  name: ${user}@kubernetes
current-context: ${user}@kubernetes
kind: Config
users:
- name: ${user}
  user:
${credentials}`;
}

export interface PkiFile {
  path: string;
  mode: number;
  text: () => string;
}

/** What lies on a machine. `api`: the API server's URL. */
export function pkiFiles(
  server: ApiServer,
  config: ClusterConfig,
  spec: NodeSpec,
  api: string,
): { files: PkiFile[]; links: [string, string][] } {
  const born = bornOf(server);
  const files: PkiFile[] = [];
  const add = (path: string, mode: number, text: () => string) =>
    files.push({ path, mode, text: () => once(server, `${spec.name}:${path}`, text) });
  add(`${PKI}/ca.crt`, 0o644, () => caCertificate(server));
  if (spec.role === 'control-plane') {
    for (const a of AUTHORITIES) {
      if (a !== CA) add(`${PKI}/${a.file}.crt`, 0o644, () => authorityCert(born, a));
      add(`${PKI}/${a.file}.key`, 0o600, () => privateKeyPem(keyOf(born, a.file)));
    }
    for (const l of leaves(config, spec)) {
      add(`${PKI}/${l.file}.crt`, 0o644, () => leafCert(born, spec.name, l));
      add(`${PKI}/${l.file}.key`, 0o600, () => privateKeyPem(keyOf(born, `${spec.name} ${l.file}`)));
    }
    add(`${PKI}/sa.key`, 0o600, () => privateKeyPem(keyOf(born, 'sa')));
    add(`${PKI}/sa.pub`, 0o600, () => publicKeyPem(keyOf(born, 'sa')));
    for (const [file, { user, subject }] of Object.entries(KUBECONFIGS)) {
      const credentials = () =>
        `    client-certificate-data: ${inBase64(leafCert(born, spec.name, clientLeaf(file, subject)))}\n    client-key-data: ${inBase64(privateKeyPem(keyOf(born, `${spec.name} ${file}`)))}\n`;
      add(`/etc/kubernetes/${file}`, 0o600, () => kubeconfig(server, api, user, credentials()));
    }
  }
  const current = '/var/lib/kubelet/pki/kubelet-client-current.pem';
  const user = `system:node:${spec.name}`;
  add('/etc/kubernetes/kubelet.conf', 0o600, () =>
    kubeconfig(server, api, user, `    client-certificate: ${current}\n    client-key: ${current}\n`),
  );
  return { files: [...files, ...kubeletFiles(server, born, spec)], links: [[current, kubeletClient(born)]] };
}

const two = (n: number) => String(n).padStart(2, '0');

/** pkg/../certificate_store.go: a pair's file is named by when it was written. */
function kubeletClient(born: Born): string {
  const t = civilTime(born.atMs);
  const stamp = [t.year, t.month, t.day, t.hour, t.minute, t.second].map(two).join('-');
  return `/var/lib/kubelet/pki/kubelet-client-${stamp}.pem`;
}

/** The client's pair, which the cluster's authority has signed, and the serving pair, which the kubelet signs itself. */
function kubeletFiles(server: ApiServer, born: Born, spec: NodeSpec): PkiFile[] {
  const seconds = Math.floor(born.atMs / 1000);
  const subject: Name = [...inGroup('system:nodes'), ['CN', `system:node:${spec.name}`]];
  const clientText = () => leafCert(born, spec.name, clientLeaf('kubelet', subject)) + privateKeyPem(keyOf(born, `${spec.name} kubelet`));
  const own = { notBeforeMs: born.atMs - BACKDATE_MS * 12, notAfterMs: born.atMs + YEAR_MS, dns: [spec.name] };
  const [ca, server_]: Name[] = [[['CN', `${spec.name}-ca@${seconds}`]], [['CN', `${spec.name}@${seconds}`]]];
  const signer = keyOf(born, `${spec.name} kubelet-ca`);
  const serving = () =>
    certificatePem({
      ...own,
      subject: server_,
      issuer: ca,
      serial: serialOf(born, `${spec.name} kubelet serving`),
      key: keyOf(born, `${spec.name} kubelet serving`),
      signer,
      usages: ['server'],
    }) +
    certificatePem({ ...own, subject: ca, issuer: ca, serial: serialOf(born, `${spec.name} kubelet-ca`), key: signer, signer, ca: true });
  const file = (path: string, mode: number, text: () => string): PkiFile => ({
    ...{ path, mode },
    text: () => once(server, `${spec.name}:${path}`, text),
  });
  return [
    file(kubeletClient(born), 0o600, clientText),
    file('/var/lib/kubelet/pki/kubelet.crt', 0o644, serving),
    file('/var/lib/kubelet/pki/kubelet.key', 0o600, () => privateKeyPem(keyOf(born, `${spec.name} kubelet serving`))),
  ];
}

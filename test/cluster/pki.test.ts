// kubeadm's certificates on the machines, checked by Node's own X.509 and RSA.
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { load } from 'js-yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const cat = (path: string, node = 'control-plane') => {
  const { out, err, code } = c.node(node, ['cat', path]);
  if (code) throw new Error(err);
  return out;
};
const pki = (file: string) => new X509Certificate(cat(`/etc/kubernetes/pki/${file}`));

describe('/etc/kubernetes/pki', () => {
  it.each([
    ['apiserver', 'ca', 'CN=kube-apiserver'],
    ['apiserver-kubelet-client', 'ca', 'O=kubeadm:cluster-admins\nCN=kube-apiserver-kubelet-client'],
    ['apiserver-etcd-client', 'etcd/ca', 'CN=kube-apiserver-etcd-client'],
    ['etcd/server', 'etcd/ca', 'CN=control-plane'],
    ['front-proxy-client', 'front-proxy-ca', 'CN=front-proxy-client'],
  ])('%s is signed by %s, and its key is its own', (file, authority, subject) => {
    const [cert, ca] = [pki(`${file}.crt`), pki(`${authority}.crt`)];
    expect(ca.ca).toBe(true);
    expect(cert.verify(ca.publicKey)).toBe(true);
    expect(cert.checkIssued(ca)).toBe(true);
    expect(cert.checkPrivateKey(createPrivateKey(cat(`/etc/kubernetes/pki/${file}.key`)))).toBe(true);
    expect(cert.subject).toBe(subject);
    expect(new Date(cert.validTo).getUTCFullYear() - new Date(cert.validFrom).getUTCFullYear()).toBe(1);
  });

  it('the API server’s certificate speaks for its names and addresses', () => {
    const cert = pki('apiserver.crt');
    expect(cert.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
    expect(cert.checkIP('10.96.0.1')).toBe('10.96.0.1');
    expect(cert.checkIP('192.168.1.2')).toBe('192.168.1.2');
    expect(cert.checkHost('example.com')).toBeUndefined();
    expect(cert.verify(pki('etcd/ca.crt').publicKey)).toBe(false);
  });

  it('sa.pub belongs to sa.key; no two keys are the same', () => {
    const [key, pub] = [createPrivateKey(cat('/etc/kubernetes/pki/sa.key')), cat('/etc/kubernetes/pki/sa.pub')];
    expect(createPublicKey(key).export({ type: 'spki', format: 'pem' })).toBe(pub);
    const serials = ['ca', 'apiserver', 'etcd/ca', 'etcd/peer', 'etcd/server'].map(f => pki(`${f}.crt`).fingerprint256);
    expect(new Set(serials).size).toBe(5);
  });

  it('kubeconfigs carry the pair of who they are for', () => {
    const config = load(cat('/etc/kubernetes/admin.conf')) as any;
    const text = (data: string) => Buffer.from(data, 'base64').toString();
    const ca = new X509Certificate(text(config.clusters[0].cluster['certificate-authority-data']));
    const cert = new X509Certificate(text(config.users[0].user['client-certificate-data']));
    expect(cert.verify(ca.publicKey)).toBe(true);
    expect(cert.subject).toBe('O=kubeadm:cluster-admins\nCN=kubernetes-admin');
    expect(config.clusters[0].cluster.server).toBe('https://192.168.1.2:6443');
  });

  it('a worker has the authority’s certificate and its kubelet’s pair, and no key of the authority', () => {
    expect(c.node('node-1', ['ls', '/etc/kubernetes/pki']).out).toBe('ca.crt\n');
    const cert = new X509Certificate(cat('/var/lib/kubelet/pki/kubelet-client-current.pem', 'node-1'));
    expect(cert.subject).toBe('O=system:nodes\nCN=system:node:node-1');
    expect(cert.verify(pki('ca.crt').publicKey)).toBe(true);
  });
});

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

describe('openssl', () => {
  const on = (script: string, node = 'control-plane') => c.node(node, ['sh', '-c', `cd /etc/kubernetes/pki; ${script}`]);

  it('x509 tells what is in a certificate', () => {
    const cert = pki('apiserver.crt');
    expect(on('openssl x509 -in apiserver.crt -noout -subject -issuer -serial').out).toBe(
      `subject=CN = kube-apiserver\nissuer=CN = kubernetes\nserial=${cert.serialNumber}\n`,
    );
    expect(on('openssl x509 -in apiserver.crt -noout -fingerprint -sha256').out).toBe(`sha256 Fingerprint=${cert.fingerprint256}\n`);
    expect(on('openssl x509 -noout -dates < apiserver.crt').out).toBe(`notBefore=${cert.validFrom}\nnotAfter=${cert.validTo}\n`);
    expect(on('openssl x509 -in apiserver.crt -noout -ext subjectAltName').out).toBe(
      `X509v3 Subject Alternative Name: \n    ${cert.subjectAltName}\n`,
    );
    const text = on('openssl x509 -in ca.crt -noout -text').out;
    expect(text).toMatch(/^Certificate:\n {4}Data:\n {8}Version: 3 \(0x2\)\n/);
    expect(text).toContain('            X509v3 Basic Constraints: critical\n                CA:TRUE\n');
    expect(text).toContain('                Public-Key: (2048 bit)\n');
    expect(on('openssl x509 -in apiserver.crt').out).toBe(cat('/etc/kubernetes/pki/apiserver.crt'));
    expect(on('openssl x509 -in apiserver.crt -noout -checkend 86400')).toMatchObject({ code: 0, out: 'Certificate will not expire\n' });
    expect(on('openssl x509 -in apiserver.crt -noout -checkend 99999999')).toMatchObject({ code: 1, out: 'Certificate will expire\n' });
    expect(on('openssl x509 -in nope.crt -noout')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Could not open file or uri for loading certificate from nope.crt\n/),
    });
    expect(on('openssl x509 -in ca.key -noout').err).toMatch(/^Could not read certificate from ca.key\n/);
    expect(on('openssl x509 -nope').err).toBe('x509: Unknown option: -nope\nx509: Use -help for summary.\n');
  });

  it('verify checks signatures, not names', () => {
    expect(on('openssl verify -CAfile ca.crt apiserver.crt')).toMatchObject({ code: 0, out: 'apiserver.crt: OK\n' });
    expect(on('openssl verify -CAfile ca.crt etcd/server.crt')).toMatchObject({
      code: 2,
      err: 'CN = control-plane\nerror 20 at 0 depth lookup: unable to get local issuer certificate\nerror etcd/server.crt: verification failed\n',
    });
    expect(on('openssl verify ca.crt').err).toContain('error 18 at 0 depth lookup: self-signed certificate\n');
  });

  it('s_client shows what a server shows', () => {
    const [api, etcd] = [pki('apiserver.crt'), pki('etcd/server.crt')];
    const of = (at: string) => on(`openssl s_client -connect ${at} </dev/null 2>/dev/null | openssl x509 -noout -serial`, 'node-1').out;
    expect(of('192.168.1.2:6443')).toBe(`serial=${api.serialNumber}\n`);
    expect(of('192.168.1.2:2379')).toBe(`serial=${etcd.serialNumber}\n`);
    expect(on('openssl s_client -connect 192.168.1.2:6443 -CAfile ca.crt </dev/null', 'node-1').out).toContain(
      'Verify return code: 0 (ok)\n',
    );
    expect(on('openssl s_client -connect 192.168.1.2:6443 </dev/null', 'node-1').out).toContain(
      'Verify return code: 21 (unable to verify the first certificate)\n',
    );
    expect(on('openssl s_client -connect 192.168.1.2:6444 </dev/null')).toMatchObject({
      code: 1,
      err: expect.stringContaining('Connection refused'),
    });
  });
});

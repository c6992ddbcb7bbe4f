// kubeadm's and etcd's own tools on a control plane: what they say is in the files, the API's store and the sockets.
import { createHash, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
});

const on = (script: string, node = 'control-plane') => c.node(node, ['sh', '-c', script]);
const PKI = '/etc/kubernetes/pki/etcd';
const CERTS = `--cacert=${PKI}/ca.crt --cert=${PKI}/server.crt --key=${PKI}/server.key`;
const etcdctl = (words: string, at = 'https://127.0.0.1:2379') => on(`etcdctl --endpoints=${at} ${CERTS} ${words}`);

describe('etcdctl', () => {
  it('finds the member that listens there', () => {
    expect(etcdctl('endpoint health').out).toMatch(
      /^https:\/\/127\.0\.0\.1:2379 is healthy: successfully committed proposal: took = [\d.]+(µs|ms)\n$/,
    );
    // The number is the peers' addresses' and the token's, as etcd 3.6.8 computes it.
    const member = '21b9ef35413b514, started, control-plane, https://192.168.1.2:2380, https://192.168.1.2:2379, false\n';
    expect(etcdctl('member list').out).toBe(member);
    expect(on(`ETCDCTL_ENDPOINTS=https://192.168.1.2:2379 etcdctl ${CERTS} member list`).out).toBe(member);
    expect(etcdctl('member list -w table').out).toBe(
      `+-----------------+---------+---------------+--------------------------+--------------------------+------------+
|       ID        | STATUS  |     NAME      |        PEER ADDRS        |       CLIENT ADDRS       | IS LEARNER |
+-----------------+---------+---------------+--------------------------+--------------------------+------------+
| 21b9ef35413b514 | started | control-plane | https://192.168.1.2:2380 | https://192.168.1.2:2379 |      false |
+-----------------+---------+---------------+--------------------------+--------------------------+------------+
`,
    );
    expect(
      c.kubectl([
        'exec',
        '-n',
        'kube-system',
        'etcd-control-plane',
        '--',
        'etcdctl',
        ...`--endpoints=https://127.0.0.1:2379 ${CERTS} member list`.split(' '),
      ]).out,
    ).toBe(member);
    expect(etcdctl('endpoint status').out).toMatch(
      /^https:\/\/127.0.0.1:2379, 21b9ef35413b514, 3\.6\.8, 3\.6\.0, \d+ kB, \d+ kB, 0%, 2\.1 GB, true, false, 2, (\d+), \1, , , false\n$/,
    );
  });

  it('lists the keys of the API’s objects', () => {
    expect(etcdctl('get /registry/services/specs --prefix --keys-only').out).toBe(
      '/registry/services/specs/default/kubernetes\n\n/registry/services/specs/kube-system/kube-dns\n\n',
    );
    c.must('create configmap mine --from-literal=a=b');
    expect(etcdctl('get /registry/configmaps/default/mine --keys-only').out).toBe('/registry/configmaps/default/mine\n\n');
    expect(etcdctl('get /registry/minions --prefix --keys-only --limit=1').out).toBe('/registry/minions/control-plane\n\n');
    c.must('delete configmap mine');
    expect(etcdctl('get /registry/configmaps/default/mine --keys-only')).toMatchObject({ out: '', code: 0 });
    expect(etcdctl('get /registry/minions/node-1')).toMatchObject({ code: 1, err: expect.stringContaining('podnet: values are protobuf') });
    expect(etcdctl('snapshot save /tmp/x')).toMatchObject({ code: 1, err: 'Error: podnet: etcdctl snapshot is not modelled\n' });
  });

  it('fails without certificates, with others, at another port, and of a stopped etcd', () => {
    expect(on('etcdctl get a').err).toMatch(/error reading server preface: EOF.*\nError: context deadline exceeded\n$/);
    expect(on('etcdctl --endpoints=https://127.0.0.1:2379 get a').err).toContain('x509: certificate signed by unknown authority');
    expect(on(`etcdctl --endpoints=https://127.0.0.1:2379 --cacert=${PKI}/ca.crt get a`).err).toContain('tls: certificate required');
    expect(on(`etcdctl --endpoints=https://127.0.0.1:2379 ${CERTS} --cert=/nope.crt get a`)).toMatchObject({
      code: 128,
      err: 'Error: open /nope.crt: no such file or directory\n',
    });
    expect(etcdctl('endpoint health', 'https://127.0.0.1:2378')).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /connection refused.*\nhttps:\/\/127.0.0.1:2378 is unhealthy: failed to commit proposal: context deadline exceeded\nError: unhealthy cluster\n$/,
      ),
    });
    on('mv /etc/kubernetes/manifests/etcd.yaml /root; sleep 40');
    expect(etcdctl('member list').code).toBe(1);
    on('mv /root/etcd.yaml /etc/kubernetes/manifests; sleep 60');
    expect(etcdctl('foo')).toMatchObject({
      code: 1,
      err: 'Error: unknown command "foo" for "etcdctl"\nRun \'etcdctl --help\' for usage.\n',
    });
  });
});

describe('kubeadm', () => {
  it('certs check-expiration reads the files', () => {
    const { out } = on('kubeadm certs check-expiration');
    expect(out).toContain(
      'CERTIFICATE                EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED\n',
    );
    expect(out).toMatch(/\nadmin.conf {17}Jan 01, 2027 \d\d:\d\d UTC {3}364d {12}ca {22}no {6}\n/);
    expect(out).toMatch(/\netcd-server {16}Jan 01, 2027 .* etcd-ca {17}no {6}\n/);
    expect(out).toMatch(/\nfront-proxy-ca {10}.*no {6}\n$/);
    const moved = on('cd /etc/kubernetes/pki; mv apiserver.crt ca.key /root; kubeadm certs check-expiration').out;
    on('mv /root/apiserver.crt /root/ca.key /etc/kubernetes/pki');
    expect(moved).toContain(`\n!MISSING! apiserver${' '.repeat(73)}\n`);
    expect(moved).toMatch(/\nadmin.conf .* yes {5}\n/);
  });

  it('tokens are Secrets; the join command pins the authority’s key', () => {
    const join =
      /^kubeadm join 192\.168\.1\.2:6443 --token ([a-z0-9]{6})\.[a-z0-9]{16} --discovery-token-ca-cert-hash sha256:([0-9a-f]{64}) \n$/.exec(
        on('kubeadm token create --print-join-command').out,
      );
    const ca = new X509Certificate(on('cat /etc/kubernetes/pki/ca.crt').out);
    expect(join?.[2]).toBe(
      createHash('sha256')
        .update(ca.publicKey.export({ type: 'spki', format: 'der' }))
        .digest('hex'),
    );
    expect(c.must(['get', 'secret', '-n', 'kube-system', `bootstrap-token-${join?.[1]}`, '-o', 'jsonpath={.type}'])).toBe(
      'bootstrap.kubernetes.io/token',
    );
    expect(on('kubeadm token create abcdef.0123456789abcdef --ttl 2h --description mine').out).toBe('abcdef.0123456789abcdef\n');
    expect(on('kubeadm token create abcdef.0123456789abcdef').err).toContain('error: a token with id "abcdef" already exists\n');
    expect(on('kubeadm token list').out).toMatch(
      /^TOKEN {21}TTL {9}EXPIRES .*\nabcdef\.0123456789abcdef {3}1h {10}2026-01-01T.*Z {3}authentication,signing {3}mine /,
    );
    expect(on('kubeadm token delete abcdef').out).toBe('bootstrap token "abcdef" deleted\n');
    expect(on('kubeadm token list').out).not.toContain('abcdef');
    on('mv /etc/kubernetes/manifests/kube-apiserver.yaml /root; sleep 40');
    expect(on('kubeadm token list')).toMatchObject({
      code: 1,
      err: expect.stringContaining('dial tcp 192.168.1.2:6443: connect: connection refused\nTo see the stack trace'),
    });
    on('mv /root/kube-apiserver.yaml /etc/kubernetes/manifests; sleep 60');
  });

  it('refuses what would change machines', () => {
    for (const words of ['init', 'join 1.2.3.4:6443', 'reset', 'certs renew all'])
      expect(on(`kubeadm ${words}`)).toMatchObject({ code: 1, err: expect.stringContaining('is not modelled') });
    expect(on('kubeadm version -o short').out).toBe('v1.36.3\n');
    expect(on('kubeadm version', 'node-1').code).toBe(0);
  });
});

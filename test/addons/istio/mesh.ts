// A mesh for tests: Istio installed, namespaces in and out of it, a client and servers.
import type { TestCluster } from '../../cluster/harness.ts';
import { clusterWith } from '../cluster.ts';

export const client = (namespace: string, name = 'client') => [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          serviceAccountName: name,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'tools', image: 'curlimages/curl:8.16.0', command: ['sleep', 'infinity'] }],
        },
      },
    },
  },
];

/** A Service and one Deployment for each version; the image is httpbin, or an echo that says its version. */
export function server(namespace: string, name: string, versions: string[] = [], port: object = { name: 'http', port: 8000 }): object[] {
  const one = (version: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: version ? `${name}-${version}` : name, namespace },
    spec: {
      selector: { matchLabels: { app: name, version: version || 'only' } },
      template: {
        metadata: { labels: { app: name, version: version || 'only' } },
        spec: {
          serviceAccountName: name,
          terminationGracePeriodSeconds: 0,
          containers: [
            version
              ? {
                  name: 'echo',
                  image: 'hashicorp/http-echo:1.0',
                  args: [`-text=${version}`, '-listen=:80'],
                  securityContext: { runAsUser: 0 },
                }
              : { name: 'bin', image: 'docker.io/kennethreitz/httpbin', ports: [{ containerPort: 80 }] },
          ],
        },
      },
    },
  });
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [{ targetPort: 80, ...port }] },
    },
    ...(versions.length ? versions.map(one) : [one('')]),
  ];
}

export const namespace = (name: string, mesh: boolean): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: mesh ? { 'istio-injection': 'enabled' } : {} },
});

const GROUPS: Record<string, string> = {
  PeerAuthentication: 'security',
  AuthorizationPolicy: 'security',
  RequestAuthentication: 'security',
};

/** One of Istio's objects. */
export const config = (kind: string, ns: string, name: string, spec: object): object => ({
  apiVersion: `${GROUPS[kind] ?? 'networking'}.istio.io/v1`,
  kind,
  metadata: { name, namespace: ns },
  spec,
});

export interface Mesh extends TestCluster {
  /** curl in the client of a namespace. */
  curl: (from: string, ...words: string[]) => { out: string; err: string; code: number };
  /** Status, or 000 and the exit code. */
  status: (from: string, url: string, ...words: string[]) => string;
}

export async function mesh(): Promise<Mesh> {
  const c = (await clusterWith(['istio'])) as Mesh;
  c.curl = (from, ...words) => c.kubectl(['-n', from, 'exec', 'deploy/client', '-c', 'tools', '--', 'curl', '-s', ...words]);
  c.status = (from, url, ...words) => {
    const r = c.curl(from, '-o', '/dev/null', '-w', '%{http_code}', ...words, url);
    return r.code ? `${r.out} exit ${r.code}` : r.out;
  };
  return c;
}

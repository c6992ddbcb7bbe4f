// A cluster with add-ons: their manifests are applied as kubectl would, then everything comes to rest.
import { addonNamed } from '../../src/addons/table.ts';
import { type ClusterConfig, clusterConfig } from '../../src/cluster/config.ts';
import { type TestCluster, testCluster } from '../cluster/harness.ts';

export async function clusterWith(addons: string[], config: ClusterConfig = clusterConfig({ nodes: 2 })): Promise<TestCluster> {
  const c = await testCluster(config);
  for (const name of addons) {
    const addon = addonNamed(name);
    if (!addon) throw new Error(`no add-on ${name}`);
    const objects = await addon.manifest(addon.url);
    c.must(['apply', ...(addon.flags ?? []), '-f', '-'], objects.map(o => JSON.stringify(o)).join('\n---\n'));
    c.rest();
  }
  return c;
}

/** An HTTP server that says who it is. */
export const echo = (name: string, text = name): object[] => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [{ name: 'echo', image: 'hashicorp/http-echo:1.0', args: [`-text=${text}`], ports: [{ containerPort: 5678 }] }],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 5678 }] },
  },
];

// kubectl cluster-info (k8s.io/kubectl v0.36.3, pkg/cmd/clusterinfo).

import type { KubeObject } from '../../apiserver/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { contextOf } from '../client-config.ts';
import { bool, type Cmd, connect, flag, list, out } from '../command.ts';
import { goJsonIndent } from '../go-json.ts';
import { lazy } from '../lazy.ts';
import { mappingFor } from '../mapping.ts';
import { listObjects } from '../requests.ts';

export function* run(cmd: Cmd): Co<number> {
  if (cmd.path.endsWith('dump')) return dump(cmd);
  const { server } = contextOf(cmd);
  const ansi = cmd.host.stdout.tty;
  const green = (s: string) => (ansi ? `\x1b[0;32m${s}\x1b[0m` : s);
  const yellow = (s: string) => (ansi ? `\x1b[0;33m${s}\x1b[0m` : s);
  const services = listObjects(cmd, mappingFor(connect(cmd), 'services'), flag(cmd, 'namespace') ? cmd.namespace : 'kube-system', {
    labelSelector: 'kubernetes.io/cluster-service=true',
  });
  out(cmd, `${green('Kubernetes control plane')} is running at ${yellow(server)}\n`);
  for (const s of services) {
    const ports = s.spec.ports ?? [];
    let link = '';
    const ingress = s.status?.loadBalancer?.ingress;
    if (ingress?.length) link = ports.map((p: any) => `http://${ingress[0].ip || ingress[0].hostname}:${p.port}`).join(' ');
    else {
      let { name } = s.metadata;
      if (ports.length) {
        const port = ports[0];
        const scheme = port.name === 'https' || port.port === 443 ? 'https:' : '';
        name = `${scheme}${name}${port.name ? `:${port.name}` : scheme ? ':' : ''}`;
      }
      link = `${server}/api/v1/namespaces/${s.metadata.namespace}/services/${name}/proxy`;
    }
    const label = s.metadata.labels?.['kubernetes.io/name'] || s.metadata.name;
    out(cmd, `${green(label)} is running at ${yellow(link)}\n`);
  }
  out(cmd, "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
  return 0;
}

const DUMPED: [string, string][] = [
  ['events', 'EventList'],
  ['replicationcontrollers', 'ReplicationControllerList'],
  ['services', 'ServiceList'],
  ['daemonsets.apps', 'DaemonSetList'],
  ['deployments.apps', 'DeploymentList'],
  ['replicasets.apps', 'ReplicaSetList'],
  ['pods', 'PodList'],
];

function dump(cmd: Cmd): number {
  const folder = flag(cmd, 'output-directory');
  const yaml = flag(cmd, 'output') === 'yaml';
  const ext = yaml ? 'yaml' : 'json';
  const print = (path: string, kind: string, apiVersion: string, items: KubeObject[]) => {
    const object = { apiVersion, items, kind, metadata: { resourceVersion: '' } };
    const text = yaml ? lazy('yaml').toYaml(object) : `${goJsonIndent(object)}\n`;
    if (!folder || folder === '-') out(cmd, text);
    else {
      const full = `${folder}/${path}.${ext}`;
      cmd.host.makeDir(folder);
      if (path.includes('/')) cmd.host.makeDir(full.slice(0, full.lastIndexOf('/')));
      cmd.host.writeFile(full, stringToBytes(text));
    }
  };
  const find = (r: string) => mappingFor(connect(cmd), r);
  print('nodes', 'NodeList', 'v1', listObjects(cmd, find('nodes'), ''));
  const namespaces = bool(cmd, 'all-namespaces')
    ? listObjects(cmd, find('namespaces'), '').map(n => n.metadata.name)
    : list(cmd, 'namespaces').length
      ? list(cmd, 'namespaces')
      : ['kube-system', cmd.namespace];
  for (const ns of namespaces)
    for (const [resource, kind] of DUMPED) {
      const m = find(resource);
      print(`${ns}/${m.resource}`, kind, m.group ? `${m.group}/${m.version}` : m.version, listObjects(cmd, m, ns));
    }
  if (folder && folder !== '-') out(cmd, `Cluster info dumped to ${folder}\n`);
  return 0;
}

// Names of a clusterset (coredns 1.14.2, plugin/kubernetes findMultiClusterServices): ServiceImports and the slices of all its clusters.
import { matchLabelSelector } from '../../apiserver/labels.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer } from '../../apiserver/types.ts';
import type { Options } from './kubernetes-setup.ts';

export interface Imported {
  ip: string;
  port: number;
  /** Labels in front of the Service's own name. */
  labels: string[];
}

interface Asked {
  namespace: string;
  service: string;
  /** What stands before the Service's name. */
  before: string[];
}

const SERVICE = 'multicluster.kubernetes.io/service-name';
const CLUSTER = 'multicluster.kubernetes.io/source-cluster';

interface Backend {
  ip: string;
  host: string;
  cluster: string;
  ports: { name: string; port: number; protocol: string }[];
}

function backends(server: ApiServer, o: Options, { namespace, service }: Asked): Backend[] {
  const out: Backend[] = [];
  for (const slice of listObjects(server, 'endpointslices.discovery.k8s.io', namespace)) {
    if (slice.metadata.labels?.[SERVICE] !== service) continue;
    const cluster = slice.metadata.labels[CLUSTER] ?? '';
    const ports = (slice.ports ?? []).map((p: any) => ({ name: p.name ?? '', port: p.port ?? -1, protocol: p.protocol ?? 'TCP' }));
    for (const e of slice.endpoints ?? []) {
      if (e.conditions?.ready === false) continue;
      for (const ip of e.addresses ?? []) {
        const host = e.hostname || (o.endpointNames && e.targetRef?.name) || ip.replace(/[.:]/g, '-');
        out.push({ ip, host, cluster, ports: ports.length ? ports : [{ name: '', port: -1, protocol: 'TCP' }] });
      }
    }
  }
  return out;
}

/** What an imported Service's name stands for; null: there is no such name. */
export function importedServices(server: ApiServer, o: Options, asked: Asked): Imported[] | null {
  const imported = getObject(server, 'serviceimports.multicluster.x-k8s.io', asked.namespace, asked.service);
  if (!imported || (o.labels && !matchLabelSelector(o.labels, imported.metadata.labels))) return null;
  const headless = imported.spec?.type === 'Headless';
  const all = backends(server, o, asked);
  if (o.ignoreEmpty && !headless && !all.length) return null;
  const [first, second] = asked.before;
  const isPort = asked.before.length === 2 && (first.startsWith('_') || second.startsWith('_'));
  const endpoint = isPort ? undefined : first;
  const wanted = (p: { name?: string; protocol?: string }) =>
    !isPort ||
    ((p.name ?? '').toLowerCase() === first.replace(/^_/, '') && (p.protocol ?? 'TCP').toLowerCase() === second.replace(/^_/, ''));
  if (!headless && endpoint === undefined) {
    const ports = (imported.spec?.ports ?? []).filter(wanted);
    if (!ports.length) return null;
    return ports.flatMap((p: any) => (imported.spec?.ips ?? []).map((ip: string) => ({ ip, port: p.port, labels: [] })));
  }
  const out: Imported[] = [];
  for (const b of all) {
    // Without its cluster, an endpoint has no name of its own.
    if (endpoint !== undefined && (b.cluster.toLowerCase() !== (second ?? '') || b.host.toLowerCase() !== endpoint)) continue;
    for (const p of b.ports) if (wanted(p)) out.push({ ip: b.ip, port: p.port, labels: [b.host, b.cluster] });
  }
  return out.length ? out : null;
}

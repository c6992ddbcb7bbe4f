// Which endpoints a Service port may use on this node: k8s.io/kubernetes v1.36.3 pkg/proxy/topology.go.
import { compareBytes } from '../sim/bytes.ts';
import { type Endpoint, type ServicePort, usesClusterEndpoints, usesLocalEndpoints } from './serviceport.ts';

export interface Categorized {
  cluster: Endpoint[];
  local: Endpoint[];
  /** Union of both. */
  reachable: Endpoint[];
  /** Usable ones anywhere in the cluster, also those that this node may not use. */
  hasAny: boolean;
}

type TopologyMode = '' | 'PreferSameNode' | 'PreferSameZone';

/** Hints alone decide; one ready endpoint without a hint switches them off. */
function topologyMode(endpoints: Endpoint[], nodeName: string, zone: string): TopologyMode {
  const ready = endpoints.filter(e => e.ready);
  if (!ready.length) return '';
  if (ready.every(e => e.nodeHints.length) && ready.some(e => e.nodeHints.includes(nodeName))) return 'PreferSameNode';
  if (ready.every(e => e.zoneHints.length) && ready.some(e => e.zoneHints.includes(zone))) return 'PreferSameZone';
  return '';
}

export function categorizeEndpoints(endpoints: Endpoint[], port: ServicePort, nodeName: string, zone: string): Categorized {
  const out: Categorized = { cluster: [], local: [], reachable: [], hasAny: false };
  if (!endpoints.length) return out;
  const usesCluster = usesClusterEndpoints(port);
  const retiring = (e: Endpoint) => !e.ready && e.serving && e.terminating;
  let mode: TopologyMode = '';
  if (usesCluster) {
    mode = topologyMode(endpoints, nodeName, zone);
    const hinted = (e: Endpoint) =>
      mode === '' || (mode === 'PreferSameNode' ? e.nodeHints.includes(nodeName) : e.zoneHints.includes(zone));
    out.cluster = endpoints.filter(e => e.ready && hinted(e));
    if (!out.cluster.length) out.cluster = endpoints.filter(e => e.serving && e.terminating);
    out.hasAny = out.cluster.length > 0;
  }
  if (!usesLocalEndpoints(port)) {
    out.reachable = out.cluster;
    return out;
  }
  out.hasAny ||= endpoints.some(e => e.ready || retiring(e));
  out.local = endpoints.filter(e => e.node === nodeName && e.ready);
  const terminating = !out.local.length;
  if (terminating) out.local = endpoints.filter(e => e.node === nodeName && retiring(e));
  if (!usesCluster) {
    out.reachable = out.local;
    return out;
  }
  if (mode === '' && !(terminating && out.local.length)) {
    out.reachable = out.cluster;
    return out;
  }
  // Unordered upstream (a map); by text here, so that the same cluster gives the same bytes.
  const union = new Map([...out.cluster, ...out.local].map(e => [e.text, e]));
  out.reachable = [...union.values()].sort((a, b) => compareBytes(a.text, b.text));
  return out;
}

// Hints for which zone or node an endpoint is (k8s.io/endpointslice/trafficdist, topologycache v0.36).
import { listObjects } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import type { Controllers } from './context.ts';

const CLOSE = new Set(['PreferClose', 'PreferSameZone', 'PreferSameNode']);

/** Set or take away `hints` of all endpoints of one Service and family. */
export function topologyHints(c: Controllers, service: KubeObject, endpoints: any[]): void {
  const mode =
    service.metadata.annotations?.['service.kubernetes.io/topology-mode'] ??
    service.metadata.annotations?.['service.kubernetes.io/topology-aware-hints'];
  if (mode === 'Auto' || mode === 'auto') {
    autoHints(c, endpoints);
    return;
  }
  if (!CLOSE.has(service.spec.trafficDistribution)) return;
  const nodes = service.spec.trafficDistribution === 'PreferSameNode';
  for (const e of endpoints) {
    if (!e.conditions.ready) continue;
    const hints: any = {};
    if (e.zone) hints.forZones = [{ name: e.zone }];
    if (nodes && e.nodeName) hints.forNodes = [{ name: e.nodeName }];
    if (Object.keys(hints).length) e.hints = hints;
  }
}

const OVERLOAD = 0.2;

/** Zones get endpoints by their share of CPUs; none at all when a zone would be overloaded or has none. */
function autoHints(c: Controllers, endpoints: any[]): void {
  const cpus = new Map<string, number>();
  for (const n of listObjects(c.server, 'nodes')) {
    const labels = n.metadata.labels ?? {};
    const zone = labels['topology.kubernetes.io/zone'];
    const excluded = 'node-role.kubernetes.io/control-plane' in labels || 'node-role.kubernetes.io/master' in labels;
    const ready = n.status?.conditions?.some((x: any) => x.type === 'Ready' && x.status === 'True');
    if (!excluded && ready && !zone) return;
    if (!excluded && ready && zone) cpus.set(zone, (cpus.get(zone) ?? 0) + Number.parseFloat(n.status?.allocatable?.cpu ?? '0'));
  }
  const ready = endpoints.filter(e => e.conditions.ready);
  if (cpus.size < 2 || ready.length < cpus.size || ready.some(e => !e.zone)) return;
  const total = [...cpus.values()].reduce((a, b) => a + b, 0);
  const zones = [...cpus.keys()].sort();
  // How many each zone needs at least so that none is overloaded by more than a fifth.
  const least = new Map(zones.map(z => [z, Math.max(1, Math.ceil((ready.length * ((cpus.get(z) ?? 0) / total)) / (1 + OVERLOAD)))]));
  if ([...least.values()].reduce((a, b) => a + b, 0) > ready.length) return;
  const byZone = new Map(zones.map(z => [z, ready.filter(e => e.zone === z)]));
  if (ready.some(e => !byZone.has(e.zone))) return;
  for (const e of ready) e.hints = { forZones: [{ name: e.zone }] };
  for (const z of zones) {
    const has = byZone.get(z) as any[];
    while (has.length < (least.get(z) as number)) {
      const donor = zones
        .filter(x => (byZone.get(x) as any[]).length > (least.get(x) as number))
        .sort((a, b) => (byZone.get(b) as any[]).length - (byZone.get(a) as any[]).length)[0];
      if (!donor) return;
      const moved = (byZone.get(donor) as any[]).pop();
      moved.hints = { forZones: [{ name: z }] };
      has.push(moved);
    }
  }
}

// Connections and templates as plain JSON, for a session that ends between two packets.
import { formatIp, ip } from '../../wire/ip.ts';
import type { Netns } from '../types.ts';
import { liveConnections, newConnection, templateKey } from './connections.ts';
import { addressText, findDest, ipvsOf, serviceKey } from './table.ts';

export interface KeptIpvs {
  /** Client, service, destination, state, expiry. */
  connections: { client: [string, number]; service: string; dest: string; state: string; active: boolean; expiresAtMs: number }[];
  templates: { client: string; service: string; dest: string; expiresAtMs: number }[];
}

export function saveIpvs(ns: Netns): KeptIpvs | null {
  if (!ns.ipvs) return null;
  const connections = liveConnections(ns).map(c => ({
    client: [formatIp(c.client.ip), c.client.port] as [string, number],
    service: serviceKey({ protocol: c.protocol, ip: c.virtual.ip, port: c.virtual.port }),
    dest: addressText(c.dest.ip, c.dest.port),
    state: c.state,
    active: c.active,
    expiresAtMs: c.expiresAtMs,
  }));
  const templates = [...ns.ipvs.templates.values()]
    .filter(t => t.expiresAtMs > ns.kernel.sim.nowMs)
    .map(t => ({
      client: formatIp(t.client),
      service: serviceKey(t.service),
      dest: addressText(t.dest.ip, t.dest.port),
      expiresAtMs: t.expiresAtMs,
    }));
  return connections.length || templates.length ? { connections, templates } : null;
}

/** Those whose service and destination are there again. */
export function loadIpvs(ns: Netns, kept: KeptIpvs): void {
  const state = ipvsOf(ns);
  const now = ns.kernel.sim.nowMs;
  for (const k of kept.connections) {
    const service = state.services.get(k.service);
    const dest = service && findDest(service, k.dest);
    if (!service || !dest || k.expiresAtMs <= now) continue;
    const ends = { protocol: service.protocol, src: ip(k.client[0]), sport: k.client[1], dst: service.ip, dport: service.port };
    const c = newConnection(ns, service, ends, dest);
    service.stats.conns--;
    dest.stats.conns--;
    if (k.active) {
      dest.activeConns++;
      dest.inactiveConns--;
    }
    Object.assign(c, { state: k.state, active: k.active, expiresAtMs: k.expiresAtMs });
  }
  for (const k of kept.templates) {
    const service = state.services.get(k.service);
    const dest = service && findDest(service, k.dest);
    if (!service || !dest || k.expiresAtMs <= now) continue;
    const client = ip(k.client);
    state.templates.set(templateKey(client, service), { client, service, dest, expiresAtMs: k.expiresAtMs });
  }
}

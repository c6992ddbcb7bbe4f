// The table of services, as ipvsadm and kube-proxy change it through netlink (ip_vs_ctl.c).
import { formatIp, type Ip } from '../../wire/ip.ts';
import { enableConntrack } from '../netfilter/state.ts';
import type { Errno, Netns } from '../types.ts';
import { type IpvsDest, type IpvsProtocol, type IpvsService, type IpvsState, newStats, type Scheduler } from './types.ts';

export const addressText = (ip: Ip, port: number): string => (ip.length === 16 ? `[${formatIp(ip)}]:${port}` : `${formatIp(ip)}:${port}`);

export const serviceKey = (s: { protocol: IpvsProtocol; ip: Ip; port: number }): string => `${s.protocol} ${addressText(s.ip, s.port)}`;

/** Its state; the first use registers its hooks. */
export function ipvsOf(ns: Netns): IpvsState {
  if (!ns.ipvs) {
    ns.ipvs = { services: new Map(), connections: new Map(), replies: new Map(), templates: new Map() };
    enableConntrack(ns);
    ns.netfilter.hooks.clear();
  }
  return ns.ipvs;
}

export interface ServiceSpec {
  protocol: IpvsProtocol;
  ip: Ip;
  port: number;
  scheduler: Scheduler;
  persistentSeconds: number;
}

/** Add a service, or change how an existing one schedules. -> EEXIST when `create` and it is there, ESRCH when not and it is not */
export function putService(ns: Netns, spec: ServiceSpec, create: boolean): Errno | null {
  const { services } = ipvsOf(ns);
  const key = serviceKey(spec);
  const there = services.get(key);
  if (create === (there !== undefined)) return create ? 'EEXIST' : 'ESRCH';
  if (there) {
    Object.assign(there, { scheduler: spec.scheduler, persistentSeconds: spec.persistentSeconds, last: null, current: 0 });
    return null;
  }
  services.set(key, { ...spec, dests: [], last: null, current: 0, stats: newStats() });
  return null;
}

export function deleteService(ns: Netns, key: string): Errno | null {
  const state = ipvsOf(ns);
  const service = state.services.get(key);
  if (!service) return 'ESRCH';
  state.services.delete(key);
  for (const [k, t] of state.templates) if (t.service === service) state.templates.delete(k);
  return null;
}

const sameDest = (d: IpvsDest, text: string) => addressText(d.ip, d.port) === text;

export const findDest = (s: IpvsService, text: string): IpvsDest | undefined => s.dests.find(d => sameDest(d, text));

/** `create`: EEXIST when the service has it; else ENOENT when it has not. */
export function putDest(s: IpvsService, ip: Ip, port: number, weight: number, create: boolean): Errno | null {
  const there = findDest(s, addressText(ip, port));
  if (create === (there !== undefined)) return create ? 'EEXIST' : 'ENOENT';
  if (there) there.weight = weight;
  else s.dests.unshift({ ip, port, weight, activeConns: 0, inactiveConns: 0, persistentConns: 0, stats: newStats() });
  return null;
}

export function deleteDest(s: IpvsService, text: string): Errno | null {
  const at = s.dests.findIndex(d => sameDest(d, text));
  if (at < 0) return 'ENOENT';
  if (s.last === s.dests[at]) s.last = s.dests[at + 1] ?? null;
  s.dests.splice(at, 1);
  return null;
}

export function flushServices(ns: Netns): void {
  const state = ipvsOf(ns);
  for (const key of [...state.services.keys()]) deleteService(ns, key);
}

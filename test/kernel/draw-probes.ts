// What is asked in a drawn cluster: pods, nodes and the outside ask pods, Services by each of their addresses, nodes and nobody.
import { listObjects } from '../../src/apiserver/store.ts';
import type { PlaceIndex } from '../../src/cluster/places.ts';
import type { Engine } from '../../src/cluster/types.ts';
import { below, type Random } from '../../src/sim/random.ts';
import { HOST, maybe, pick } from './chance.ts';
import type { Drawing } from './draw.ts';

export interface Question {
  /** As `podnet probe` names it, and the namespace's name among the rebuilt ones. */
  from: string;
  place: string;
  to: string;
  proto: 'tcp' | 'udp';
  address: string;
  port: number;
  family: 4 | 6;
  sequential: boolean;
  /** For people: which address of what. */
  what: string;
}

interface Target {
  address: string;
  port: number;
  proto: 'tcp' | 'udp';
  what: string;
  /** Attempts decide each other: the Service is sticky. */
  sticky?: string;
}

const PROBES = 40;

export function drawProbes(d: Drawing, engine: Engine, places: PlaceIndex): Question[] {
  const r = d.random;
  const targets = allTargets(d, engine);
  const sources = [...places.byName.keys()].filter(n => !n.includes('kube-system') && !n.includes('kube-proxy'));
  const out = new Map<string, Question>();
  const stuck = new Set<string>();
  for (let i = 0; i < PROBES; i++) {
    const from = pick(r, sources);
    const t = pick(r, targets);
    // One who asks a sticky Service twice has decided the second answer by the first.
    if (t.sticky && stuck.has(`${t.sticky}`)) continue;
    if (t.sticky) stuck.add(`${t.sticky}`);
    const family = t.address.includes(':') ? 6 : 4;
    const to = family === 6 ? `[${t.address}]:${t.port}` : `${t.address}:${t.port}`;
    const place = placeOf(engine, from);
    if (!place) continue;
    out.set(`${from} ${to} ${t.proto}`, {
      from,
      place,
      to,
      proto: t.proto,
      address: t.address,
      port: t.port,
      family,
      sequential: !!t.sticky,
      what: t.what,
    });
  }
  return [...out.values()];
}

/** hostNetwork pods ask from their node. */
function placeOf(engine: Engine, from: string): string | null {
  const [kind, name] = [from.slice(0, from.indexOf(':')), from.slice(from.indexOf(':') + 1)];
  if (kind !== 'pod') return name;
  const pod = listObjects(engine.server, 'pods').find(p => `${p.metadata.namespace}/${p.metadata.name}` === name);
  return pod?.spec?.hostNetwork ? (pod.spec.nodeName ?? null) : name;
}

function allTargets(d: Drawing, engine: Engine): Target[] {
  const out: Target[] = [];
  const nodes = engine.config.nodes;
  for (const svc of listObjects(engine.server, 'services')) {
    if (svc.metadata.namespace === 'kube-system') continue;
    const name = `${svc.metadata.namespace}/${svc.metadata.name}`;
    const sticky = svc.spec?.sessionAffinity === 'ClientIP' ? { sticky: name } : {};
    for (const p of svc.spec?.ports ?? []) {
      const proto = p.protocol === 'UDP' ? 'udp' : 'tcp';
      const add = (address: string, port: number, what: string) => out.push({ address, port, proto, what: `${name} ${what}`, ...sticky });
      for (const a of svc.spec.clusterIPs ?? []) if (a !== 'None') for (let i = 0; i < 2; i++) add(a, p.port, 'cluster IP');
      for (const a of svc.spec.externalIPs ?? []) add(a, p.port, 'external IP');
      for (const i of svc.status?.loadBalancer?.ingress ?? []) if (i.ip) add(i.ip, p.port, 'load balancer');
      if (!p.nodePort) continue;
      for (const n of nodes) for (const a of n.ips) add(a, p.nodePort, 'node port');
      add('127.0.0.1', p.nodePort, 'node port on the loopback');
    }
  }
  for (const pod of listObjects(engine.server, 'pods')) {
    const drawn = d.pods.find(p => p.key === `${pod.metadata.namespace}/${pod.metadata.name}`);
    if (!drawn) continue;
    for (const { ip: address } of pod.status?.podIPs ?? []) {
      const add = (port: number, proto: 'tcp' | 'udp') => out.push({ address, port, proto, what: drawn.key });
      if (drawn.tcp) for (let i = 0; i < 2; i++) add(drawn.tcp, 'tcp');
      if (drawn.udp) add(drawn.udp, 'udp');
      add(9, 'tcp');
    }
  }
  for (const p of d.pods) {
    const at = p.hostPort ? [...(nodes.find(n => n.name === p.node)?.ips ?? []), '127.0.0.1'] : [];
    for (const address of at) {
      out.push({ address, port: p.hostPort!, proto: 'tcp', what: `${p.key} host port` });
      out.push({ address, port: p.hostPort! + 1, proto: 'udp', what: `${p.key} host port` });
    }
  }
  return [...out, ...elsewhere(d.random, engine)];
}

/** Nodes' own programs, an address that nobody has, a host of the internet. */
function elsewhere(r: Random, engine: Engine): Target[] {
  const out: Target[] = [];
  for (const n of engine.config.nodes)
    for (const address of n.ips) out.push({ address, port: pick(r, [10250, 10256, 12]), proto: 'tcp', what: n.name });
  for (const f of engine.config.families) {
    const address = HOST.addresses[f === 4 ? 0 : 1];
    out.push({ address, port: maybe(r, 0.8) ? 80 : 81, proto: 'tcp', what: 'a host of the internet' });
    out.push({ address: f === 4 ? `10.244.${below(r, 4)}.77` : `fd00:10:244:${below(r, 4)}::77`, port: 80, proto: 'tcp', what: 'nobody' });
    out.push({ address: f === 4 ? '192.168.1.77' : 'fd00:192:168:1::77', port: 80, proto: pick(r, ['tcp', 'udp']), what: 'nobody' });
    out.push({ address: f === 4 ? '10.96.200.200' : 'fd00:10:96::c8c8', port: 80, proto: pick(r, ['tcp', 'udp']), what: 'no Service' });
  }
  return out;
}

// Every outcome that a connection can have, not the roll of one die: chance is enumerated by running the same attempt again with its
// decisions forced, along every branch, each with its probability.

import type { Socket } from '../linux/socket.ts';
import { close, connect, kernelSocket, recvFrom, sendIcmp, sendTo } from '../linux/socket.ts';
import type { Netns, Trace, TraceStep } from '../linux/types.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { runUntil, type Sim, settle } from '../sim/sim.ts';
import { type Co, startTask } from '../sim/task.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../wire/ip.ts';
import { addToPlaces, type PlaceIndex } from './places.ts';
import type { Engine } from './types.ts';

export interface ProbeSpec {
  id: string;
  from: string;
  to: string;
  proto?: 'tcp' | 'udp' | 'icmp' | 'sctp';
  port?: number;
  family?: 4 | 6;
  count?: number;
  source?: string;
  ttl?: number;
}

export interface ProbeAnswer {
  id: string;
  verdict: string;
  verdicts: string[];
  backends: string[];
  weights?: Record<string, number>;
  pairs: { backend: string; source: string }[];
  icmp: { name: string; from: string }[];
}

interface Outcome {
  verdict: string;
  backend: string | null;
  source: string | null;
  icmp: { name: string; from: string }[];
  probability: number;
}

/** Long enough for a neighbour that does not answer to be given up (three requests, a second apart). */
const TIMEOUT_MS = 3500;
/** Branches beyond this are not followed: their weight is lost from the answer, none of the common ones. */
const MOST_BRANCHES = 4096;

export function probe(engine: Engine, spec: ProbeSpec): ProbeAnswer {
  const places = addToPlaces(engine);
  const from = places.byName.get(spec.from);
  if (!from) throw new Error(`probe ${spec.id}: there is no ${spec.from}`);
  const target = destination(places, spec);
  if (!target) throw new Error(`probe ${spec.id}: "${spec.to}" is no address, [v6]:port or place`);
  const outcomes = enumerate(engine.server.sim, places, () => attempt(places, from, target, spec));
  return summarise(spec.id, outcomes);
}

function destination(places: PlaceIndex, spec: ProbeSpec): { ip: Ip; port: number } | null {
  const place = places.byName.get(spec.to);
  if (place) {
    const ip = places.addressOf(place, spec.family ?? 4);
    return ip && { ip, port: spec.port ?? 0 };
  }
  const bare = parseIp(spec.to);
  if (bare) return { ip: bare, port: spec.port ?? 0 };
  const m = /^\[(.*)\]:(\d+)$/.exec(spec.to) ?? /^([^:]+):(\d+)$/.exec(spec.to);
  const ip = m && parseIp(m[1]);
  return ip ? { ip, port: Number(m[2]) } : null;
}

// -- enumerating chance

function enumerate(sim: Sim, places: PlaceIndex, run: () => Omit<Outcome, 'probability'>): Outcome[] {
  const dice = sim.chance;
  const out: Outcome[] = [];
  let forced: boolean[] = [];
  try {
    for (let n = 0; n < MOST_BRANCHES; n++) {
      const taken: { yes: boolean; p: number }[] = [];
      sim.chance = p => {
        if (p >= 1 || p <= 0) return p >= 1;
        const yes = taken.length < forced.length ? forced[taken.length] : true;
        taken.push({ yes, p });
        return yes;
      };
      const ways = new Map<number, number>();
      sim.spread = (weights, flow) => {
        const known = ways.get(flow);
        if (known !== undefined && known < weights.length) return known;
        let left = weights.reduce((a, b) => a + b, 0);
        let way = 0;
        for (; way < weights.length - 1 && !sim.chance(weights[way] / left); way++) left -= weights[way];
        ways.set(flow, way);
        return way;
      };
      const restore = places.rememberRecent();
      const outcome = run();
      restore();
      out.push({ ...outcome, probability: taken.reduce((w, t) => w * (t.yes ? t.p : 1 - t.p), 1) });
      while (taken.length && !taken[taken.length - 1].yes) taken.pop();
      if (!taken.length) break;
      forced = [...taken.slice(0, -1).map(t => t.yes), false];
    }
  } finally {
    sim.chance = dice;
    sim.spread = null;
  }
  return out;
}

// -- one attempt

function attempt(places: PlaceIndex, from: Netns, to: { ip: Ip; port: number }, spec: ProbeSpec): Omit<Outcome, 'probability'> {
  const sim = from.kernel.sim;
  const trace: Trace = { steps: [] };
  // Each attempt is the first that a router hears of for a while: what it has said to others before is not part of the question.
  for (const ns of places.byPlace.values()) ns.told?.clear();
  const task = startTask(sim, client(from, to, spec, trace, places));
  runUntil(sim, () => task.done);
  // The connection's last packets, too: they must not take part in the next attempt.
  settle(sim, 200);
  const { verdict, icmp } = task.result as ClientResult;
  const delivered = verdict === 'connected' ? deliveryOf(trace, places, from, spec) : null;
  return { verdict, backend: delivered?.backend ?? null, source: delivered?.source ?? null, icmp: icmp ? [icmp] : [] };
}

interface ClientResult {
  verdict: string;
  icmp: { name: string; from: string } | null;
}

/** What the attempt came to. An ICMP error that reached the socket says more than the errno; a timeout has none. */
function conclude(s: Socket, verdict: string): ClientResult {
  const h = s.heard;
  if (!h || verdict === 'connected' || verdict === 'timeout') return { verdict, icmp: null };
  const name = icmpName(familyOf(h.from), h.type, h.code);
  return { verdict: name === 'time-exceeded' ? 'ttl-exceeded' : 'icmp-unreachable', icmp: { name, from: formatIp(h.from) } };
}

function* client(from: Netns, to: { ip: Ip; port: number }, spec: ProbeSpec, trace: Trace, places: PlaceIndex): Co<ClientResult> {
  const proto = spec.proto ?? 'tcp';
  const s = kernelSocket(from, proto, familyOf(to.ip));
  if (spec.ttl !== undefined) s.ttl = spec.ttl;
  s.trace = trace;
  s.options.set('recverr', 1);
  try {
    if (proto === 'udp') return conclude(s, yield* datagram(s, to, trace, places, from));
    if (proto === 'icmp') return conclude(s, yield* ping(s, to));
    const r = yield* connect(s, to.ip, to.port, TIMEOUT_MS);
    return conclude(s, r === null ? 'connected' : verdictOf(r));
  } finally {
    close(s);
  }
}

function verdictOf(e: string): string {
  switch (e) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'EINPROGRESS':
    case 'ETIMEDOUT':
    case 'EAGAIN':
      return 'timeout';
    case 'ECONNRESET':
      return 'reset';
    default:
      return 'error';
  }
}

/** Whoever gets the datagram answers it, as the checks' own servers do: what is asked is the network, not the program. */
function* datagram(s: Socket, to: { ip: Ip; port: number }, trace: Trace, places: PlaceIndex, from: Netns): Co<string> {
  const connected = yield* connect(s, to.ip, to.port);
  if (connected) return verdictOf(connected);
  const failed = sendTo(s, stringToBytes('podnet probe'), null, 0);
  if (failed) return yield* refusedAtOnce(s);
  let answered = false;
  const until = s.netns.kernel.sim.nowMs + TIMEOUT_MS;
  for (;;) {
    const d = yield* recvFrom(s, Math.min(20, until - s.netns.kernel.sim.nowMs));
    if (d === 'EAGAIN') {
      const hit = answered ? null : deliveryOf(trace, places, from, { id: '', from: '', to: '', proto: 'udp' });
      if (hit?.socket) {
        answered = true;
        sendTo(hit.socket, stringToBytes('podnet probe'), parseIp(hit.source), hit.sourcePort, { src: hit.local });
      }
      if (s.netns.kernel.sim.nowMs >= until) return 'timeout';
      continue;
    }
    if (typeof d === 'string') return verdictOf(d);
    if (d.error) return 'error';
    return 'connected';
  }
}

/** A local DROP is nothing but an errno; a local REJECT sends its ICMP error as well, over lo. */
function* refusedAtOnce(s: Socket): Co<string> {
  yield* recvFrom(s, 5);
  return 'error';
}

function* ping(s: Socket, to: { ip: Ip; port: number }): Co<string> {
  const echo = { type: s.family === 4 ? 8 : 128, code: 0, data: stringToBytes('podnet probe') };
  const failed = sendIcmp(s, echo, 1, to.ip);
  if (failed) return yield* refusedAtOnce(s);
  const d = yield* recvFrom(s, TIMEOUT_MS);
  if (d === 'EAGAIN') return 'timeout';
  if (typeof d === 'string') return verdictOf(d);
  if (d.error) return 'error';
  return 'connected';
}

interface Delivery {
  backend: string;
  source: string;
  sourcePort: number;
  local: Ip;
  socket: Socket | null;
}

/** The first packet of the connection that a socket somewhere took, that is not the client's own reply. */
function deliveryOf(trace: Trace, places: PlaceIndex, from: Netns, spec: ProbeSpec): Delivery | null {
  const proto = spec.proto ?? 'tcp';
  const opens = (s: TraceStep) => {
    const b = s.packet?.body;
    if (!b || s.kind !== 'deliver') return false;
    if (proto === 'tcp') return b.kind === 'tcp' && (b.flags & 0x12) === 0x02;
    if (proto === 'udp') return b.kind === 'udp' && !b.vxlan;
    if (proto === 'icmp') return b.kind === 'icmp' && (b.type === 8 || b.type === 128);
    return b.kind === 'sctp';
  };
  const step = trace.steps.find(opens);
  if (!step?.packet) return null;
  const ns = places.byPlace.get(step.at) ?? from;
  const b = step.packet.body;
  const ports = b.kind === 'tcp' || b.kind === 'udp' || b.kind === 'sctp' ? b : { sport: 0, dport: 0 };
  const owner = [...ns.sockets.all].find(x => x.type === proto && x.localPort === ports.dport && !x.remote && !x.closed) ?? null;
  return {
    backend: places.ownerName(ns, owner, ports.dport),
    source: formatIp(step.packet.src),
    sourcePort: ports.sport,
    local: step.packet.dst,
    socket: owner,
  };
}

const ICMP_NAMES: Record<4 | 6, Record<string, string>> = {
  4: {
    '3/0': 'net-unreachable',
    '3/1': 'host-unreachable',
    '3/2': 'protocol-unreachable',
    '3/3': 'port-unreachable',
    '3/4': 'fragmentation-needed',
    '3/9': 'net-prohibited',
    '3/10': 'host-prohibited',
    '3/13': 'admin-prohibited',
    '11/0': 'time-exceeded',
  },
  6: {
    '1/0': 'no-route',
    '1/1': 'admin-prohibited',
    '1/3': 'address-unreachable',
    '1/4': 'port-unreachable',
    '1/5': 'policy-fail',
    '1/6': 'reject-route',
    '3/0': 'time-exceeded',
  },
};

const icmpName = (family: 4 | 6, type: number, code: number): string =>
  ICMP_NAMES[family][`${type}/${code}`] ?? `type-${type}-code-${code}`;

function summarise(id: string, outcomes: Outcome[]): ProbeAnswer {
  const verdicts = [...new Set(outcomes.map(o => o.verdict))].sort();
  const weights: Record<string, number> = {};
  for (const o of outcomes) if (o.backend) weights[o.backend] = (weights[o.backend] ?? 0) + o.probability;
  const pairs = new Map<string, { backend: string; source: string }>();
  for (const o of outcomes) if (o.backend && o.source) pairs.set(`${o.backend} ${o.source}`, { backend: o.backend, source: o.source });
  const icmp = [...new Map(outcomes.flatMap(o => o.icmp).map(i => [`${i.name} ${i.from}`, i])).values()];
  return {
    id,
    verdict: verdicts.length === 1 ? verdicts[0] : 'mixed',
    verdicts,
    backends: Object.keys(weights).sort(),
    ...(Object.keys(weights).length ? { weights } : {}),
    pairs: [...pairs.values()],
    icmp,
  };
}

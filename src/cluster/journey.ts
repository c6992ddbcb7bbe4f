// The journey of one connection out of a pod, as a value: name lookup, every rule, route and translation, and where it ended and why.
import { getObject } from '../apiserver/store.ts';
import { wake } from '../kubelet/adopt.ts';
import { adoptPod } from '../kubelet/kubelet.ts';
import { DEFAULT_CAPS, spawnProgram, waitFor } from '../linux/process.ts';
import { close, connect, recv, send, socket } from '../linux/socket.ts';
import type { Process, Trace, TraceStep } from '../linux/types.ts';
import { newFilesystem } from '../linux/vfs.ts';
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import type { Co } from '../sim/task.ts';
import { gaiStrerror, getaddrinfo } from '../userland/net/resolver.ts';
import { familyOf, formatIp, type Ip, parseIp } from '../wire/ip.ts';
import { type Ending, endingOf } from './journey-rules.ts';
import type { Engine } from './types.ts';

export interface Journey {
  from: string;
  to: { host: string; port: number; path: string | null };
  /** null: the target was an address. */
  lookup: { name: string; addresses: string[]; error: string | null; steps: TraceStep[] } | null;
  address: string | null;
  steps: TraceStep[];
  /** connected, refused, timeout, unreachable, unresolved */
  verdict: string;
  /** Of what was not connected: where and by what it was stopped; null: nothing that was seen stopped it. */
  because: Ending | null;
  /** Status line of the answer to a URL. */
  answer: string | null;
  /** Probability of this very path: the product of the chances that its rules took. */
  odds: number;
}

export interface Target {
  host: string;
  port: number;
  path: string | null;
}

/** `http://host:port/path`, `host:port`, `[v6]:port`; null: neither. */
export function parseTarget(text: string): Target | null {
  const url = /^http:\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)?$/.exec(text);
  if (url) return { host: url[1].replace(/^\[|\]$/g, ''), port: Number(url[2] ?? 80), path: url[3] ?? '/' };
  const pair = /^(\[[^\]]+\]|[^/:]+):(\d+)$/.exec(text);
  return pair ? { host: pair[1].replace(/^\[|\]$/g, ''), port: Number(pair[2]), path: null } : null;
}

/** How long a SYN is waited for: three tries (1 s, 2 s, 4 s). */
const PATIENCE_MS = 7000;

export function* travel(engine: Engine, namespace: string, podName: string, to: Target): Co<Journey | string> {
  const pod = getObject(engine.server, 'pods', namespace, podName);
  if (!pod) return `pods "${podName}" not found`;
  const node = engine.nodes.get(pod.spec?.nodeName);
  if (!node) return `pod ${podName} does not have a host assigned`;
  const kernel = node.kernel();
  adoptPod(node.kubelet, pod);
  const runtime = node.kubelet.pods.get(pod.metadata.uid as string);
  if (runtime) wake(node.kubelet, runtime);
  if (!runtime?.netns) return `pod ${podName} has no network yet`;
  const fs = [...runtime.containers.values()].find(c => c.fs)?.fs ?? newFilesystem();
  const journey: Journey = {
    from: `${namespace}/${podName}`,
    to,
    lookup: null,
    address: null,
    steps: [],
    verdict: '',
    because: null,
    answer: null,
    odds: 1,
  };
  const dice = engine.server.sim.chance;
  const p = spawnProgram(kernel, q => walkOut(q, journey), {
    netns: runtime.netns,
    fs,
    argv: ['podnet-trace'],
    caps: new Set(DEFAULT_CAPS),
  });
  try {
    yield* waitFor(p);
  } finally {
    engine.server.sim.chance = dice;
  }
  if (journey.verdict !== 'connected') journey.because = endingOf(journey.steps) ?? endingOf(journey.lookup?.steps ?? []);
  return journey;
}

function* walkOut(p: Process, j: Journey): Co<number> {
  let ip: Ip | null = parseIp(j.to.host);
  if (!ip) {
    const trace: Trace = { steps: [] };
    p.trace = trace;
    const found = yield* getaddrinfo(p, j.to.host, { libc: 'glibc' });
    const error = typeof found === 'string' ? gaiStrerror('glibc', found) : null;
    const addresses = typeof found === 'string' ? [] : found.addresses;
    j.lookup = { name: j.to.host, addresses: addresses.map(formatIp), error, steps: trace.steps };
    ip = addresses[0] ?? null;
    if (!ip) {
      j.verdict = 'unresolved';
      return 1;
    }
  }
  j.address = formatIp(ip);
  const trace: Trace = { steps: j.steps };
  p.trace = trace;
  rememberOdds(p, j);
  const s = socket(p, 'tcp', familyOf(ip));
  if (typeof s === 'string') return 1;
  s.trace = trace;
  const failed = yield* connect(s, ip, j.to.port, PATIENCE_MS);
  j.verdict =
    failed === null
      ? 'connected'
      : failed === 'ECONNREFUSED'
        ? 'refused'
        : failed === 'EHOSTUNREACH' || failed === 'ENETUNREACH'
          ? 'unreachable'
          : 'timeout';
  if (failed === null && j.to.path !== null) {
    yield* send(s, stringToBytes(`GET ${j.to.path} HTTP/1.1\r\nHost: ${j.to.host}\r\nUser-Agent: podnet\r\nConnection: close\r\n\r\n`));
    const got = yield* recv(s, PATIENCE_MS);
    if (typeof got !== 'string') j.answer = bytesToString(got).split('\r\n')[0];
  }
  close(s);
  return 0;
}

/** Every decision of chance on the way multiplies into the odds. */
function rememberOdds(p: Process, j: Journey): void {
  const { sim } = p.kernel;
  const roll = sim.chance;
  sim.chance = probability => {
    const yes = roll(probability);
    if (!j.verdict) j.odds *= yes ? probability : 1 - probability;
    return yes;
  };
}

// plugin/forward (coredns 1.14.2, forward.go and policy.go): asks upstreams in the order of its policy until one answers.
import { below, type Random } from '../../sim/random.ts';
import { type Co, sleep } from '../../sim/task.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { increase } from '../metrics.ts';
import { argumentError, type Instance, type Next, type Outcome, type Plugin, type Request } from '../types.ts';
import { expandZone, inZone } from '../zones.ts';
import { forwardOptions, upstreams } from './forward-setup.ts';
import type { Options } from './forward-upstream.ts';
import {
  addressOf,
  awake,
  check,
  closeIdle,
  exchange,
  isDown,
  keptUpstreams,
  restoreUpstreams,
  type Upstream,
} from './forward-upstream.ts';

interface Forward extends Options {
  instance: Instance;
  from: string;
  upstreams: Upstream[];
  /** Behind it comes another forward. */
  another: boolean;
  /** round_robin's counter. */
  turn: number;
  /** Queries under way. */
  running: number;
}

interface Kept {
  turn: number;
  upstreams: ReturnType<typeof keptUpstreams>;
}

export const forward: Plugin = {
  name: 'forward',
  many: true,
  setup: ({ instance, directive, block, all, keep }) => {
    const { args } = directive;
    if (args.length < 2) throw argumentError(directive);
    block.chaos = true;
    const [from] = expandZone(args[0]);
    const servers = upstreams(instance, args.slice(1));
    block.upstreams = [...(block.upstreams ?? []), ...servers.map(u => u.ip)];
    const options = forwardOptions(directive.body);
    const f: Forward = { ...options, instance, from, upstreams: servers, another: all[all.length - 1] !== directive, turn: 0, running: 0 };
    const kept = keep((): Kept => ({ turn: f.turn, upstreams: keptUpstreams(servers) })) as Kept | undefined;
    f.turn = kept?.turn ?? 0;
    instance.stops.push(() => servers.forEach(closeIdle));
    restoreUpstreams(instance, servers, f, kept?.upstreams ?? []);
    return (r, next) => serve(f, r, next);
  },
};

function* serve(f: Forward, r: Request, next: Next): Co<Outcome> {
  const mine = r.name === f.from || (inZone(r.name, f.from) && !f.except.some(z => inZone(r.name, z)));
  if (!mine) return yield* next(r);
  if (f.maxConcurrent && f.running >= f.maxConcurrent) {
    increase(f.instance.metrics, 'coredns_forward_max_concurrent_rejects_total');
    return { reply: null, rcode: 'REFUSED', error: `concurrent queries exceeded maximum ${f.maxConcurrent}` };
  }
  f.running++;
  try {
    yield* awake(f.instance, f.upstreams);
    const got = yield* ask(f, r);
    if (typeof got === 'string') return { reply: null, rcode: 'SERVFAIL', error: got };
    return f.another && f.next.includes(got.rcode) ? yield* next(r) : { reply: got };
  } finally {
    f.running--;
  }
}

function shuffled(list: Upstream[], dice: Random): Upstream[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = below(dice, i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** Policy.List; round_robin begins with the second. */
function ordered(f: Forward): Upstream[] {
  if (f.policy === 'sequential') return f.upstreams;
  if (f.policy === 'random') return shuffled(f.upstreams, f.instance.server.sim.random);
  const i = ++f.turn % f.upstreams.length;
  return [f.upstreams[i], ...f.upstreams.slice(0, i), ...f.upstreams.slice(i + 1)];
}

/** Within so long another attempt may begin. */
const DEFAULT_TIMEOUT_MS = 5000;
/** Upstream tries again at once, over and over, where nobody is; nothing changes in less time than this. */
const SPIN_MS = 50;

/** -> the answer, or what went wrong with the last attempt */
function* ask(f: Forward, r: Request): Co<DnsMessage | string> {
  const { metrics, server } = f.instance;
  const { sim } = server;
  const deadline = sim.nowMs + DEFAULT_TIMEOUT_MS;
  const list = ordered(f);
  let error = 'no healthy proxies';
  let fails = 0;
  let attempts = 0;
  let roundMs = sim.nowMs;
  for (let i = 0; sim.nowMs < deadline; ) {
    if (i >= list.length) {
      if (sim.nowMs - roundMs < SPIN_MS) yield* sleep(sim, SPIN_MS);
      [i, fails, roundMs] = [0, 0, sim.nowMs];
    }
    let u = list[i++];
    if (isDown(u, f)) {
      if (++fails < list.length) continue;
      increase(metrics, 'coredns_forward_healthcheck_broken_total');
      if (f.failFast) break;
      // All are down: perhaps it is the checks that are broken.
      u = list[below(sim.random, list.length)];
    }
    r.notes.set('forward/upstream', addressOf(u));
    const got = yield* exchange(f.instance, u, r, f);
    if (typeof got === 'string') {
      error = got;
      if (f.maxFails) check(f.instance, u, f);
      if (f.maxAttempts && ++attempts >= f.maxAttempts) break;
      if (fails < list.length) continue;
      break;
    }
    error = 'no healthy proxies';
    if (!f.failover.includes(got.rcode) || fails >= list.length) return got;
    fails++;
  }
  return error;
}

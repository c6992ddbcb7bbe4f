import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import {
  type Exchange,
  type ExchangeFailure,
  type ExchangeOptions,
  exchangeTcp,
  exchangeUdp,
  failed,
} from '../../userland/net/dns-client.ts';
import type { DnsMessage, Rcode } from '../../wire/dns.ts';
import { isDnsName } from '../../wire/dns-codec.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Directive } from '../corefile.ts';
import { argumentError, CorefileError, type Instance, type Outcome, type Plugin, plainError, type Request } from '../types.ts';
import { durationMs, expandZone, inZone } from '../zones.ts';

interface Upstream {
  ip: Ip;
  port: number;
  /** How long connections took of late (plugin/pkg/proxy/connect.go: a running mean of weight 4). */
  dialMs: number;
}

const [LEAST_DIAL_MS, MOST_DIAL_MS] = [1000, 30_000];
const upstream = (ip: Ip, port: number): Upstream => ({ ip, port, dialMs: MOST_DIAL_MS / 2 });

/** Transports that CoreDNS listens with, and does not forward by. */
const OTHER_PORTS: Record<string, number> = { grpc: 443, https: 443, https3: 443, quic: 853 };

function upstreams(instance: Instance, args: string[]): Upstream[] {
  const out: Upstream[] = [];
  for (const arg of args) {
    if (arg.startsWith('/')) {
      const data = readFile(instance.p.fs, arg, instance.p);
      if (typeof data === 'string') throw plainError(`not an IP address or file: "${arg}"`);
      for (const [, server] of bytesToString(data).matchAll(/^\s*nameserver\s+(\S+)/gm)) {
        const ip = parseIp(server);
        if (ip) out.push(upstream(ip, 53));
      }
      continue;
    }
    const scheme = /^(\w+):\/\//.exec(arg)?.[1];
    const text = scheme ? arg.slice(scheme.length + 3) : arg;
    if (scheme && Object.hasOwn(OTHER_PORTS, scheme) && parseIp(text))
      throw plainError(`'${scheme}' is not supported as a destination protocol in forward: ${scheme}://${text}:${OTHER_PORTS[scheme]}`);
    const m = /^\[(.*)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text);
    const ip = parseIp(m?.[1] ?? text);
    if (!ip) throw plainError(`not an IP address or file: "${arg}"`);
    out.push(upstream(ip, Number(m?.[2] ?? 53)));
  }
  return out;
}

interface Options {
  except: string[];
  policy: 'random' | 'round_robin' | 'sequential';
  forceTcp: boolean;
  preferUdp: boolean;
  /** Answers with these codes are not the last word: the next upstream, or the next forward, is asked. */
  failover: Rcode[];
  next: Rcode[];
  /** 0: any number. */
  maxConcurrent: number;
}

type Rule = (o: Options, d: Directive) => void;

function need(d: Directive): string {
  if (!d.args.length) throw argumentError(d);
  return d.args[0];
}

const none = (d: Directive): void => {
  if (d.args.length) throw argumentError(d);
};

function integer(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw plainError(`strconv.Atoi: parsing "${text}": invalid syntax`);
  return Number(text);
}

const RCODES: Rcode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

function rcodes(d: Directive): Rcode[] {
  need(d);
  return d.args.map(text => {
    const code = RCODES.find(c => c === text.toUpperCase());
    if (!code) throw plainError(`${text} is not a valid rcode`);
    return code;
  });
}

function duration(d: Directive): void {
  const text = need(d);
  const ms = durationMs(text);
  if (ms === null) throw plainError(`time: invalid duration "${text}"`);
  if (ms < 0) throw plainError(`${d.name} can't be negative: ${Math.floor(ms / 1000)}s`);
}

function unsigned(_: Options, d: Directive): void {
  const text = need(d);
  if (!/^\d+$/.test(text)) throw plainError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
}

function healthCheck(_: Options, d: Directive): void {
  duration(d);
  for (let i = 1; i < d.args.length; i++) {
    if (d.args[i] === 'no_rec') continue;
    if (d.args[i] !== 'domain') throw plainError(`health_check: unknown option ${d.args[i]}`);
    if (++i >= d.args.length) throw argumentError(d);
    if (!isDnsName(d.args[i])) throw plainError(`health_check: invalid domain name ${d.args[i]}`);
  }
}

/** plugin/forward/setup.go parseBlock. */
const RULES: Record<string, Rule> = {
  except: (o, d) => {
    need(d);
    o.except.push(...d.args.flatMap(expandZone));
  },
  max_fails: unsigned,
  max_connect_attempts: unsigned,
  health_check: healthCheck,
  force_tcp: (o, d) => {
    none(d);
    o.forceTcp = true;
  },
  prefer_udp: (o, d) => {
    none(d);
    o.preferUdp = true;
  },
  tls: (_, d) => {
    if (d.args.length > 3) throw argumentError(d);
  },
  tls_servername: (_, d) => void need(d),
  expire: (_, d) => duration(d),
  max_idle_conns: (_, d) => {
    const n = integer(need(d));
    if (n < 0) throw plainError(`max_idle_conns can't be negative: ${n}`);
  },
  policy: (o, d) => {
    const name = need(d);
    if (name !== 'random' && name !== 'round_robin' && name !== 'sequential') throw new CorefileError(d.line, `unknown policy '${name}'`);
    o.policy = name;
  },
  max_concurrent: (o, d) => {
    o.maxConcurrent = integer(need(d));
    if (o.maxConcurrent < 0) throw plainError(`max_concurrent can't be negative: ${o.maxConcurrent}`);
  },
  next: (o, d) => {
    o.next = rcodes(d);
  },
  failfast_all_unhealthy_upstreams: (_, d) => none(d),
  failover: (o, d) => {
    o.failover = rcodes(d);
    if (o.failover.includes('NOERROR')) throw plainError('NoError cannot be used in failover');
  },
};

/** Asks upstreams over real sockets, in the order of its policy, by the protocol that the client came by. */
export const forward: Plugin = {
  name: 'forward',
  many: true,
  setup: ({ instance, directive, block, all }) => {
    const { args } = directive;
    if (args.length < 2) throw argumentError(directive);
    block.chaos = true;
    const [from] = expandZone(args[0]);
    const servers = upstreams(instance, args.slice(1));
    block.upstreams = [...(block.upstreams ?? []), ...servers.map(u => u.ip)];
    const o: Options = {
      except: [],
      policy: 'random',
      forceTcp: false,
      preferUdp: false,
      failover: [],
      next: [],
      maxConcurrent: 0,
    };
    for (const d of directive.body) {
      if (!Object.hasOwn(RULES, d.name)) throw new CorefileError(d.line, `unknown property '${d.name}'`);
      RULES[d.name](o, d);
    }
    const isLast = all[all.length - 1] === directive;
    let turn = 0;
    let running = 0;
    const ordered = () => {
      const { random } = instance.server.sim;
      const start = o.policy === 'sequential' ? 0 : o.policy === 'round_robin' ? turn++ % servers.length : below(random, servers.length);
      return [...servers.slice(start), ...servers.slice(0, start)];
    };
    return function* (r, next): Co<Outcome> {
      const mine = r.name === from || (inZone(r.name, from) && !o.except.some(z => inZone(r.name, z)));
      if (!mine) return yield* next(r);
      if (o.maxConcurrent && running >= o.maxConcurrent)
        return { reply: null, rcode: 'REFUSED', error: `concurrent queries exceeded maximum ${o.maxConcurrent}` };
      running++;
      try {
        const outcome = yield* ask(instance, r, ordered(), o);
        if (outcome.reply && o.next.includes(outcome.reply.rcode) && !isLast) return yield* next(r);
        return outcome;
      } finally {
        running--;
      }
    };
  },
};

/** plugin/forward/forward.go: five seconds for all of it. */
const DEFAULT_TIMEOUT_MS = 5000;
const READ_TIMEOUT_MS = 2000;

function* ask(instance: Instance, r: Request, servers: Upstream[], o: Options): Co<Outcome> {
  const sim = instance.server.sim;
  const deadline = sim.nowMs + DEFAULT_TIMEOUT_MS;
  let error = 'no healthy proxies';
  for (let i = 0; sim.nowMs < deadline && i < servers.length * 3; i++) {
    const s = servers[i % servers.length];
    const options = { port: s.port, timeoutMs: Math.min(READ_TIMEOUT_MS, deadline - sim.nowMs) };
    let tcp = o.forceTcp || (r.proto === 'tcp' && !o.preferUdp);
    const query: DnsMessage = { ...r.query, id: below(sim.random, 65536) };
    const address = s.ip.length === 16 ? `[${formatIp(s.ip)}]:${s.port}` : `${formatIp(s.ip)}:${s.port}`;
    r.notes.set('forward/upstream', address);
    let got: Exchange | ExchangeFailure = tcp
      ? yield* dial(instance, s, query, options)
      : yield* exchangeUdp(instance.p, s.ip, query, options);
    if (!tcp && o.preferUdp && !failed(got) && got.message.tc) {
      tcp = true;
      got = yield* dial(instance, s, query, options);
    }
    if (!failed(got)) {
      if (o.failover.includes(got.message.rcode) && i + 1 < servers.length) continue;
      return { reply: { ...got.message, id: r.query.id } };
    }
    error = describe(got, s, tcp ? 'tcp' : 'udp', r, instance);
  }
  return { reply: null, rcode: 'SERVFAIL', error };
}

/** Over TCP. A connection may take twice the time that the last ones took, so that the first one to nowhere outlasts the query. */
function* dial(instance: Instance, s: Upstream, query: DnsMessage, options: ExchangeOptions): Co<Exchange | ExchangeFailure> {
  const { sim } = instance.server;
  const startMs = sim.nowMs;
  const connectTimeoutMs = Math.min(MOST_DIAL_MS, Math.max(LEAST_DIAL_MS, 2 * s.dialMs));
  const got = yield* exchangeTcp(instance.p, s.ip, query, { ...options, connectTimeoutMs });
  s.dialMs += (sim.nowMs - startMs - s.dialMs) / 4;
  return got;
}

function describe(f: ExchangeFailure, s: Upstream, proto: string, _r: Request, instance: Instance): string {
  const address = s.ip.length === 16 ? `[${formatIp(s.ip)}]:${s.port}` : `${formatIp(s.ip)}:${s.port}`;
  const mine = [...instance.p.netns.links.values()]
    .flatMap(l => l.addresses)
    .find(a => a.scope === 'global' && a.ip.length === s.ip.length);
  const local = mine ? `${formatIp(mine.ip)}:${32768 + below(instance.server.sim.random, 28232)}` : '';
  if (f.error === 'ECONNREFUSED')
    return proto === 'tcp' ? `dial tcp ${address}: connect: connection refused` : `read udp ${local}->${address}: read: connection refused`;
  if (f.error === 'EHOSTUNREACH') return `read ${proto} ${local}->${address}: read: no route to host`;
  if (f.error === 'ENETUNREACH') return `dial ${proto} ${address}: connect: network is unreachable`;
  return proto === 'tcp' && f.stage === 'connect' ? `dial tcp ${address}: i/o timeout` : `read ${proto} ${local}->${address}: i/o timeout`;
}

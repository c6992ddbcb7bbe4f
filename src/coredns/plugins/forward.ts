import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { type Exchange, type ExchangeFailure, exchangeTcp, exchangeUdp, failed } from '../../userland/net/dns-client.ts';
import type { DnsMessage } from '../../wire/dns.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Directive } from '../corefile.ts';
import { argumentError, CorefileError, type Instance, type Outcome, type Plugin, plainError, type Request } from '../types.ts';
import { durationMs, inZone } from '../zones.ts';

interface Upstream {
  ip: Ip;
  port: number;
}

function upstreams(instance: Instance, args: string[]): Upstream[] {
  const out: Upstream[] = [];
  for (const arg of args) {
    if (arg.startsWith('/')) {
      const data = readFile(instance.p.fs, arg, instance.p);
      if (typeof data === 'string') throw plainError(`not an IP address or file: "${arg}"`);
      for (const [, server] of bytesToString(data).matchAll(/^\s*nameserver\s+(\S+)/gm)) {
        const ip = parseIp(server);
        if (ip) out.push({ ip, port: 53 });
      }
      continue;
    }
    const text = arg.replace(/^dns:\/\//, '');
    const m = /^\[(.*)\](?::(\d+))?$/.exec(text) ?? /^([^:]+)(?::(\d+))?$/.exec(text);
    const ip = parseIp(m?.[1] ?? text);
    if (!ip) throw plainError(`not an IP address or file: "${arg}"`);
    out.push({ ip, port: Number(m?.[2] ?? 53) });
  }
  return out;
}

/** Asks upstreams over real sockets; random order by default, two seconds each, over TCP when the client came by TCP or an answer is cut. */
export const forward: Plugin = {
  name: 'forward',
  many: true,
  setup: ({ instance, directive, block }) => {
    const { args, line } = directive;
    if (args.length < 2)
      throw new CorefileError(line, `Wrong argument count or unexpected line ending after '${args[args.length - 1] ?? 'forward'}'`);
    const from = (args[0].endsWith('.') ? args[0] : `${args[0]}.`).toLowerCase();
    const servers = upstreams(instance, args.slice(1));
    block.upstreams = [...(block.upstreams ?? []), ...servers.map(u => u.ip)];
    const except: string[] = [];
    let policy = 'random';
    let forceTcp = false;
    for (const d of directive.body) {
      checkOption(d);
      if (d.name === 'except') except.push(...d.args.map(a => (a.endsWith('.') ? a : `${a}.`).toLowerCase()));
      else if (d.name === 'policy') policy = d.args[0];
      else if (d.name === 'force_tcp') forceTcp = true;
      else if (
        ![
          'prefer_udp',
          'max_fails',
          'expire',
          'tls',
          'tls_servername',
          'health_check',
          'max_concurrent',
          'next',
          'failfast_all_unhealthy_upstreams',
          'failover',
        ].includes(d.name)
      )
        throw new CorefileError(d.line, `unknown property '${d.name}'`);
    }
    let turn = 0;
    return function* (r, next): Co<Outcome> {
      if (!inZone(r.name, from) || except.some(z => inZone(r.name, z))) return yield* next(r);
      const order = [...servers];
      const start =
        policy === 'sequential' ? 0 : policy === 'round_robin' ? turn++ % order.length : below(instance.server.sim.random, order.length);
      return yield* ask(instance, r, [...order.slice(start), ...order.slice(0, start)], forceTcp);
    };
  },
};

/** setup.go parseBlock: what its options' words may be. */
function checkOption(d: Directive): void {
  const none = ['force_tcp', 'prefer_udp', 'failfast_all_unhealthy_upstreams'];
  if (none.includes(d.name) && d.args.length) throw argumentError(d);
  if (['except', 'max_fails', 'policy', 'expire', 'max_concurrent', 'next', 'failover', 'health_check'].includes(d.name) && !d.args.length)
    throw argumentError(d);
  const [first] = d.args;
  if (d.name === 'max_fails' && !/^\d+$/.test(first)) throw plainError(`strconv.ParseUint: parsing "${first}": invalid syntax`);
  if (d.name === 'expire' && durationMs(first) === null) throw plainError(`time: invalid duration "${first}"`);
  if (d.name === 'policy' && !['random', 'round_robin', 'sequential'].includes(first))
    throw new CorefileError(d.line, `unknown policy '${first}'`);
  if (d.name === 'tls' && d.args.length > 3) throw argumentError(d);
  if (d.name === 'failover' && first === 'NOERROR') throw plainError('NoError cannot be used in failover');
  for (const [i, word] of d.name === 'health_check' ? d.args.slice(1).entries() : []) {
    if (word !== 'no_rec' && word !== 'domain' && d.args[i] !== 'domain') throw plainError(`health_check: unknown option ${word}`);
    if (word === 'domain' && i + 2 >= d.args.length) throw argumentError(d);
  }
}

/** plugin/forward/forward.go: five seconds for all of it. */
const DEFAULT_TIMEOUT_MS = 5000;
const READ_TIMEOUT_MS = 2000;

function* ask(instance: Instance, r: Request, servers: Upstream[], forceTcp: boolean): Co<Outcome> {
  const sim = instance.server.sim;
  const deadline = sim.nowMs + DEFAULT_TIMEOUT_MS;
  let error = 'no healthy proxies';
  for (let i = 0; sim.nowMs < deadline && i < servers.length * 3; i++) {
    const s = servers[i % servers.length];
    const options = { port: s.port, timeoutMs: Math.min(READ_TIMEOUT_MS, deadline - sim.nowMs) };
    const tcp = forceTcp || r.proto === 'tcp';
    const query: DnsMessage = { ...r.query, id: below(sim.random, 65536) };
    const got: Exchange | ExchangeFailure = tcp
      ? yield* exchangeTcp(instance.p, s.ip, query, options)
      : yield* exchangeUdp(instance.p, s.ip, query, options);
    if (!failed(got)) return { reply: { ...got.message, id: r.query.id } };
    error = describe(got, s, tcp ? 'tcp' : 'udp', r, instance);
  }
  return { reply: null, rcode: 'SERVFAIL', error };
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

// plugin/forward (coredns 1.14.2, setup.go): upstreams and what the block says about them.

import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Rcode } from '../../wire/dns.ts';
import { isDnsName } from '../../wire/dns-codec.ts';
import { parseIp } from '../../wire/ip.ts';
import type { Directive } from '../corefile.ts';
import { argumentError, CorefileError, type Instance, plainError } from '../types.ts';
import { needDuration, needInteger } from '../values.ts';
import { expandZone, zoneName } from '../zones.ts';
import { newUpstream, type Options, type Upstream } from './forward-upstream.ts';

/** Transports that CoreDNS listens with, and does not forward by. */
const OTHER_PORTS: Record<string, number> = { grpc: 443, https: 443, https3: 443, quic: 853 };

const TLS_PORT = 853;
const MOST_UPSTREAMS = 15;

export function upstreams(instance: Instance, args: string[]): Upstream[] {
  const out: Upstream[] = [];
  for (const arg of args) {
    if (arg.startsWith('/')) {
      const data = readFile(instance.p.fs, arg, instance.p);
      if (typeof data === 'string') throw plainError(`not an IP address or file: "${arg}"`);
      for (const [, server] of bytesToString(data).matchAll(/^\s*nameserver\s+(\S+)/gm)) {
        const ip = parseIp(server);
        if (ip) out.push(newUpstream(ip, 53));
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
    const tls = scheme === 'tls';
    if (tls) instance.log('WARNING', `podnet does not model DNS over TLS: nothing is answered by ${arg}`);
    out.push(newUpstream(ip, Number(m?.[2] ?? (tls ? TLS_PORT : 53)), tls));
  }
  if (out.length > MOST_UPSTREAMS) throw plainError(`more than ${MOST_UPSTREAMS} TOs configured: ${out.length}`);
  return out;
}

type Rule = (o: Options, d: Directive) => void;

function need(d: Directive): string {
  if (!d.args.length) throw argumentError(d);
  return d.args[0];
}

const none = (d: Directive): void => {
  if (d.args.length) throw argumentError(d);
};

const RCODES: Rcode[] = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

function rcodes(d: Directive): Rcode[] {
  need(d);
  return d.args.map(text => {
    const code = RCODES.find(c => c === text.toUpperCase());
    if (!code) throw plainError(`${text} is not a valid rcode`);
    return code;
  });
}

function duration(d: Directive): number {
  const ms = needDuration(need(d));
  if (ms < 0) throw plainError(`${d.name} can't be negative: ${d.name === 'expire' ? `${Math.floor(ms / 1000)}s` : ms * 1e6}`);
  return ms;
}

function unsigned(d: Directive): number {
  const text = need(d);
  const why = !/^\d+$/.test(text) ? 'invalid syntax' : Number(text) >= 2 ** 32 ? 'value out of range' : null;
  if (why) throw plainError(`strconv.ParseUint: parsing "${text}": ${why}`);
  return Number(text);
}

function healthCheck(o: Options, d: Directive): void {
  o.health = { everyMs: duration(d), recursion: o.health.recursion, domain: '.' };
  for (let i = 1; i < d.args.length; i++) {
    if (d.args[i] === 'no_rec') {
      o.health.recursion = false;
      continue;
    }
    if (d.args[i] !== 'domain') throw plainError(`health_check: unknown option ${d.args[i]}`);
    if (++i >= d.args.length) throw argumentError(d);
    if (!isDnsName(d.args[i])) throw plainError(`health_check: invalid domain name ${d.args[i]}`);
    o.health.domain = zoneName(d.args[i]);
  }
}

/** plugin/forward/setup.go parseBlock. */
const RULES: Record<string, Rule> = {
  except: (o, d) => {
    need(d);
    o.except.push(...d.args.flatMap(expandZone));
  },
  max_fails: (o, d) => {
    o.maxFails = unsigned(d);
  },
  max_connect_attempts: (o, d) => {
    o.maxAttempts = unsigned(d);
  },
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
  expire: (o, d) => {
    o.expireMs = duration(d);
  },
  max_idle_conns: (o, d) => {
    o.maxIdle = needInteger(need(d));
    if (o.maxIdle < 0) throw plainError(`max_idle_conns can't be negative: ${o.maxIdle}`);
  },
  policy: (o, d) => {
    const name = need(d);
    if (name !== 'random' && name !== 'round_robin' && name !== 'sequential') throw new CorefileError(d.line, `unknown policy '${name}'`);
    o.policy = name;
  },
  max_concurrent: (o, d) => {
    o.maxConcurrent = needInteger(need(d));
    if (o.maxConcurrent < 0) throw plainError(`max_concurrent can't be negative: ${o.maxConcurrent}`);
  },
  next: (o, d) => {
    o.next = rcodes(d);
  },
  failfast_all_unhealthy_upstreams: (o, d) => {
    none(d);
    o.failFast = true;
  },
  failover: (o, d) => {
    o.failover = rcodes(d);
    if (o.failover.includes('NOERROR')) throw plainError('NoError cannot be used in failover');
  },
};

export function forwardOptions(body: Directive[]): Options {
  const o: Options = {
    except: [],
    policy: 'random',
    forceTcp: false,
    preferUdp: false,
    failover: [],
    next: [],
    maxConcurrent: 0,
    maxFails: 2,
    maxAttempts: 0,
    failFast: false,
    expireMs: 10_000,
    maxIdle: 0,
    health: { everyMs: 500, recursion: true, domain: '.' },
  };
  for (const d of body) {
    if (!Object.hasOwn(RULES, d.name)) throw new CorefileError(d.line, `unknown property '${d.name}'`);
    RULES[d.name](o, d);
  }
  return o;
}

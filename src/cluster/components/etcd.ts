// etcd v3.6 as a member of its own cluster: its listeners, and what it says when it cannot have them (server/etcdmain/etcd.go). What it
// holds is the API server's store.

import { complain, strerror } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { rfc3339Micro } from '../../sim/time.ts';
import { goServer, notFound } from '../../userland/servers/go-http.ts';
import { kubeEndpoint } from '../../userland/servers/kube-endpoint.ts';
import { parseIp } from '../../wire/ip.ts';
import { endpointOf, openError, textOf } from './component.ts';
import { parseFlags } from './flags.ts';

const log = (p: Process, level: string, caller: string, msg: string, error: string) =>
  complain(p, `${JSON.stringify({ level, ts: rfc3339Micro(p.kernel.sim.nowMs), caller, msg, error })}\n`);

/** The peers' side fails at the start, the clients' once the listeners serve. */
function fatal(p: Process, error: string, serving = false): number {
  log(p, 'fatal', `etcdmain/etcd.go:${serving ? 198 : 183}`, serving ? 'listener failed' : 'discovery failed', error);
  return 1;
}

const PEER_FILES = ['peer-cert-file', 'peer-key-file', 'peer-trusted-ca-file'];
const CLIENT_FILES = ['cert-file', 'key-file', 'trusted-ca-file'];
const LISTENERS: [flag: string, fallback: string][] = [
  ['listen-peer-urls', 'http://localhost:2380'],
  ['listen-client-urls', 'http://localhost:2379'],
  ['listen-metrics-urls', ''],
];

export function* etcd(p: Process): Co<number> {
  const { flags, unknown, stray } = parseFlags('etcd', p.argv.slice(1));
  if (unknown !== null) {
    complain(p, `flag provided but not defined: -${unknown}\n`);
    return 2;
  }
  const wrong = stray === null ? verify(flags) : `${goQuote(stray)} is not a valid flag`;
  if (wrong) {
    log(p, 'warn', 'etcdmain/etcd.go:66', 'failed to verify flags', wrong);
    return 1;
  }
  for (const name of [...PEER_FILES, ...CLIENT_FILES]) {
    const path = flags.get(name);
    const error = path ? openError(p, path) : null;
    if (error) return fatal(p, error, CLIENT_FILES.includes(name));
  }
  for (const [flag, fallback] of LISTENERS) {
    for (const url of (flags.get(flag) ?? fallback).split(',').filter(Boolean)) {
      const pem = () => textOf(p, flags.get(flag === 'listen-peer-urls' ? 'peer-cert-file' : 'cert-file') ?? '');
      const peer = flag === 'listen-peer-urls';
      const asks = flags.get(peer ? 'peer-client-cert-auth' : 'client-cert-auth') === 'true';
      const authorities = () => textOf(p, flags.get(peer ? 'peer-trusted-ca-file' : 'trusted-ca-file') ?? '');
      const error = listenOn(p, url, { pem, ...(asks ? { clientAuthorities: authorities } : {}) });
      if (error) return fatal(p, error);
    }
  }
  for (;;) yield* waitOn(p.kernel.sim, []);
}

/** server/embed/config.go Validate. */
function verify(flags: Map<string, string>): string | null {
  for (const flag of [
    'listen-peer-urls',
    'listen-client-urls',
    'listen-metrics-urls',
    'advertise-client-urls',
    'initial-advertise-peer-urls',
  ]) {
    for (const url of (flags.get(flag) ?? '').split(',').filter(Boolean)) {
      const at = endpointOf(url);
      if (!at) return `invalid value ${goQuote(url)} for flag -${flag}: URL must be "http://" or "https://" with a host and a port: ${url}`;
      if (flag.startsWith('listen-') && at.host !== 'localhost' && !parseIp(at.host)) {
        return `expected IP in URL for binding (${url})`;
      }
    }
  }
  if (flags.has('listen-client-urls') && !flags.has('advertise-client-urls')) {
    return '--advertise-client-urls is required when --listen-client-urls is set explicitly';
  }
  return null;
}

function listenOn(p: Process, url: string, e: { pem: () => string; clientAuthorities?: () => string }): string | null {
  const at = endpointOf(url);
  const address = parseIp(at?.host === 'localhost' ? '127.0.0.1' : (at?.host ?? ''));
  if (!at || !address) return `invalid URL ${url}`;
  const error = url.startsWith('https:') ? kubeEndpoint(p, at.port, address, e) : metrics(p, at.port, address);
  const shown = at.host.includes(':') ? `[${at.host}]` : at.host;
  return error && `listen tcp ${shown}:${at.port}: bind: ${strerror(error).toLowerCase()}`;
}

const metrics = (p: Process, port: number, address: NonNullable<ReturnType<typeof parseIp>>) =>
  goServer(
    p,
    port,
    function* (req) {
      if (req.target === '/health') return { status: 200, body: '{"health":"true","reason":""}' };
      if (/^\/(?:livez|readyz)$/.test(req.target)) return { status: 200, body: 'ok\n' };
      return notFound();
    },
    { address },
  );

// registry.k8s.io/e2e-test-images/agnhost 2.53 (kubernetes/test/images/agnhost v1.36): the subcommands that serve or probe.
import { complain, print } from '../../linux/process.ts';
import { close, connect, type Socket, send, shutdown, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp } from '../../wire/ip.ts';
import { type Reply, type Served, tcpServer } from '../http-server.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { endpoint, goDialError, log, parseDuration, releaseOf, releases, udpAsk, udpServer } from './agnhost-net.ts';
import { netexec } from './agnhost-netexec.ts';
import { GO_DEFAULT, goFlags, hostnameOf, readText, untilSignal } from './daemon.ts';
import { staticFiles } from './files.ts';
import { goServer, notFound } from './go-http.ts';

type Command = (p: Process, words: string[]) => Co<number>;

export const agnhost = (u: Userland): Program =>
  function* (p): Co<number> {
    if (/^\d+\.\d+/.test(u.tag ?? '')) releases.set(p, u.tag as string);
    const [name, ...words] = p.argv.slice(1);
    if (name === '--version') {
      print(p, `agnhost version ${releaseOf(p)}\n`);
      return 0;
    }
    if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
      print(
        p,
        `Usage:\n  app [command]\n\nAvailable Commands:\n${Object.keys(COMMANDS)
          .sort()
          .map(c => `  ${c}`)
          .join('\n')}\n`,
      );
      return 0;
    }
    const command = COMMANDS[name];
    if (command) return yield* command(p, words);
    complain(p, `Error: unknown command "${name}" for "app"\nRun 'app --help' for usage.\n`);
    return 1;
  };

export const serveHostnameProgram = (_u: Userland): Program =>
  function* (p): Co<number> {
    return yield* serveHostname(p, p.argv.slice(1));
  };

function* serveHostname(p: Process, words: string[]): Co<number> {
  const { flags } = goFlags(words, ['tcp', 'udp', 'http', 'close']);
  const on = (name: string) => flags.get(name) === 'true';
  const port = Number(flags.get('port') ?? 9376);
  const name = hostnameOf(p);
  function* handler(req: Served): Co<Reply> {
    log(p, `HTTP request from ${endpoint(req)}`);
    return { status: 200, body: name };
  }
  if (on('udp')) {
    udpServer(p, port, () => name);
    log(p, `Serving on port ${port}.`);
  }
  if (on('tcp')) tcpServer(p, port, s => tcpHostname(s, name, on('close')));
  else if (!on('udp') && flags.get('http') !== 'false') goServer(p, port, handler);
  log(p, `Serving on port ${port}.`);
  return yield* untilSignal(p, { ...GO_DEFAULT, TERM: 0 });
}

function* tcpHostname(s: Socket, name: string, closes: boolean): Co<void> {
  yield* send(s, stringToBytes(name));
  if (closes) shutdown(s);
}

function* connectCommand(p: Process, words: string[]): Co<number> {
  const target = words.find(w => !w.startsWith('-')) ?? '';
  const { flags } = goFlags(words.filter(w => w !== target));
  const timeoutMs = parseDuration(flags.get('timeout') ?? '') || Number.POSITIVE_INFINITY;
  const protocol = flags.get('protocol') ?? 'tcp';
  const at = target.lastIndexOf(':');
  const host = target.slice(0, at).replace(/^\[|\]$/g, '');
  const port = Number(target.slice(at + 1));
  const say = (text: string): number => {
    complain(p, `${text}\n`);
    return 1;
  };
  const found = yield* getaddrinfo(p, host, { libc: 'musl' });
  if (typeof found === 'string') return say(`DNS: lookup ${host}: ${found === 'EAI_NONAME' ? 'no such host' : gaiStrerror('musl', found)}`);
  const address = found.addresses[0];
  if (protocol === 'udp') {
    const answer = yield* udpAsk(p, host, port, 'hostname');
    return answer === null ? say('TIMEOUT') : 0;
  }
  const s = socket(p, protocol === 'sctp' ? 'sctp' : 'tcp', address.length === 4 ? 4 : 6);
  if (typeof s === 'string') return say(`OTHER: ${s}`);
  const error = yield* connect(s, address, port, timeoutMs);
  close(s);
  if (!error) return 0;
  if (error === 'EINPROGRESS' || error === 'ETIMEDOUT') return say('TIMEOUT');
  if (error === 'ECONNREFUSED') return say('REFUSED');
  return say(`OTHER: ${goDialError(formatIp(address), port, error)}`);
}

function* porter(p: Process): Co<number> {
  for (const [name, body] of p.env) {
    const m = /^SERVE_(?:TLS_)?PORT_(\d+)$/.exec(name);
    if (!m) continue;
    goServer(p, Number(m[1]), function* () {
      return { status: 200, body };
    });
  }
  return yield* untilSignal(p, GO_DEFAULT);
}

function* pause(p: Process): Co<number> {
  print(p, 'Paused\n');
  return yield* untilSignal(p, { TERM: 2, INT: 1 });
}

function* testWebserver(p: Process, words: string[]): Co<number> {
  const { flags } = goFlags(words);
  const port = Number(flags.get('port') ?? 80);
  goServer(p, port, req => staticFiles(p, '/', req));
  return yield* untilSignal(p, GO_DEFAULT);
}

function* liveness(p: Process): Co<number> {
  const startMs = p.kernel.sim.nowMs;
  goServer(p, 8080, function* (req) {
    const seconds = (p.kernel.sim.nowMs - startMs) / 1000;
    if (splitTarget(req.target).path !== '/healthz') return notFound();
    return seconds > 10 ? { status: 500, body: `error: ${seconds}` } : { status: 200, body: 'ok' };
  });
  return yield* untilSignal(p, GO_DEFAULT);
}

function* dnsSuffix(p: Process): Co<number> {
  const search = /^search\s+(.*)$/m.exec(readText(p, '/etc/resolv.conf') ?? '');
  print(p, `${(search?.[1] ?? '').trim().split(/\s+/).join(',')}\n`);
  return 0;
}

function* dnsServers(p: Process): Co<number> {
  const all = [...(readText(p, '/etc/resolv.conf') ?? '').matchAll(/^nameserver\s+(\S+)/gm)].map(m => m[1]);
  print(p, `${all.join(',')}\n`);
  return 0;
}

function* etcHosts(p: Process): Co<number> {
  print(p, readText(p, '/etc/hosts') ?? '');
  return 0;
}

function* entrypointTester(p: Process): Co<number> {
  print(p, `${JSON.stringify(p.argv).replaceAll('","', '" "')}\n`);
  return 0;
}

const COMMANDS: Record<string, Command> = {
  netexec,
  'serve-hostname': serveHostname,
  connect: connectCommand,
  porter,
  pause,
  'test-webserver': testWebserver,
  liveness,
  'dns-suffix': dnsSuffix,
  'dns-server-list': dnsServers,
  'etc-hosts': etcHosts,
  'entrypoint-tester': entrypointTester,
};

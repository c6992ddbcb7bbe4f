import { expect, it } from 'vitest';
import { originalDestination } from '../../../src/linux/netfilter/original-dst.ts';
import { restore } from '../../../src/linux/netfilter/restore.ts';
import { peek } from '../../../src/linux/peek.ts';
import { accept, bind, close, connect, listen, recv, type Socket, send, socket } from '../../../src/linux/socket.ts';
import type { Process } from '../../../src/linux/types.ts';
import { bytesToString, stringToBytes } from '../../../src/sim/bytes.ts';
import { runUntil } from '../../../src/sim/sim.ts';
import type { Co } from '../../../src/sim/task.ts';
import { formatIp, ip } from '../../../src/wire/ip.ts';
import { type Hosts, start, twoHosts } from '../../userland/hosts.ts';

/** The server's side of one connection to 10.0.0.1:80, which its rules redirect to 9000 when `rules` says so. */
function connection(rules: string, serve: (s: Socket, seen: string[]) => Co<void>, ask: (s: Socket, seen: string[]) => Co<void>): string[] {
  const h: Hosts = twoHosts();
  const seen: string[] = [];
  const ns = h.server.kernel.netns.get('');
  if (ns) restore(ns, 4, rules, {});
  start(
    h,
    h.server,
    function* (p: Process) {
      const s = socket(p, 'tcp', 4) as Socket;
      bind(s, null, 9000);
      listen(s);
      const c = yield* accept(s);
      if (typeof c === 'string') return 1;
      yield* serve(c, seen);
      close(c);
      return 0;
    },
    ['server'],
  );
  const client = start(
    h,
    h.client,
    function* (p: Process) {
      const s = socket(p, 'tcp', 4) as Socket;
      seen.push(`connect ${yield* connect(s, ip('10.0.0.1'), rules ? 80 : 9000)}`);
      yield* send(s, stringToBytes('hello'));
      yield* ask(s, seen);
      return 0;
    },
    ['client'],
  );
  runUntil(h.sim, () => client.process.exitCode !== null, h.sim.nowMs + 10_000);
  return seen;
}

const REDIRECT = '*nat\n-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 9000\nCOMMIT\n';

function* tell(s: Socket, seen: string[]): Co<void> {
  const d = originalDestination(s);
  seen.push(d ? `${formatIp(d.ip)}:${d.port}` : 'unknown');
}

it('a redirected connection knows where it was going; one that nobody tracks does not', () => {
  const rest = function* (s: Socket): Co<void> {
    yield* recv(s, 100);
  };
  expect(connection(REDIRECT, tell, rest)).toContain('10.0.0.1:80');
  expect(connection('', tell, rest)).toContain('unknown');
});

it('what was looked at stays to be read; who closes without reading it resets', () => {
  const look = function* (s: Socket, seen: string[]): Co<void> {
    const first = yield* peek(s);
    seen.push(typeof first === 'string' ? first : bytesToString(first));
  };
  const reads = function* (s: Socket, seen: string[]): Co<void> {
    yield* look(s, seen);
    const got = yield* recv(s);
    seen.push(`read ${typeof got === 'string' ? got : bytesToString(got)}`);
  };
  const end = function* (s: Socket, seen: string[]): Co<void> {
    const got = yield* recv(s, 1000);
    seen.push(typeof got === 'string' ? got : `end ${got.length}`);
  };
  expect(connection(REDIRECT, look, end)).toEqual(['connect null', 'hello', 'ECONNRESET']);
  expect(connection(REDIRECT, reads, end)).toEqual(['connect null', 'hello', 'read hello', 'end 0']);
});

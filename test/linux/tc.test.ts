// A data plane of programs alone: a Service and a policy without a single netfilter rule, and without conntrack.
import { expect, it } from 'vitest';
import { addRoute } from '../../src/linux/route.ts';
import { accept, bind, close, connect, kernelSocket, listen, send } from '../../src/linux/socket.ts';
import type { Link, Netns, TcProgram, Trace } from '../../src/linux/types.ts';
import { stringToBytes } from '../../src/sim/bytes.ts';
import { type Sim, settle } from '../../src/sim/sim.ts';
import { startTask } from '../../src/sim/task.ts';
import { type Ip, sameIp } from '../../src/wire/ip.ts';
import type { Frame } from '../../src/wire/packet.ts';
import { cidr, ip, machine, newSegment, newWorld, routed, run } from './world.ts';

const [SERVICE, CLIENT, BACKEND] = ['10.96.0.7', '10.244.1.5', '10.244.1.6'].map(ip);

const rewritten = (frame: Frame, field: 'src' | 'dst', to: Ip): Frame =>
  frame.payload.kind === 'ip' ? { ...frame, payload: { ...frame.payload, [field]: to } } : frame;

/** Beside the pod's own end of its cable, as a program in the pod's namespace would redirect to. */
const podEnd = (host: Link): Link => host.peer as Link;
const toPod = (frame: Frame, host: Link): Frame => ({ ...frame, src: host.mac, dst: podEnd(host).mac });

function lab() {
  const sim = newWorld();
  const a = machine(sim, 'a', newSegment('lan', 0.1), '192.168.1.1/24');
  // Proxy ARP for the pods' gateway needs a way on.
  addRoute(a.ns, { dst: cidr('0.0.0.0/0'), via: ip('192.168.1.2') });
  const client = routed(a.kernel, 'client', '10.244.1.5');
  const backend = routed(a.kernel, 'backend', '10.244.1.6');
  const balance: TcProgram = {
    name: 'balance',
    run: frame =>
      frame.payload.kind === 'ip' && sameIp(frame.payload.dst, SERVICE)
        ? { action: 'redirect', frame: toPod(rewritten(frame, 'dst', BACKEND), backend.host), to: podEnd(backend.host), into: 'ingress' }
        : { action: 'ok' },
  };
  const back: TcProgram = {
    name: 'back',
    run: frame =>
      frame.payload.kind === 'ip' && sameIp(frame.payload.dst, CLIENT)
        ? { action: 'redirect', frame: toPod(rewritten(frame, 'src', SERVICE), client.host), to: client.host, into: 'egress' }
        : { action: 'ok' },
  };
  client.host.tc = { ingress: [balance], egress: [] };
  backend.host.tc = { ingress: [back], egress: [] };
  serve(sim, backend.ns);
  return { sim, a, client, backend };
}

function serve(sim: Sim, ns: Netns): void {
  const l = kernelSocket(ns, 'tcp', 4);
  bind(l, null, 80);
  listen(l);
  startTask(
    sim,
    (function* () {
      for (;;) {
        const c = yield* accept(l);
        if (typeof c === 'string') return;
        yield* send(c, stringToBytes('hello'));
        close(c);
      }
    })(),
    true,
  );
}

function connecting(sim: Sim, ns: Netns, to: Ip): { result: string | null; trace: Trace } {
  const s = kernelSocket(ns, 'tcp', 4);
  const trace: Trace = { steps: [] };
  s.trace = trace;
  const result = run(sim, connect(s, to, 80, 2000));
  close(s);
  settle(sim, 100);
  return { result, trace };
}

it('redirects and rewrites past the whole stack, both ways', () => {
  const { sim, a, client } = lab();
  const { result, trace } = connecting(sim, client.ns, SERVICE);
  expect(result).toBeNull();
  // Nothing was tracked, and its own route for the Service leads to nobody: the programs alone brought it there.
  expect(a.ns.netfilter.conntrack.byTuple.size).toBe(0);
  expect(trace.steps.filter(s => s.at === 'a').map(s => s.text)).toContain('tc ingress balance on cali-client: to eth0 (ingress)');
});

it('drops with a reason that the trace shows, and hands on from program to program', () => {
  const { sim, client, backend } = lab();
  const asked: string[] = [];
  const note = (name: string, last = false): TcProgram => ({
    name,
    run: frame => {
      if (frame.payload.kind === 'ip') asked.push(name);
      return { action: 'ok', why: 'may pass', last };
    },
  });
  const deny: TcProgram = {
    name: 'policy',
    run: f => (f.payload.kind === 'ip' ? { action: 'shot', why: 'no policy allows it' } : { action: 'ok' }),
  };
  client.host.tc!.egress = [note('first'), deny, note('never')];
  const { result, trace } = connecting(sim, client.ns, SERVICE);
  expect(result).toBe('EINPROGRESS');
  expect(trace.steps.find(s => s.kind === 'drop')).toMatchObject({
    text: 'tc egress policy on cali-client: no policy allows it',
    detail: { program: 'policy', action: 'shot' },
  });
  expect(trace.steps.find(s => s.kind === 'policy')?.text).toBe('tc egress first on cali-client: may pass');
  expect(client.host.counters.txDropped).toBeGreaterThan(0);
  client.host.tc!.egress = [note('first', true), deny];
  asked.length = 0;
  expect(connecting(sim, client.ns, SERVICE).result).toBeNull();
  expect(new Set(asked)).toEqual(new Set(['first']));
  backend.host.tc = undefined;
  expect(connecting(sim, client.ns, SERVICE).result).not.toBeNull();
});

// kubectl port-forward (k8s.io/kubectl v0.36.3, pkg/cmd/portforward; client-go tools/portforward).

import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, compareBytes } from '../../sim/bytes.ts';
import { closePipe, type Pipe, readAll, readPipe, writePipe } from '../../sim/pipe.ts';
import { type Co, killTask, startTask, type Task, waitOn, wakeAll } from '../../sim/task.ts';
import { parseIp } from '../../wire/ip.ts';
import { build, oneInfo } from '../builder.ts';
import { type Cmd, connect, duration, err, isStatus, list, out, usageError } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import type { HostConnection } from '../host.ts';
import { klogTime } from '../klog.ts';
import { podForObject, podsMapping } from '../pods.ts';
import { getObject } from '../requests.ts';

interface Forward {
  local: number;
  remote: number;
}

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length < 2) usageError(cmd, 'TYPE/NAME and list of ports are required for port-forward');
  const timeout = duration(cmd, 'pod-running-timeout');
  if (timeout <= 0) usageError(cmd, '--pod-running-timeout must be higher than zero');
  const result = yield* build(cmd, { args: [cmd.args[0]], defaultType: 'pods', continueOnError: true });
  const object = oneInfo(result).object as KubeObject;
  const chosen = yield* podForObject(cmd, object, timeout, 'cannot attach to');
  const words = cmd.args.slice(1);
  const ports = object.kind === 'Service' ? servicePorts(words, object, chosen) : podPorts(words, chosen);
  const pod = getObject(cmd, podsMapping(cmd), chosen.metadata.namespace ?? cmd.namespace, chosen.metadata.name);
  if (isFailure(pod)) throw pod;
  if (pod.status?.phase !== 'Running') fail(`unable to forward port because pod is not running. Current status=${pod.status?.phase ?? ''}`);
  return yield* forward(cmd, pod, ports.map(parsePorts));
}

function split(port: string): [string, string] {
  const parts = port.split(':');
  return parts.length === 2 ? [parts[0], parts[1]] : [parts[0], parts[0]];
}

const isNumber = (s: string): boolean => /^[+-]?\d+$/.test(s);

function checkUdp(words: string[], ports: { number: number; protocol?: string }[], find: (name: string) => number): void {
  const of = (p: string) => ports.filter(x => (x.protocol ?? 'TCP') === p).map(x => x.number);
  const udp = of('UDP').filter(n => !of('TCP').includes(n));
  for (const w of words) {
    const remote = split(w)[1];
    if (udp.includes(isNumber(remote) ? Number(remote) : find(remote))) fail(`UDP protocol is not supported for ${remote}`);
  }
}

function containerPort(pod: KubeObject, name: string): number {
  for (const c of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])])
    for (const p of c.ports ?? []) if (p.name === name) return p.containerPort;
  return fail(`Pod '${pod.metadata.name}' does not have a named port '${name}'`);
}

function servicePorts(words: string[], service: KubeObject, pod: KubeObject): string[] {
  const all: any[] = service.spec.ports ?? [];
  const byName = (name: string): number =>
    all.find(p => (p.name ?? '') === name)?.port ?? fail(`Service '${service.metadata.name}' does not have a named port '${name}'`);
  checkUdp(
    words,
    all.map(p => ({ number: p.port, protocol: p.protocol })),
    byName,
  );
  return words.map(w => {
    let [local, remote] = split(w);
    let number = Number(remote);
    if (!isNumber(remote)) {
      number = byName(remote);
      if (local === remote) local = String(number);
    }
    const port = all.find(p => p.port === number);
    if (!port) return fail(`Service ${service.metadata.name} does not have a service port ${number}`);
    const target = port.targetPort;
    if (service.spec.clusterIP === 'None') remote = String(number);
    else if (typeof target === 'number') remote = String(target || number);
    else remote = String(target === undefined ? number : containerPort(pod, target));
    return local === remote ? remote : `${local}:${remote}`;
  });
}

function podPorts(words: string[], pod: KubeObject): string[] {
  const all = (pod.spec.containers ?? []).flatMap((c: any) => c.ports ?? []);
  if (words.some(w => !split(w)[1])) fail('remote port cannot be empty');
  checkUdp(
    words,
    all.map((p: any) => ({ number: p.containerPort, protocol: p.protocol })),
    name => containerPort(pod, name),
  );
  return words.map(w => {
    const [local, remote] = split(w);
    const number = isNumber(remote) ? remote : String(containerPort(pod, remote));
    return local === remote ? number : `${local}:${number}`;
  });
}

function parseNumber(which: string, s: string): number {
  const bad = (why: string): never => fail(`error parsing ${which} port '${s}': strconv.ParseUint: parsing ${JSON.stringify(s)}: ${why}`);
  if (!/^\d+$/.test(s)) return bad('invalid syntax');
  return Number(s) > 65535 ? bad('value out of range') : Number(s);
}

function parsePorts(text: string): Forward {
  const parts = text.split(':');
  if (parts.length > 2) fail(`invalid port format '${text}'`);
  const local = parts.length === 2 ? parts[0] || '0' : parts[0];
  const f = { local: parseNumber('local', local), remote: parseNumber('remote', parts.at(-1) as string) };
  return f.remote ? f : fail('remote port must be > 0');
}

interface Listening {
  lost: boolean;
  changed: Set<() => void>;
  tasks: Task<number>[];
}

function* forward(cmd: Cmd, pod: KubeObject, forwards: Forward[]): Co<number> {
  const { host } = cmd;
  if (!host.listen) return fail('podnet cannot listen on ports here');
  const given = list(cmd, 'address');
  for (const a of given) if (a !== 'localhost' && !parseIp(a)) fail(`${a} is not a valid IP`);
  // Each once, and in their order (portforward.go, parseAddresses).
  const addresses = [...new Set(given.flatMap(a => (a === 'localhost' ? ['127.0.0.1', '::1'] : [a])))].sort(compareBytes);
  const down = connect(cmd).kubelet?.reach(pod);
  if (down) fail(`error upgrading connection: ${down.message}`);
  const closers: (() => void)[] = [];
  const state: Listening = { lost: false, changed: new Set(), tasks: [] };
  let opened = 0;
  try {
    for (const f of forwards) {
      const wrong: string[] = [];
      for (const address of addresses) {
        const shown = address.includes(':') ? `[${address}]` : address;
        const l = yield* host.listen(address, f.local, c => accept(cmd, pod, f, c, state));
        if (typeof l === 'string') {
          wrong.push(`unable to create listener: Error listen tcp${address.includes(':') ? 6 : 4} ${shown}:${f.local}: ${l}`);
          continue;
        }
        f.local = l.port;
        closers.push(l.close);
        out(cmd, `Forwarding from ${shown}:${l.port} -> ${f.remote}\n`);
      }
      if (wrong.length === addresses.length || (wrong.length && !list(cmd, 'address').includes('localhost')))
        err(cmd, `Unable to listen on port ${f.local}: Listeners failed to create with the following errors: [${wrong.join(' ')}]\n`);
      else opened++;
    }
    if (!opened) fail(`unable to listen on any of the requested ports: [${forwards.map(f => `{${f.local} ${f.remote}}`).join(' ')}]`);
    while (!state.lost) yield* waitOn(host.sim, [state.changed]);
    return fail('lost connection to pod');
  } finally {
    for (const close of closers) close();
    for (const t of state.tasks) killTask(t, 0);
  }
}

function accept(cmd: Cmd, pod: KubeObject, f: Forward, c: HostConnection, state: Listening): void {
  out(cmd, `Handling connection for ${f.local}\n`);
  state.tasks.push(startTask(cmd.host.sim, serve(cmd, pod, f, c, state)));
}

function* serve(cmd: Cmd, pod: KubeObject, f: Forward, c: HostConnection, state: Listening): Co<number> {
  const { sim } = cmd.host;
  const remote = connect(cmd).kubelet?.portForward(pod, f.remote);
  if (!remote || isStatus(remote)) {
    lose(cmd, f, remote?.message ?? 'no kubelet answers', c, state);
    return 1;
  }
  const up = startTask(sim, pump(cmd, c.receive, remote.send));
  const down = startTask(sim, pump(cmd, remote.receive, c.send));
  state.tasks.push(up, down);
  const problem = bytesToString(yield* readAll(sim, remote.error));
  if (problem) {
    lose(cmd, f, problem, c, state);
    return 1;
  }
  while (!down.done) yield* waitOn(sim, [down.ended]);
  killTask(up, 0);
  closePipe(remote.send);
  return 0;
}

function lose(cmd: Cmd, f: Forward, why: string, c: HostConnection, state: Listening): void {
  const text = `an error occurred forwarding ${f.local} -> ${f.remote}: ${why}`;
  err(cmd, `E${klogTime(cmd)} portforward.go:522] "Unhandled Error" err=${JSON.stringify(text)}\n`);
  closePipe(c.send);
  state.lost = true;
  wakeAll(state.changed);
}

function* pump(cmd: Cmd, from: Pipe, to: Pipe): Co<number> {
  for (;;) {
    const chunk = (yield* readPipe(cmd.host.sim, from)) as Uint8Array;
    if (!chunk.length || writePipe(to, chunk)) break;
  }
  closePipe(to);
  return 0;
}

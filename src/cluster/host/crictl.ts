// crictl on a node: pods, containers, logs and images as containerd knows them (cri-tools v1.36).
import type { KubeObject } from '../../apiserver/types.ts';
import { wakePod } from '../../kubelet/kubelet.ts';
import { execInPod } from '../../kubelet/proxy.ts';
import type { ContainerRuntime } from '../../kubelet/types.ts';
import { complain, kill, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { readPipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import type { NodeRuntime } from '../types.ts';
import { containers, digestOf, imagesOf, pods, short, size, table } from './crictl-found.ts';
import {
  containerInfo,
  containerStatus,
  type FoundContainer,
  printObject,
  sandboxInfo,
  sandboxStatus,
  startedMs,
} from './crictl-inspect.ts';
import { info, inspectImages, podStats, stats } from './crictl-more.ts';

interface Args {
  flags: Map<string, string>;
  words: string[];
}

const TAKES = new Set([
  'name',
  'namespace',
  'state',
  'label',
  'pod',
  'p',
  'output',
  'o',
  'tail',
  'last',
  'n',
  'image',
  'since',
  't',
  'timeout',
  'r',
  'runtime-endpoint',
  'i',
  'image-endpoint',
  'template',
]);

function parse(words: string[]): Args {
  const out: Args = { flags: new Map(), words: [] };
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w === '--' || (!w.startsWith('-') && out.words.length > 0 && out.words[0] === 'exec' && out.words.length >= 2)) {
      out.words.push(...words.slice(w === '--' ? i + 1 : i));
      break;
    }
    if (!w.startsWith('-')) out.words.push(w);
    else {
      const [name, value] = w.replace(/^-+/, '').split(/=(.*)/s);
      // -aq is -a -q.
      if (!w.startsWith('--') && name.length > 1 && !TAKES.has(name)) for (const f of name) out.flags.set(f, 'true');
      else out.flags.set(name, value ?? (TAKES.has(name) ? (words[++i] ?? '') : 'true'));
    }
  }
  return out;
}

/** docker/go-units HumanDuration. */
function age(ms: number): string {
  const s = Math.floor(ms / 1000);
  const [m, h] = [Math.floor(s / 60), Math.round(s / 3600)];
  if (s < 1) return 'Less than a second ago';
  if (s === 1) return '1 second ago';
  if (s < 60) return `${s} seconds ago`;
  if (m === 1) return 'About a minute ago';
  if (m < 60) return `${m} minutes ago`;
  if (h === 1) return 'About an hour ago';
  if (h < 48) return `${h} hours ago`;
  return h < 24 * 7 * 2 ? `${Math.floor(h / 24)} days ago` : `${Math.floor(h / 24 / 7)} weeks ago`;
}

const stateOf = (c: ContainerRuntime) => (c.state?.running ? 'Running' : 'Exited');

export function crictl(node: NodeRuntime): Program {
  return function* (p) {
    const a = parse(p.argv.slice(1));
    const [verb = '', ...rest] = a.words;
    const run = VERBS[verb];
    if (!run) {
      complain(
        p,
        verb
          ? `FATA[0000] podnet: crictl ${verb} is not modelled\n`
          : 'NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options] [arguments...]\n',
      );
      return verb ? 1 : 0;
    }
    if (!node.host.units.containerd.active) {
      const why =
        'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"';
      complain(
        p,
        `FATA[0000] validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": ${why}\n`,
      );
      return 1;
    }
    return yield* run(node, p, { ...a, words: rest });
  };
}

type Verb = (node: NodeRuntime, p: Process, a: Args) => Co<number>;

const one = (a: Args, ...names: string[]): string | undefined => names.map(n => a.flags.get(n)).find(v => v !== undefined);
const matches = (text: string, pattern: string | undefined): boolean => pattern === undefined || new RegExp(pattern).test(text);

function* listPods(node: NodeRuntime, p: Process, a: Args): Co<number> {
  const now = node.engine.server.sim.nowMs;
  const id = (s: string) => (a.flags.has('no-trunc') ? s : short(s));
  const wanted = one(a, 'state', 's')
    ?.toLowerCase()
    .replace(/^sandbox_/, '');
  const found = pods(node).filter(
    f =>
      matches(f.pod.metadata.name, one(a, 'name')) &&
      matches(f.pod.metadata.namespace ?? '', one(a, 'namespace')) &&
      (wanted === undefined || (f.rt.sandboxReady ? 'ready' : 'notready') === wanted) &&
      labelled(f.pod, one(a, 'label', 'l')),
  );
  if (one(a, 'q', 'quiet')) print(p, found.map(f => `${f.sandboxId}\n`).join(''));
  else if (one(a, 'o', 'output') === 'json') print(p, `${JSON.stringify({ items: found.map(f => sandboxStatus(f)) }, null, 2)}\n`);
  else {
    const rows = found.map(f => [
      id(f.sandboxId),
      age(now - f.rt.startTimeMs),
      f.rt.sandboxReady ? 'Ready' : 'NotReady',
      f.pod.metadata.name,
      f.pod.metadata.namespace ?? '',
      '0',
      '(default)',
    ]);
    print(p, table([['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'], ...rows]));
  }
  return 0;
}

function labelled(pod: KubeObject, selector: string | undefined): boolean {
  if (!selector) return true;
  return selector.split(',').every(pair => {
    const [key, value] = pair.split(/=(.*)/s);
    return pod.metadata.labels?.[key] === value;
  });
}

function* listContainers(node: NodeRuntime, p: Process, a: Args): Co<number> {
  const now = node.engine.server.sim.nowMs;
  const state = one(a, 'state', 's')?.toLowerCase();
  const pod = one(a, 'pod', 'p');
  const id = (s: string) => (a.flags.has('no-trunc') ? s : short(s));
  const found = containers(node).filter(
    f =>
      (state ? stateOf(f.c).toLowerCase() === state : !!one(a, 'a', 'all') || !!f.c.state?.running) &&
      matches(f.c.name, one(a, 'name')) &&
      (!pod || f.sandboxId.startsWith(pod)) &&
      matches(f.pod.metadata.namespace ?? '', one(a, 'namespace')) &&
      labelled(f.pod, one(a, 'label', 'l')),
  );
  if (one(a, 'q', 'quiet')) print(p, found.map(f => `${f.c.id}\n`).join(''));
  else if (one(a, 'o', 'output') === 'json') print(p, `${JSON.stringify({ containers: found.map(f => containerStatus(f)) }, null, 2)}\n`);
  else {
    const rows = found.map(f => [
      id(f.c.id),
      id(digestOf(f.c)),
      age(now - startedMs(f.c)),
      stateOf(f.c),
      f.c.name,
      String(f.c.restartCount),
      id(f.sandboxId),
      f.pod.metadata.name,
      f.pod.metadata.namespace ?? '',
    ]);
    print(p, table([['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD', 'NAMESPACE'], ...rows]));
  }
  return 0;
}

const lost = (p: Process, kind: string, id: string, method: string): number => {
  complain(p, `FATA[0000] ${method}: rpc error: code = NotFound desc = an error occurred when try to find ${kind} "${id}": not found\n`);
  return 1;
};

function pick(node: NodeRuntime, id: string | undefined): FoundContainer | undefined {
  return id ? containers(node).find(f => f.c.id.startsWith(id)) : undefined;
}

const needsId = (p: Process): number => {
  complain(p, 'FATA[0000] ID cannot be empty\n');
  return 1;
};

function* inspectPod(node: NodeRuntime, p: Process, a: Args): Co<number> {
  const id = a.words[0];
  if (!id) return needsId(p);
  const found = pods(node).find(f => f.sandboxId.startsWith(id));
  if (!found) return lost(p, 'sandbox', id, 'getting the status of the pod sandbox');
  return printObject(p, { status: sandboxStatus(found), info: sandboxInfo(node, found) }, one(a, 'o', 'output') ?? '', one(a, 'template'));
}

function* inspect(node: NodeRuntime, p: Process, a: Args): Co<number> {
  if (!a.words[0]) return needsId(p);
  const found = pick(node, a.words[0]);
  if (!found) return lost(p, 'container', a.words[0], 'getting the status of the container');
  return printObject(
    p,
    { status: containerStatus(found), info: containerInfo(node, found) },
    one(a, 'o', 'output') ?? '',
    one(a, 'template'),
  );
}

function* logs(node: NodeRuntime, p: Process, a: Args): Co<number> {
  if (!a.words[0]) return needsId(p);
  const found = pick(node, a.words[0]);
  if (!found) return lost(p, 'container', a.words[0], 'getting container status');
  const tail = one(a, 'tail', 'n');
  const lines = tail === undefined ? found.c.log : Number(tail) ? found.c.log.slice(-Number(tail)) : [];
  for (const l of lines) (l.stream === 'stdout' ? print : complain)(p, `${l.text}${l.full ? '\n' : ''}`);
  return 0;
}

function* execute(node: NodeRuntime, p: Process, a: Args): Co<number> {
  const [id, ...argv] = a.words;
  const found = pick(node, id);
  if (!found) return id ? lost(p, 'container', id, 'execing command in container') : needsId(p);
  const session = execInPod(node.kubelet, found.pod, found.c.name, argv, { stdin: false, tty: false });
  if ('kind' in session) {
    complain(p, `FATA[0000] execing command in container: ${session.message ?? ''}\n`);
    return 1;
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    for (;;) {
      const chunk = yield* readPipe(p.kernel.sim, session[stream]);
      if (chunk === 'timeout' || !chunk.length) break;
      (stream === 'stdout' ? print : complain)(p, chunk);
    }
  }
  return session.exitCode ?? 0;
}

/** The kubelet sees it at its next look, and starts it again. */
function* stop(node: NodeRuntime, p: Process, a: Args): Co<number> {
  for (const id of a.words) {
    const found = pick(node, id);
    if (!found) return lost(p, 'container', id, `stopping the container "${id}"`);
    wakePod(node.kubelet, found.pod);
    const init = found.c.process;
    if (init?.exitCode === null) kill(init, init.onSignal.has('TERM') ? 'TERM' : 'KILL');
    print(p, `${id}\n`);
  }
  return 0;
}

function* images(node: NodeRuntime, p: Process, a: Args): Co<number> {
  const sorted = imagesOf(node).map(i => [i.repository, i.tag, short(i.digest), size(i.bytes)]);
  if (one(a, 'q', 'quiet')) print(p, sorted.map(r => `${r[2]}\n`).join(''));
  else print(p, table([['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'], ...sorted]));
  return 0;
}

function* version(_node: NodeRuntime, p: Process): Co<number> {
  print(p, 'Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  v2.2.3\nRuntimeApiVersion:  v1\n');
  return 0;
}

const VERBS: Record<string, Verb> = {
  ps: listContainers,
  pods: listPods,
  inspectp: inspectPod,
  inspect,
  logs,
  exec: execute,
  stop,
  images,
  image: images,
  img: images,
  version,
  info: (node, p, a) => info(node, p, a.flags),
  stats: (node, p, a) => stats(node, p, a),
  statsp: (node, p, a) => podStats(node, p, a),
  inspecti: (node, p, a) => inspectImages(node, p, a),
};

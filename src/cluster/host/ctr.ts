// ctr: containerd's own client, of what the kubelet has made there (containerd v2.2.3 cmd/ctr/commands: containers, tasks, images).

import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import type { NodeRuntime } from '../types.ts';
import { containers, imagesOf, pods } from './crictl-found.ts';
import { containerInfo, PAUSE_IMAGE, sandboxInfo } from './crictl-inspect.ts';

/** Where the kubelet's are. Another namespace holds nothing. */
const KUBERNETES = 'k8s.io';

export const ctr = (node: NodeRuntime): Program =>
  function* (p) {
    const words = p.argv.slice(1);
    let namespace = p.env.get('CONTAINERD_NAMESPACE') ?? 'default';
    while (words[0]?.startsWith('-')) {
      const [flag, value] = (words.shift() as string).split(/=(.*)/s);
      if (/^--?(n|namespace)$/.test(flag)) namespace = value ?? words.shift() ?? '';
      else if (/^--?(a|address)$/.test(flag) && value === undefined) words.shift();
    }
    const [group, verb, ...rest] = words;
    const kind = KINDS[group ?? ''];
    if (!kind || !['ls', 'list'].includes(verb)) {
      complain(
        p,
        `ctr: podnet does not model ${goQuote(['ctr', ...words].join(' '))}: containers ls, tasks ls and images ls -q are there\n`,
      );
      return 1;
    }
    if (!node.host.units.containerd.active) {
      const dial = 'dial unix /run/containerd/containerd.sock: connect: connection refused';
      complain(
        p,
        `ctr: failed to dial "/run/containerd/containerd.sock": context deadline exceeded: connection error: desc = "transport: error while dialing: ${dial}"\n`,
      );
      return 1;
    }
    const quiet = rest.some(w => /^--?q(uiet)?$/.test(w));
    return kind(node, p, { quiet, empty: namespace !== KUBERNETES });
  };

interface How {
  quiet: boolean;
  empty: boolean;
}

type Kind = (node: NodeRuntime, p: Process, how: How) => number;

/** text/tabwriter(4, 8, 4): every cell but what stands behind the last tab is padded. */
function table(rows: string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(4, ...rows.map(r => r[i].length + 4)));
  return rows.map(r => `${r.map((cell, i) => cell.padEnd(widths[i])).join('')}\n`).join('');
}

interface Made {
  id: string;
  image: string;
  pid: () => number;
  running: boolean;
}

/** Sandboxes are containers like others. By their number, as containerd's store has them. */
function all(node: NodeRuntime): Made[] {
  const sandboxes = pods(node).map((f): Made => {
    const pid = () => (sandboxInfo(node, f) as { pid: number }).pid;
    return { id: f.sandboxId, image: PAUSE_IMAGE, pid, running: f.rt.sandboxReady };
  });
  const others = containers(node).map((f): Made => {
    const spec = [...(f.pod.spec.containers ?? []), ...(f.pod.spec.initContainers ?? [])].find((s: any) => s.name === f.c.name);
    const [repository] = f.c.imageRef.split('@');
    const tag = /:([^/:@]+)$/.exec(spec?.image ?? '')?.[1] ?? 'latest';
    const pid = () => (containerInfo(node, f) as { pid: number }).pid;
    return { id: f.c.id, image: `${repository}:${tag}`, pid, running: !!f.c.state?.running };
  });
  return [...sandboxes, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
}

const listContainers: Kind = (node, p, { quiet, empty }) => {
  const found = empty ? [] : all(node);
  if (quiet) print(p, found.map(c => `${c.id}\n`).join(''));
  else print(p, table([['CONTAINER', 'IMAGE', 'RUNTIME'], ...found.map(c => [c.id, c.image, 'io.containerd.runc.v2'])]));
  return 0;
};

const listTasks: Kind = (node, p, { quiet, empty }) => {
  const found = empty ? [] : all(node).filter(c => c.running);
  if (quiet) print(p, found.map(c => `${c.id}\n`).join(''));
  else {
    const [head, ...rows] = table([['TASK', 'PID', 'STATUS'], ...found.map(c => [c.id, String(c.pid()), 'RUNNING'])]).split('\n');
    print(p, [head, ...rows.map(r => r.trimEnd())].join('\n'));
  }
  return 0;
};

const listImages: Kind = (node, p, { quiet, empty }) => {
  if (!quiet) {
    complain(p, 'ctr: podnet knows no media types and platforms of images: ctr images ls -q has their names, crictl images their sizes\n');
    return 1;
  }
  const names = imagesOf(node).flatMap(i => [`${i.repository}:${i.tag}`, `${i.repository}@sha256:${i.digest}`, `sha256:${i.digest}`]);
  if (!empty)
    print(
      p,
      [...new Set(names)]
        .sort()
        .map(n => `${n}\n`)
        .join(''),
    );
  return 0;
};

const KINDS: Record<string, Kind> = {
  containers: listContainers,
  container: listContainers,
  c: listContainers,
  tasks: listTasks,
  task: listTasks,
  t: listTasks,
  images: listImages,
  image: listImages,
  i: listImages,
};

// crictl info, stats, statsp and inspecti (cri-tools v1.36.0 cmd/crictl: info.go, container_stats.go, pod_stats.go, image.go; containerd
// v2.2.3 internal/cri/server/status.go). What containers use is what the kubelet says they use.

import { containerUsage } from '../../addons/metrics-server/usage.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep } from '../../sim/task.ts';
import type { NodeRuntime } from '../types.ts';
import { containers, imagesOf, pods, short, size, table } from './crictl-found.ts';
import { type FoundContainer, printObject } from './crictl-inspect.ts';

interface Asked {
  flags: Map<string, string>;
  words: string[];
}

const given = (flags: Map<string, string>, ...names: string[]) => names.map(n => flags.get(n)).find(v => v !== undefined);
const formatOf = (flags: Map<string, string>) => given(flags, 'o', 'output') ?? '';

export function* info(node: NodeRuntime, p: Process, flags: Map<string, string>): Co<number> {
  const down = node.kubelet.deps.cniError?.() ?? null;
  const why = down && /reason:(\S+) message:(.*)$/.exec(down);
  const conditions = [
    { message: '', reason: '', status: true, type: 'RuntimeReady' },
    { message: why ? why[2] : '', reason: why ? why[1] : '', status: !down, type: 'NetworkReady' },
    { message: '', reason: '', status: true, type: 'ContainerdHasNoDeprecationWarnings' },
  ];
  const load = down
    ? 'cni config load failed: no network config found in /etc/cni/net.d: cni plugin not initialized: failed to load cni config'
    : 'OK';
  const verbose = given(flags, 'q', 'quiet') ? {} : { lastCNILoadStatus: load, 'lastCNILoadStatus.default': load };
  return printObject(p, { status: { conditions }, ...verbose }, formatOf(flags), flags.get('template'));
}

/** Between the two samples. */
const SAMPLE_MS = 1000;

const specOf = (f: FoundContainer) =>
  [...(f.pod.spec.containers ?? []), ...(f.pod.spec.initContainers ?? [])].find((s: any) => s.name === f.c.name) ?? { image: '' };

const usageOf = (f: FoundContainer, atMs: number) => containerUsage(f.pod, specOf(f), atMs);

const percent = (nanoCores: number) => (nanoCores / 1e7).toFixed(2);

/** What its programs have written: bytes in whole blocks, and files. */
function written(f: FoundContainer): { bytes: number; inodes: number } {
  const fs = f.c.fs;
  const sizes = [...(fs?.changed ?? [])].flatMap(path => {
    const data = fs && readFile(fs, path);
    return data && typeof data !== 'string' ? [data.length] : [];
  });
  return { bytes: sizes.reduce((sum, n) => sum + Math.ceil(n / 4096) * 4096, 0), inodes: sizes.length };
}

function refusesFormat(p: Process, what: string, flags: Map<string, string>): boolean {
  const format = formatOf(flags);
  if (format === '' || format === 'table') return false;
  complain(p, `FATA[0000] podnet: crictl ${what} has its table here; not modelled: -o ${format}\n`);
  return true;
}

export function* stats(node: NodeRuntime, p: Process, a: Asked): Co<number> {
  if (refusesFormat(p, 'stats', a.flags)) return 1;
  yield* sleep(p.kernel.sim, SAMPLE_MS);
  const [id, pod] = [given(a.flags, 'id') ?? a.words[0], given(a.flags, 'p', 'pod')];
  const rows = containers(node)
    .filter(f => f.c.state?.running && (!id || f.c.id.startsWith(id)) && (!pod || f.sandboxId.startsWith(pod)))
    .map(f => {
      const [used, disk] = [usageOf(f, node.engine.server.sim.nowMs), written(f)];
      return [short(f.c.id), f.c.name, percent(used.nanoCores), size(used.bytes), size(disk.bytes), String(disk.inodes), '0B'];
    });
  print(p, table([['CONTAINER', 'NAME', 'CPU %', 'MEM', 'DISK', 'INODES', 'SWAP'], ...rows]));
  return 0;
}

export function* podStats(node: NodeRuntime, p: Process, a: Asked): Co<number> {
  if (refusesFormat(p, 'statsp', a.flags)) return 1;
  yield* sleep(p.kernel.sim, SAMPLE_MS);
  const running = containers(node).filter(f => f.c.state?.running);
  const wanted = given(a.flags, 'id') ?? a.words[0] ?? '';
  const rows = pods(node)
    .filter(f => f.rt.sandboxReady && f.sandboxId.startsWith(wanted))
    .map(f => {
      const used = running.filter(x => x.rt === f.rt).map(x => usageOf(x, node.engine.server.sim.nowMs));
      const sum = (of: 'nanoCores' | 'bytes') => used.reduce((n, u) => n + u[of], 0);
      return [f.pod.metadata.name, short(f.sandboxId), percent(sum('nanoCores')), size(sum('bytes'))];
    });
  print(p, table([['POD', 'POD ID', 'CPU %', 'MEM'], ...rows]));
  return 0;
}

export function* inspectImages(node: NodeRuntime, p: Process, a: Asked): Co<number> {
  const here = imagesOf(node);
  const ids = a.words.length ? a.words : here.map(i => i.digest);
  const found: object[] = [];
  for (const id of ids) {
    const name = /[:@]|^[0-9a-f]+$/.test(id) ? id : `${id}:latest`;
    const digest = id.replace(/^.*sha256:/, '');
    const all = here.filter(i => `${i.repository}:${i.tag}` === name || i.digest.startsWith(digest));
    const image = all[0];
    if (!image) {
      complain(p, `FATA[0000] no such image ${goQuote(id)} present\n`);
      return 1;
    }
    found.push({
      status: {
        id: `sha256:${image.digest}`,
        pinned: image.repository.endsWith('/pause'),
        repoDigests: [...new Set(all.map(i => `${i.repository}@sha256:${i.digest}`))],
        repoTags: all.map(i => `${i.repository}:${i.tag}`),
        size: String(image.bytes),
        spec: { annotations: {}, image: '', runtimeHandler: '', userSpecifiedImage: '' },
      },
    });
  }
  if (found.length) return printObject(p, found.length === 1 ? found[0] : found, formatOf(a.flags), a.flags.get('template'));
  complain(p, 'ERRO[0000] No IDs provided or nothing found per filter\n');
  return 0;
}

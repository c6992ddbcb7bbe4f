// Tools about how much a file holds: dd, truncate, du.
import { complain, stdinAll, strerror } from '../../linux/process.ts';
import { type FsNode, readFile, writeFile } from '../../linux/vfs.ts';
import { human, sizeOf } from './ls.ts';
import { at, join, node } from './operands.ts';
import { error, has, option, out, type Run, type ToolSpec } from './tool.ts';

export const DD: ToolSpec = {
  short: '',
  *run(r) {
    const o = new Map(r.args.map(a => [a.split('=')[0], a.slice(a.indexOf('=') + 1)]));
    const size = (key: string, otherwise: number) => {
      const m = /^(\d+)([kKMG]?)B?$/.exec(o.get(key) ?? '');
      return m ? Number(m[1]) * { '': 1, k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[m[2] as 'k'] : otherwise;
    };
    const block = size('bs', size('ibs', 512));
    const count = o.has('count') ? Number(o.get('count')) : Number.POSITIVE_INFINITY;
    const input = o.get('if');
    let data: Uint8Array;
    if (input && /^\/dev\/(zero|u?random)$/.test(input)) {
      const total = Math.min(block * count, 64 * 1024 * 1024);
      data = new Uint8Array(total);
    } else {
      const read = input ? readFile(r.p.fs, at(r, input), r.p) : null;
      if (typeof read === 'string')
        return error(r, r.bb ? `can't open '${input}': ${strerror(read)}` : `failed to open '${input}': ${strerror(read)}`);
      data = (read ?? (yield* stdinAll(r.p)))
        .subarray(size('skip', 0) * (o.has('skip') ? block : 0))
        .subarray(0, Math.min(block * count, Number.MAX_SAFE_INTEGER));
    }
    const output = o.get('of');
    if (output) {
      const e = writeFile(r.p.fs, at(r, output), data, r.p);
      if (e) return error(r, r.bb ? `can't open '${output}': ${strerror(e)}` : `failed to open '${output}': ${strerror(e)}`);
    } else out(r, data);
    const full = Math.floor(data.length / block);
    const part = data.length % block ? 1 : 0;
    const records = `${full}+${part} records in\n${full}+${part} records out\n`;
    if (o.get('status') !== 'none') {
      const seconds = Math.max(0.0001, data.length / 1e9);
      complain(
        r.p,
        `${records}${data.length} bytes (${human(data.length)}${r.bb ? 'B' : 'B'}) copied, ${seconds.toFixed(6)} s${r.bb ? 'econds' : ''}, ${r.bb ? '953.7MB/s' : '1.0 GB/s'}\n`,
      );
    }
    return 0;
  },
};

export const TRUNCATE: ToolSpec = {
  short: 's:c',
  long: { size: 's', 'no-create': 'c' },
  *run(r) {
    const n = Number(/^\d+/.exec(option(r, 's') ?? '0')?.[0] ?? 0);
    for (const path of r.args) {
      const old = readFile(r.p.fs, at(r, path), r.p);
      const data = new Uint8Array(n);
      if (typeof old !== 'string') data.set(old.subarray(0, n));
      writeFile(r.p.fs, at(r, path), data, r.p);
    }
    return 0;
  },
};

function treeSize(r: Run, n: FsNode): number {
  if (n.kind !== 'dir') return Math.ceil(sizeOf(r, n) / 4096) * 4096;
  let total = 4096;
  for (const child of (n.dynamic ? new Map<string, FsNode>() : n.entries).values()) total += treeSize(r, child);
  return total;
}

export const DU: ToolSpec = {
  short: 'shakcd:xmb',
  long: { summarize: 's', 'human-readable': 'h', all: 'a', total: 'c', 'max-depth': 'd' },
  *run(r) {
    const show = (bytes: number) =>
      has(r, 'h') ? human(bytes) : has(r, 'b') ? String(bytes) : String(bytes / (has(r, 'm') ? 1024 ** 2 : 1024));
    const depthLimit = has(r, 's') ? 0 : option(r, 'd') === undefined ? Number.POSITIVE_INFINITY : Number(option(r, 'd'));
    let status = 0;
    const walk = (path: string, n: FsNode, depth: number) => {
      if (n.kind === 'dir' && !n.dynamic)
        for (const [name, child] of n.entries) if (child.kind === 'dir' || has(r, 'a')) walk(join(path, name), child, depth + 1);
      if (depth <= depthLimit) out(r, `${show(treeSize(r, n))}\t${path}\n`);
    };
    for (const path of r.args.length ? r.args : ['.']) {
      const n = node(r, path, false);
      if (typeof n === 'string') status = error(r, r.bb ? `${path}: ${strerror(n)}` : `cannot access '${path}': ${strerror(n)}`);
      else walk(path, n, 0);
    }
    return status;
  },
};

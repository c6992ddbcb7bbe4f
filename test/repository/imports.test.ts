// The table of rooms: a room imports lower rows only, never a sibling unless the table says so.
import * as fs from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(__dirname, '../../src');

/** Row by row, the lowest first; `also`: siblings that the table allows. */
const ROWS: Record<string, { row: number; only?: string[]; also?: string[] }> = {
  sim: { row: 0 },
  wire: { row: 0, also: ['sim'] },
  linux: { row: 1 },
  apiserver: { row: 1 },
  userland: { row: 2, only: ['sim', 'wire', 'linux'] },
  netpol: { row: 2, only: ['sim', 'wire', 'apiserver'] },
  controllers: { row: 3 },
  scheduler: { row: 3 },
  kubelet: { row: 3 },
  cni: { row: 3 },
  'kube-proxy': { row: 3 },
  coredns: { row: 3 },
  addons: { row: 3 },
  cluster: { row: 4 },
  kubectl: { row: 5, only: ['sim', 'wire', 'apiserver'] },
  lab: { row: 5, only: [] },
  shell: { row: 5, also: ['kubectl'] },
  cli: { row: 6 },
};

function files(dir: string): string[] {
  return fs
    .readdirSync(dir, { withFileTypes: true })
    .flatMap(e => (e.isDirectory() ? files(join(dir, e.name)) : e.name.endsWith('.ts') ? [join(dir, e.name)] : []));
}

const all = files(SRC);
const roomOf = (path: string) => relative(SRC, path).split('/')[0];

function importsOf(path: string): string[] {
  const text = fs.readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(m => m[1]);
}

describe('the rooms', () => {
  it('are all in the table', () => {
    expect([...new Set(all.map(roomOf))].filter(r => !r.endsWith('.json') && !ROWS[r])).toEqual([]);
  });

  it('import downwards only', () => {
    const wrong: string[] = [];
    for (const file of all) {
      const room = roomOf(file);
      const { row, only, also } = ROWS[room];
      for (const spec of importsOf(file)) {
        if (!spec.startsWith('.')) continue;
        const target = resolve(dirname(file), spec);
        if (!target.startsWith(SRC)) continue;
        const other = roomOf(target);
        const fine = other === room || also?.includes(other) || (only ? only.includes(other) : ROWS[other].row < row);
        if (!fine) wrong.push(`${relative(SRC, file)} imports ${spec}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('the core', () => {
  const core = all.filter(f => roomOf(f) !== 'cli');

  it('is pure: no module of the platform, no wall clock, no unseeded dice', () => {
    const wrong: string[] = [];
    for (const file of core) {
      const text = fs.readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      for (const [what, pattern] of [
        ['a node: import', /from 'node:/],
        ['Date', /\bnew Date\b|\bDate\.(now|parse|UTC)\b/],
        ['Math.random', /\bMath\.random\b/],
        ['a timer', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/],
        ['locale order', /\.localeCompare\(/],
      ] as const) {
        if (pattern.test(text)) wrong.push(`${relative(SRC, file)}: ${what}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('keeps API objects away from packets', () => {
    const wrong = all
      .filter(f => ['linux', 'userland', 'wire'].includes(roomOf(f)))
      .filter(f => importsOf(f).some(s => s.includes('/apiserver/')));
    expect(wrong.map(f => relative(SRC, f))).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = resolve(__dirname, '../..');
let dir: string;

beforeAll(() => {
  dir = fs.mkdtempSync(join(tmpdir(), 'podnet-stress-'));
  const rolldown = join(ROOT, 'node_modules/.bin/rolldown');
  execFileSync(rolldown, [join(ROOT, 'src/cli/session.ts'), '--platform', 'node', '--format', 'cjs', '-o', join(dir, 'session.js')], {
    cwd: ROOT,
    stdio: 'ignore',
  });
}, 60_000);
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

it('loses and doubles nothing with 16 writers that are killed and stopped at random', async () => {
  const { run } = createRequire(__filename)('./stress.js') as {
    run: (seconds: number, bundle: string) => Promise<{ acknowledged: number; lost: number; strange: number }>;
  };
  const r = await run(4, join(dir, 'session.js'));
  expect(r.acknowledged).toBeGreaterThan(0);
  expect([r.lost, r.strange]).toEqual([0, 0]);
}, 60_000);

// Everything the README shows is run here, in a fresh home, with pinned dice and clock; what it prints is what the README says.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(__dirname, '../..');
const README = join(ROOT, 'README.md');

interface Part {
  /** null: prose. */
  command: string | null;
  text: string;
}

/** The README as prose and steps of its console blocks, in order. */
function parts(readme: string): Part[] {
  return readme.split(/(```console\n[\s\S]*?```)/).flatMap((piece, i): Part[] => {
    if (i % 2 === 0) return [{ command: null, text: piece }];
    const steps = piece.slice('```console\n'.length, -3).split(/^\$ /m).slice(1);
    const shown = steps.map(s => ({ command: s.slice(0, s.indexOf('\n')), text: s.slice(s.indexOf('\n') + 1) }));
    return [{ command: null, text: '```console\n' }, ...shown, { command: null, text: '```' }];
  });
}

/** Names and addresses are drawn by dice: the README holds whatever they are, in whatever order the rows then come. */
function masked(shown: string): string[] {
  return shown
    .split('\n')
    .map(line =>
      line
        .replace(/\b\d+\.\d+\.\d+\.\d+\b/g, 'IP')
        .replace(/-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, '-xxxxx')
        .replace(/node-\d/g, 'node-N')
        .replace(/\b\d+s\b/g, 'Ns')
        .replace(/ +/g, ' '),
    )
    .sort();
}

let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  home = fs.mkdtempSync(join(tmpdir(), 'podnet-readme-'));
  fs.mkdirSync(join(home, 'bin'));
  for (const name of ['podnet', 'kubectl']) {
    fs.writeFileSync(join(home, 'bin', name), `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/bin/${name}.js" "$@"\n`, { mode: 0o755 });
  }
  env = {
    ...process.env,
    PATH: `${join(home, 'bin')}:${process.env.PATH}`,
    PODNET_HOME: join(home, 'podnet'),
    PODNET_SEED: '1',
    PODNET_NOW: '2026-11-21T12:00:00Z',
    FORCE_COLOR: '0',
    NO_COLOR: '1',
  };
});
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const run = (command: string) => spawnSync('bash', ['-c', `${command} 2>&1`], { cwd: ROOT, env, encoding: 'utf8' }).stdout;

const text = fs.readFileSync(README, 'utf8');

describe('the README', () => {
  it('shows what happens', () => {
    const fresh = parts(text).map(p => (p.command === null ? p : { ...p, now: run(p.command) }));
    // PODNET_README=write puts what was printed into the file, for whoever changed a session on purpose.
    if (process.env.PODNET_README === 'write') {
      fs.writeFileSync(README, fresh.map(p => ('now' in p ? `$ ${p.command}\n${p.now}` : p.text)).join(''));
      return;
    }
    for (const p of fresh) if ('now' in p) expect(masked(p.now), `$ ${p.command}`).toEqual(masked(p.text));
  }, 120_000);

  it('names commands that exist', () => {
    const scripts = JSON.parse(fs.readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
    for (const [, name] of text.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(name);
    const help = execFileSync('podnet', ['--help'], { env, encoding: 'utf8' });
    for (const [, name] of text.matchAll(/`podnet (trace|connectivity|node|external|sh|support|cluster)\b/g))
      expect(help).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('starts with a tour of the shop, and ends it with 0', () => {
    const r = spawnSync(process.execPath, [join(ROOT, 'bin/podnet.js'), 'tour'], { env, encoding: 'utf8', input: '' });
    expect(r.stderr).not.toContain('internal error');
    expect(r.stdout).toContain('your cart holds 3 things');
    expect(r.status).toBe(0);
  }, 60_000);
});

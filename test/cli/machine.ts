// podnet as a user's shell runs it: processes over one home.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

export interface Ran {
  stdout: string;
  stderr: string;
  code: number;
}

export interface Home {
  path: string;
  env: NodeJS.ProcessEnv;
  /** Still running at the end of the test: they are ended with the home. */
  started: ChildProcess[];
}

export function newHome(): Home {
  const path = fs.mkdtempSync(join(tmpdir(), 'podnet-cli-'));
  const env = { ...process.env, PODNET_HOME: path, PODNET_SEED: '7', NO_COLOR: '1', TZ: 'UTC' };
  return { path, env, started: [] };
}

export async function removeHome(home: Home): Promise<void> {
  for (const p of home.started) await end(p, 'SIGKILL');
  fs.rmSync(home.path, { recursive: true, force: true });
}

/** Run `argv`, whose first word may be podnet or kubectl, with `stdin`, to its end. */
export function run(home: Home, argv: string[], stdin = ''): Promise<Ran> {
  const [file, args] = programOf(argv);
  return new Promise(done => {
    const p = execFile(file, args, { env: home.env, cwd: home.path }, (e, stdout, stderr) => {
      done({ stdout, stderr, code: e ? ((e as { code?: number }).code ?? -1) : 0 });
    });
    p.stdin?.end(stdin);
  });
}

/** Words are split at spaces. */
export const sh = (home: Home, line: string, stdin?: string): Promise<Ran> => run(home, line.split(' '), stdin);

const programOf = (argv: string[]): [string, string[]] =>
  argv[0] === 'podnet' || argv[0] === 'kubectl'
    ? [process.execPath, [join(ROOT, `bin/${argv[0]}.js`), ...argv.slice(1)]]
    : [argv[0], argv.slice(1)];

export interface Background {
  process: ChildProcess;
  text: { stdout: string; stderr: string };
  ended: Promise<number | null>;
}

/** Start `line`, or words, in the background and wait until its standard output matches. */
export async function background(home: Home, line: string | string[], ready: RegExp): Promise<Background> {
  const [file, args] = programOf(typeof line === 'string' ? line.split(' ') : line);
  const p = spawn(file, args, { env: home.env, cwd: home.path, stdio: ['ignore', 'pipe', 'pipe'] });
  home.started.push(p);
  const text = { stdout: '', stderr: '' };
  const ended = new Promise<number | null>(done => p.once('close', done));
  for (const fd of ['stdout', 'stderr'] as const) p[fd]?.on('data', chunk => (text[fd] += chunk));
  const b = { process: p, text, ended };
  await until(() => ready.test(text.stdout) || p.exitCode !== null);
  if (!ready.test(text.stdout)) throw new Error(`${line}: ${text.stdout}${text.stderr}`);
  return b;
}

export async function until(done: () => boolean, ms = 15_000): Promise<void> {
  for (const end = performance.now() + ms; !done(); ) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise(r => setTimeout(r, 10));
  }
}

export function end(p: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (p.exitCode !== null || p.signalCode !== null) return Promise.resolve(p.exitCode);
  return new Promise(done => {
    p.once('close', done);
    p.kill(signal);
  });
}

/** GET over plain HTTP. -> the body, or what went wrong */
export function fetchText(url: string): Promise<string> {
  return new Promise(done => {
    const req = get(url, { agent: false }, res => {
      let body = '';
      res.on('data', chunk => (body += chunk));
      res.on('end', () => done(body));
    });
    req.on('error', e => done((e as NodeJS.ErrnoException).code ?? e.message));
  });
}

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import chalk from 'chalk';
import type { Command } from 'commander';
import { junit, type Outcome, type Part, parseScenario, type Scenario } from '../../lab/scenario.ts';
import { podnetHome } from '../home.ts';
import { ended } from '../own.ts';
import { SessionError } from '../session.ts';
import { NETWORK_TOOLS, writeNodeShims, writeShims } from '../shims.ts';
import { isTerminal } from '../terminal.ts';

interface RunFlags {
  solution?: string[];
  junit?: string;
  keep?: boolean;
  limit: string;
}

export function declare(command: Command): void {
  command
    .command('run')
    .description("run a lab in killercoda's layout (index.json, background, foreground, verify) on a cluster of its own")
    .argument('<dir>', 'the folder with index.json')
    .option('--solution <script...>', "scripts in place of the reader: the first for the first step; without them a step's own solution.sh")
    .option('--junit <file>', 'write a report')
    .option('--keep', "keep the lab's cluster and files")
    .option('--limit <seconds>', 'for each script', '300')
    .action(async (dir: string, flags: RunFlags) => ended(run(dir, flags)));
}

interface Lab {
  dir: string;
  /** Home of its scripts, and of its cluster. */
  home: string;
  env: NodeJS.ProcessEnv;
  limitMs: number;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function read(dir: string): Scenario {
  const path = join(dir, 'index.json');
  if (!fs.existsSync(path)) throw new SessionError(`${path}: no such file`);
  const found = parseScenario(fs.readFileSync(path, 'utf8'));
  if (typeof found === 'string') throw new SessionError(`${path}: ${found}`);
  return found;
}

/** Scripts run in the user's own bash, on the user's machine: their HOME is a folder of the lab's, and kubectl is podnet's. */
function open(dir: string, flags: RunFlags, machines: string[] | null): Lab {
  const base = join(resolve(podnetHome(process.env)), 'labs');
  fs.mkdirSync(base, { recursive: true });
  const home = fs.mkdtempSync(join(base, `${basename(dir)}-`));
  fs.mkdirSync(join(home, 'root'));
  const bin = writeShims(home, NETWORK_TOOLS);
  writeNodeShims(bin, machines?.[0] ?? 'control-plane');
  const env = { ...process.env, HOME: join(home, 'root'), PODNET_HOME: join(home, 'podnet'), PATH: `${bin}:${process.env.PATH}` };
  const lab = { dir, home, env, limitMs: Number(flags.limit) * 1000 };
  if (machines) makeCluster(lab, machines);
  return lab;
}

/** The cluster that the lab's environment has. One machine alone runs what is scheduled, too. */
function makeCluster(lab: Lab, machines: string[]): void {
  const config = join(lab.home, 'cluster.json');
  const nodes = machines.map((name, i) => ({ name, role: i ? 'worker' : 'control-plane' }));
  fs.writeFileSync(config, JSON.stringify({ nodes }));
  const podnet = (tool: string, ...argv: string[]) => {
    const r = spawnSync(tool, argv, { env: lab.env, encoding: 'utf8' });
    if (r.status !== 0) throw new SessionError(r.stderr.trim());
  };
  podnet('podnet', 'cluster', 'create', '--config', config);
  if (machines.length === 1) podnet('kubectl', 'taint', 'nodes', machines[0], 'node-role.kubernetes.io/control-plane:NoSchedule-');
}

interface Ran {
  ok: boolean;
  said: string;
}

function script(lab: Lab, path: string | null): Ran {
  if (!path) return { ok: true, said: '' };
  const full = resolve(lab.dir, path);
  if (!fs.existsSync(full)) return { ok: false, said: `${path}: no such file` };
  // Uploaded labs lose their mode bits: bash reads them.
  const r = spawnSync('bash', [full], { cwd: lab.env.HOME, env: lab.env, encoding: 'utf8', timeout: lab.limitMs, input: '' });
  if (r.error)
    return {
      ok: false,
      said: (r.error as NodeJS.ErrnoException).code === 'ETIMEDOUT' ? `no end after ${lab.limitMs / 1000} s` : r.error.message,
    };
  return { ok: r.status === 0, said: `${r.stdout}${r.stderr}`.trim() };
}

/** The reader's turn: a script, or a shell. false: there is neither. */
function solve(lab: Lab, part: Part, given: string | undefined): boolean {
  const beside = part.verify ? join(dirname(part.verify), 'solution.sh') : '';
  const path = given ?? (beside && fs.existsSync(resolve(lab.dir, beside)) ? beside : null);
  if (path) {
    const r = script({ ...lab, dir: given ? process.cwd() : lab.dir }, path);
    if (r.said) say(chalk.dim(indent(r.said)));
    return true;
  }
  if (!isTerminal(0)) return false;
  if (part.text && fs.existsSync(resolve(lab.dir, part.text))) say(fs.readFileSync(resolve(lab.dir, part.text), 'utf8'));
  say(chalk.dim('a shell of the lab; leave it with "exit" to have the step checked'));
  spawnSync('bash', ['--norc', '-i'], { cwd: lab.env.HOME, env: { ...lab.env, PS1: '(podnet simulation) \\w $ ' }, stdio: 'inherit' });
  return true;
}

const indent = (text: string): string => text.replace(/^/gm, '    ');

function runPart(lab: Lab, part: Part, given: string | undefined): Outcome {
  const from = Date.now();
  const outcome = (failure: string | null, skipped = false): Outcome => ({
    name: part.title,
    seconds: (Date.now() - from) / 1000,
    failure,
    skipped,
  });
  for (const path of [part.background, part.foreground]) {
    const r = script(lab, path);
    if (!r.ok) return outcome(`${path}: ${r.said}`);
  }
  if (!part.verify) return outcome(null, !part.background && !part.foreground);
  for (;;) {
    const solved = solve(lab, part, given);
    const r = script(lab, part.verify);
    if (r.ok) return outcome(null);
    const more = solved && !given && isTerminal(0) && askAgain(r.said);
    if (!more) return outcome(r.said || `${part.verify} ended with an error`);
  }
}

function askAgain(said: string): boolean {
  say(chalk.yellow(said || 'not yet'));
  process.stderr.write('once more? [Y/n] ');
  const b = Buffer.alloc(64);
  const n = fs.readSync(0, b, 0, 64, null);
  return n > 0 && !/^n/i.test(b.toString('utf8', 0, n));
}

function run(dir: string, flags: RunFlags): number {
  const scenario = read(dir);
  const lab = open(resolve(dir), flags, scenario.machines);
  const solutions = [...(flags.solution ?? [])];
  say(`${chalk.bold(scenario.title)}${scenario.description ? `: ${scenario.description}` : ''}`);
  const outcomes: Outcome[] = [];
  try {
    for (const [i, part] of scenario.parts.entries()) {
      say(`${chalk.dim(`[${i + 1}/${scenario.parts.length}]`)} ${part.title}`);
      const o = runPart(lab, part, part.verify ? solutions.shift() : undefined);
      outcomes.push(o);
      if (o.failure !== null) {
        say(`${chalk.red('  ✘')} ${o.failure.replaceAll('\n', '\n    ')}`);
        break;
      }
      if (!o.skipped) say(`${chalk.green('  ✔')} ${o.seconds.toFixed(1)} s`);
    }
  } finally {
    if (flags.keep) say(`kept: ${lab.home}`);
    else fs.rmSync(lab.home, { recursive: true, force: true });
  }
  if (flags.junit) fs.writeFileSync(flags.junit, junit(scenario.title, outcomes));
  return outcomes.some(o => o.failure !== null) ? 1 : 0;
}

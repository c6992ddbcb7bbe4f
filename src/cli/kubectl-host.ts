// kubectl's surroundings on a real machine: files of the user's, the session's clusters.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Connection, FileError, KubectlHost } from '../kubectl/host.ts';
import type { Sim } from '../sim/sim.ts';
import { builtin } from './builtin.ts';
import { apiDown, clusterAt, connectionTo, type Machine } from './machine.ts';
import type { Streams } from './streams.ts';
import { isTerminal } from './terminal.ts';

const KNOWN: readonly string[] = ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EEXIST'];

export interface Staying {
  sim: Sim;
  connect: (cluster: string) => Connection | null;
  listen: KubectlHost['listen'];
  serveApi?: KubectlHost['serveApi'];
}

function attempt<T>(f: () => T): T | FileError {
  try {
    return f();
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code ?? '';
    return (KNOWN.includes(code) ? code : 'EIO') as FileError;
  }
}

function done(f: () => void): FileError | null {
  return attempt(() => {
    f();
    return null;
  });
}

/** `staying`: the command's tasks have a timeline of their own, and reach each cluster as it is by then. */
export function kubectlHost(machine: Machine, streams: Streams, env: NodeJS.ProcessEnv, staying?: Staying): KubectlHost {
  return {
    sim: staying?.sim ?? machine.sim,
    connect: cluster => {
      const found = clusterAt(machine, cluster);
      if (staying) return found && staying.connect(found.name);
      return found && !apiDown(found) ? connectionTo(machine, found) : null;
    },
    listen: staying?.listen,
    serveApi: staying?.serveApi,
    kubeconfig: {
      path: join(machine.home, 'config'),
      load: () => machine.kubeconfig,
      save: config => {
        machine.kubeconfig = config;
        machine.kubeconfigChanged = true;
      },
    },
    stdin: streams.stdin,
    stdout: streams.stdout,
    stderr: streams.stderr,
    env,
    cwd: process.cwd(),
    readFile: path => attempt(() => new Uint8Array(fs.readFileSync(path))),
    writeFile: (path, data, mode) => done(() => fs.writeFileSync(path, data, { mode })),
    makeDir: path => done(() => void fs.mkdirSync(path)),
    removeFile: path => done(() => (fs.lstatSync(path).isDirectory() ? fs.rmdirSync(path) : fs.rmSync(path))),
    stat: path =>
      attempt(() => {
        const s = fs.lstatSync(path);
        const target = s.isSymbolicLink() ? fs.readlinkSync(path) : undefined;
        const real = target === undefined ? s : fs.statSync(path);
        return { directory: real.isDirectory(), mode: real.mode & 0o7777, size: real.size, mtimeMs: real.mtimeMs, link: target };
      }),
    listDir: path => attempt(() => fs.readdirSync(path).sort()),
    terminalSize: isTerminal(1) ? () => ({ columns: process.stdout.columns ?? 80, rows: process.stdout.rows ?? 24 }) : undefined,
    runProgram: function* (argv) {
      // Loading it costs a short command more than reading the cluster's state, and only editors need it.
      const { spawnSync } = builtin<typeof import('node:child_process')>('node:child_process');
      const done = spawnSync(argv[0], argv.slice(1), { stdio: 'inherit' });
      return done.error ? done.error.message : (done.status ?? 1);
    },
    rawTerminal: isTerminal(0) ? on => void process.stdin.setRawMode(on) : undefined,
  };
}

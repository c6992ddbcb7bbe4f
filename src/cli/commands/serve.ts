import * as fs from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { toYaml } from '../../kubectl/yaml-write.ts';
import { newSim } from '../../sim/sim.ts';
import { newLive, runLive } from '../live.ts';
import { currentCluster, loadApi, type Machine, openMachine } from '../machine.ts';
import { opener } from '../opener.ts';
import { ended } from '../own.ts';
import { selfSigned } from '../serve/certificate.ts';
import { newFront } from '../serve/front.ts';
import { apiServer, turn } from '../serve/server.ts';
import { SessionError } from '../session.ts';

const DAY_MS = 86_400_000;

export function declare(command: Command): void {
  command
    .option('--port <n>', 'the port to listen on; without it any that is free')
    .addHelpText(
      'after',
      `
The API of the current cluster over HTTPS on 127.0.0.1, until it is interrupted. It writes serve.kubeconfig under $PODNET_HOME and
prints its path: kubectl --kubeconfig PATH, or any other client of Kubernetes, then meets the same cluster that podnet's commands do.
Clusters beside the current one are further contexts of that file.`,
    )
    .action(async (flags: { port?: string }) => ended(await serve(flags.port)));
}

function portOf(text: string | undefined): number {
  const port = text === undefined ? 0 : Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535 || text === '') throw new SessionError(`--port: "${text}" is not a port`);
  return port;
}

async function serve(portText: string | undefined): Promise<number> {
  const port = portOf(portText);
  const { env } = process;
  if (opener() !== openMachine)
    throw new SessionError('serve shares a cluster with other commands; --with makes one that only a single command sees');
  const machine = await openMachine(env);
  await loadApi();
  const live = await newLive(machine, newSim(machine.sim.nowMs, { ...machine.sim.random }), env);
  const front = newFront(live);
  live.turn = () => turn(front);
  const now = Date.now();
  const hosts = ['localhost', '127.0.0.1', '::1', 'kubernetes', 'kubernetes.default.svc'];
  const identity = selfSigned('podnet', hosts, now - DAY_MS, now + 365 * DAY_MS);
  const server = apiServer(front, identity);
  const listening = await new Promise<number>((resolve, reject) => {
    server.once('error', e => reject(new SessionError(listenError(e as NodeJS.ErrnoException, port))));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve((server.address() as AddressInfo).port));
  });
  const path = join(machine.home, 'serve.kubeconfig');
  const config = toYaml(kubeconfig(machine, listening, front.token, identity.cert));
  fs.writeFileSync(path, config, { mode: 0o600 });
  process.stdout.write(`${path}\n`);
  let code: number | null = null;
  const stop = (with_: number) => () => {
    code = with_;
    live.kick();
  };
  process.on('SIGINT', stop(0));
  process.on('SIGTERM', stop(0));
  await runLive(live, () => code !== null);
  server.close();
  server.closeAllConnections();
  removeOwn(path, config);
  return code ?? 0;
}

/** Another server may have begun meanwhile: then the file is its. */
function removeOwn(path: string, config: string): void {
  try {
    if (fs.readFileSync(path, 'utf8') === config) fs.rmSync(path);
  } catch {
    // It is gone already.
  }
}

function listenError(e: NodeJS.ErrnoException, port: number): string {
  if (e.code === 'EADDRINUSE') return `port ${port} of 127.0.0.1 is taken; without --port a free one is found`;
  if (e.code === 'EACCES') return `port ${port} of 127.0.0.1: permission denied`;
  return `cannot listen on port ${port} of 127.0.0.1: ${e.message}`;
}

/** Every cluster is a context; the current one is the API's root. */
function kubeconfig(machine: Machine, port: number, token: string, cert: string): unknown {
  const current = currentCluster(machine).name;
  const root = `https://127.0.0.1:${port}`;
  const names = [...machine.clusters.keys()];
  const contextOf = (name: string) => (name === 'kubernetes' ? 'kubernetes-admin@kubernetes' : name);
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map(name => ({
      name,
      cluster: {
        'certificate-authority-data': Buffer.from(cert).toString('base64'),
        server: name === current ? root : `${root}/clusters/${encodeURIComponent(name)}`,
      },
    })),
    contexts: names.map(name => ({ name: contextOf(name), context: { cluster: name, user: 'kubernetes-admin' } })),
    'current-context': contextOf(current),
    users: [{ name: 'kubernetes-admin', user: { token } }],
  };
}

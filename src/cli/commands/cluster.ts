import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { load } from 'js-yaml';
import type { Change, KubeObject } from '../../apiserver/types.ts';
import { type ClusterConfig, ConfigError, clusterConfig } from '../../cluster/config.ts';
import { saveEngine } from '../../cluster/engine.ts';
import { bornCluster, newMachineChanges } from '../create.ts';
import { podnetHome } from '../home.ts';
import {
  commitMachine,
  kubeconfigEntries,
  loadEngine,
  type Machine,
  openMachine,
  pendingChanges,
  replaceMachine,
  seedOf,
  wallClock,
} from '../machine.ts';
import { ended } from '../own.ts';
import { SessionError } from '../session.ts';

interface CreateFlags {
  name?: string;
  nodes?: string;
  cni?: string;
  proxyMode?: string;
  podCidr?: string;
  serviceCidr?: string;
  ipFamily?: string;
  config?: string;
}

export function declare(command: Command): void {
  command
    .command('create')
    .description('make a cluster; without --name it takes the place of everything there is')
    .option('--name <name>', 'a further cluster with a context of that name')
    .option('--nodes <n>', 'workers beside the control plane (default 3)')
    .option('--cni <name>', 'calico, kindnet, flannel, bridge, ptp or none')
    .option('--proxy-mode <mode>', 'iptables, ipvs or nftables')
    .option('--pod-cidr <cidr>', 'pod network; two, separated by a comma, for dual-stack')
    .option('--service-cidr <cidr>', 'Service network')
    .option('--ip-family <family>', 'ipv4, ipv6 or dual')
    .option('--config <file>', 'a cluster configuration file')
    .action(async (flags: CreateFlags) => ended(await create(flags)));
  command
    .command('reset')
    .description('the default cluster, as on a fresh machine')
    .action(async () => ended(await create({})));
  command
    .command('delete')
    .argument('[name]', 'the cluster; all of them when it is not given')
    .description('delete a cluster')
    .action(async (name?: string) => ended(await remove(name)));
}

function configOf(flags: CreateFlags): ClusterConfig {
  let raw: Record<string, unknown> = {};
  if (flags.config !== undefined) {
    let text: string;
    try {
      text = fs.readFileSync(flags.config, 'utf8');
    } catch (e) {
      throw new SessionError(`${flags.config}: ${(e as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (e as Error).message}`);
    }
    try {
      raw = (load(text, { filename: flags.config }) ?? {}) as Record<string, unknown>;
    } catch (e) {
      const { mark, reason } = e as { mark?: { line: number; column: number }; reason?: string };
      throw new SessionError(`${flags.config}:${(mark?.line ?? 0) + 1}:${(mark?.column ?? 0) + 1}: ${reason ?? (e as Error).message}`);
    }
    if (typeof raw !== 'object' || Array.isArray(raw)) throw new SessionError(`${flags.config}:1:1: a cluster configuration is a mapping`);
  }
  const given: Record<string, unknown> = { ...raw };
  if (flags.name !== undefined) given.name = flags.name;
  if (flags.nodes !== undefined) given.nodes = Number(flags.nodes);
  if (flags.cni !== undefined) given.cni = flags.cni;
  if (flags.proxyMode !== undefined) given.kubeProxy = { ...(raw.kubeProxy as object), mode: flags.proxyMode };
  if (flags.podCidr !== undefined) given.podCIDR = flags.podCidr;
  if (flags.serviceCidr !== undefined) given.serviceCIDR = flags.serviceCidr;
  if (flags.ipFamily !== undefined) given.ipFamily = flags.ipFamily;
  try {
    return clusterConfig(given);
  } catch (e) {
    if (e instanceof ConfigError) throw new SessionError(flags.config === undefined ? e.message : `${flags.config}: ${e.message}`);
    throw e;
  }
}

async function create(flags: CreateFlags): Promise<number> {
  const config = configOf(flags);
  const { env } = process;
  if (flags.name === undefined) {
    await replaceAll(newMachineChanges(wallClock(env), seedOf(env), config));
  } else {
    await addCluster(config);
  }
  if (config.cni.dataplane === 'nftables' && config.cni.name !== 'calico')
    process.stderr.write(`podnet: Warning: ${config.cni.name} has no dataplane nftables here: it writes its rules for iptables\n`);
  process.stdout.write(
    `cluster ${config.name} created: ${config.nodes.length} node${config.nodes.length === 1 ? '' : 's'}, CNI ${config.cni.name}, kube-proxy in ${config.kubeProxy.mode} mode\n`,
  );
  return 0;
}

async function replaceAll(changes: Change[]): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    let machine: Machine;
    try {
      machine = await openMachine(process.env);
    } catch (e) {
      if (!(e instanceof SessionError)) throw e;
      // Damaged beyond reading: the folder goes, as the message that said so promised.
      fs.rmSync(join(podnetHome(process.env), 'state'), { recursive: true, force: true });
      continue;
    }
    if (replaceMachine(machine, changes)) return;
  }
  throw new SessionError('too many commands at a time: the cluster was not replaced');
}

async function addCluster(config: ClusterConfig): Promise<void> {
  await loadEngine();
  for (let attempt = 0; attempt < 100; attempt++) {
    const machine = await openMachine(process.env);
    if (machine.clusters.has(config.name)) throw new SessionError(`cluster ${config.name} exists already`);
    const handle = bornCluster(machine.sim, config);
    const entries = kubeconfigEntries(config);
    const k = machine.kubeconfig;
    machine.kubeconfig = {
      ...k,
      clusters: [...k.clusters, ...entries.clusters],
      users: [...k.users, ...entries.users],
      contexts: [...k.contexts, ...entries.contexts],
      'current-context': entries['current-context'],
    };
    machine.kubeconfigChanged = true;
    const record = { ...handle.record, random: { ...handle.server.random }, revision: handle.server.store.revision };
    const changes: Change[] = [{ bucket: 'podnet', key: `cluster:${config.name}`, object: record as unknown as KubeObject }];
    for (const [bucket, b] of handle.server.store.buckets)
      for (const [key, object] of b.objects) changes.push({ bucket: `${config.name}/${bucket}`, key, object });
    for (const [key, value] of saveEngine(handle.engine!))
      changes.push({ bucket: `${config.name}:engine`, key, object: value as KubeObject });
    if (commitMachine(machine, [...changes, ...pendingChanges(machine)])) return;
  }
  throw new SessionError('too many commands at a time: the cluster was not made');
}

async function remove(name?: string): Promise<number> {
  if (name === undefined || name === 'kubernetes') {
    fs.rmSync(join(podnetHome(process.env), 'state'), { recursive: true, force: true });
    process.stdout.write('all clusters deleted; the next command makes the default one\n');
    return 0;
  }
  const machine = await openMachine(process.env);
  const cluster = machine.clusters.get(name);
  if (!cluster) throw new SessionError(`there is no cluster ${name}`);
  const k = machine.kubeconfig;
  const contexts = k.contexts.filter(c => c.context.cluster !== name);
  machine.kubeconfig = {
    ...k,
    contexts,
    clusters: k.clusters.filter(c => c.name !== name),
    users: k.users.filter(u => u.name !== `${name}-admin`),
    'current-context': contexts[0]?.name ?? '',
  };
  machine.kubeconfigChanged = true;
  machine.clusters.delete(name);
  if (!commitMachine(machine, [{ bucket: 'podnet', key: `cluster:${name}`, object: null }, ...pendingChanges(machine)]))
    return remove(name);
  process.stdout.write(`cluster ${name} deleted\n`);
  return 0;
}

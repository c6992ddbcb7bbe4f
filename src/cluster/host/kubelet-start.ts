// The kubelet's start: its flags, its configuration file, the files that these name (cmd/kubelet/app/server.go v1.36.3).

import { load } from 'js-yaml';
import { type Filesystem, lookup, readFile } from '../../linux/vfs.ts';
import { goQuote } from '../../sim/quote.ts';
import { dnsAddresses } from '../bootstrap.ts';
import { serverIn } from '../components/api-clients.ts';
import { parseFlags } from '../components/flags.ts';
import type { NodeRuntime } from '../types.ts';
import { leadsToApi } from './kubelet-reach.ts';
import { textAt } from './unit-files.ts';

/** What of a kubelet's configuration is not as kubeadm wrote it, and podnet acts on. Plain JSON. */
export interface KubeletSettings {
  /** '': none. */
  staticPodPath?: string;
  clusterDNS?: string[];
  clusterDomain?: string;
  /** The API server that its kubeconfig names, where none is. */
  server?: string;
}

const failed = (err: string) => ({ error: `"command failed" err=${goQuote(err)}` });

const open = (fs: Filesystem, path: string): string | null =>
  typeof readFile(fs, path) === 'string' ? `open ${path}: no such file or directory` : null;

/** -> the settings, or the line that it ends with */
export function readKubelet(node: NodeRuntime, fs: Filesystem, argv: string[]): KubeletSettings | { error: string } {
  const { flags, unknown, stray } = parseFlags('kubelet', argv.slice(1));
  if (unknown !== null) return failed(`failed to parse kubelet flag: unknown flag: --${unknown}`);
  if (stray !== null) return failed(`unknown command ${stray}`);
  const path = flags.get('config');
  const config = path ? configuration(fs, path) : {};
  if ('error' in config) return config as { error: string };
  const server = apiServer(fs, flags);
  if (typeof server !== 'string') return server;
  const ca = flags.get('client-ca-file') ?? config.authentication?.x509?.clientCAFile;
  const noCa = ca && open(fs, ca);
  if (noCa) return failed(`failed to run Kubelet: ${noCa}`);
  const socket = flags.get('container-runtime-endpoint') ?? config.containerRuntimeEndpoint ?? '';
  const noRuntime = runtimeError(node, fs, socket);
  if (noRuntime) return failed(`failed to run Kubelet: ${noRuntime}`);
  return settings(node, flags, config, server);
}

function configuration(fs: Filesystem, path: string): any {
  const failedWith = (why: string) =>
    failed(`failed to load kubelet config file, path: ${path}, error: failed to load Kubelet config file ${path}, error ${why}`);
  const error = open(fs, path);
  if (error) return failedWith(`failed to read kubelet config file ${goQuote(path)}, error: ${error}`);
  const text = textAt(fs, path) ?? '';
  if (!text) return failedWith(`kubelet config file ${goQuote(path)} was empty`);
  let config: any;
  try {
    config = load(text);
  } catch (e) {
    const { mark, reason } = e as { mark?: { line: number }; reason?: string };
    return failedWith(`failed to decode: yaml: line ${(mark?.line ?? 0) + 1}: ${reason}`);
  }
  if (typeof config?.apiVersion !== 'string' || !config.apiVersion)
    return failedWith("failed to decode: Object 'apiVersion' is missing in 'kubelet'");
  if (config.kind !== 'KubeletConfiguration') {
    return failedWith(
      config.kind
        ? `failed to decode: no kind ${goQuote(config.kind)} is registered for version ${goQuote(config.apiVersion)} in scheme "pkg/kubelet/apis/config/scheme/scheme.go:33"`
        : "failed to decode: Object 'Kind' is missing",
    );
  }
  return config;
}

/** The URL in its kubeconfig; without that file it would have to have one to bootstrap with. */
function apiServer(fs: Filesystem, flags: Map<string, string>): string | { error: string } {
  const path = flags.get('kubeconfig');
  if (!path) return ''; // standalone: no API server
  if (open(fs, path)) {
    const bootstrap = flags.get('bootstrap-kubeconfig');
    const missing = bootstrap ? (open(fs, bootstrap) ? bootstrap : null) : path;
    if (!missing) return { error: 'podnet: a kubelet that joins by a bootstrap token is not modelled' };
    const what = bootstrap ? 'unable to load bootstrap kubeconfig' : 'invalid kubeconfig';
    return failed(`failed to run Kubelet: ${what}: stat ${missing}: no such file or directory`);
  }
  const text = textAt(fs, path) ?? '';
  let config: any;
  try {
    config = load(text);
  } catch (e) {
    return failed(
      `failed to run Kubelet: unable to load kubeconfig: error loading config file ${goQuote(path)}: yaml: ${(e as { reason?: string }).reason}`,
    );
  }
  for (const user of config?.users ?? []) {
    const file = user?.user?.['client-certificate'];
    const error = file && open(fs, file);
    if (error)
      return failed(`failed to run Kubelet: invalid configuration: [unable to read client-cert ${file} for ${user.name} due to ${error}]`);
  }
  return serverIn(text) || failed('failed to run Kubelet: invalid configuration: no configuration has been provided');
}

const SOCKETS = new Set(['/run/containerd/containerd.sock', '/var/run/containerd/containerd.sock']);

function runtimeError(node: NodeRuntime, fs: Filesystem, endpoint: string): string | null {
  const path = endpoint.replace(/^unix:\/\//, '') || '/run/containerd/containerd.sock';
  const there = SOCKETS.has(path);
  if (there && node.host.units.containerd.active) return null;
  const why = there || typeof lookup(fs, path) !== 'string' ? 'connection refused' : 'no such file or directory';
  return `validate service connection: validate CRI v1 runtime API for endpoint ${goQuote(endpoint || `unix://${path}`)}: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${path}: connect: ${why}"`;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function settings(node: NodeRuntime, flags: Map<string, string>, config: any, server: string): KubeletSettings {
  const out: KubeletSettings = {};
  const manifests = flags.get('pod-manifest-path') ?? config.staticPodPath ?? '';
  if (manifests.replace(/\/$/, '') !== '/etc/kubernetes/manifests') out.staticPodPath = manifests.replace(/\/$/, '');
  const dns = flags.get('cluster-dns')?.split(',') ?? config.clusterDNS ?? [];
  if (!same(dns, dnsAddresses(node.engine.config))) out.clusterDNS = dns;
  const domain = flags.get('cluster-domain') ?? config.clusterDomain ?? '';
  if (domain !== 'cluster.local') out.clusterDomain = domain;
  if (!leadsToApi(node, server)) out.server = server;
  return out;
}

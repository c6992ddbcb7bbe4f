// Which kubeconfig a command line means, and reading and writing it (k8s.io/client-go v0.36.3, tools/clientcmd).

import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import type { Cmd } from './command.ts';
import { fail } from './failure.ts';
import type { Kubeconfig, KubectlHost } from './host.ts';
import { lazy } from './lazy.ts';

/**
 * The file of --kubeconfig; else $KUBECONFIG when it lies in the folder where the user works. A kubeconfig elsewhere is of real clusters:
 * it is left alone. null: podnet's own.
 */
export function kubeconfigPath(host: KubectlHost, flag: string): string | null {
  if (flag) return flag;
  const env = (host.env.KUBECONFIG ?? '').split(':')[0];
  if (!env) return null;
  return !env.startsWith('/') || env.startsWith(`${host.cwd.replace(/\/$/, '')}/`) ? env : null;
}

export const emptyKubeconfig = (): Kubeconfig => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [],
  users: [],
  contexts: [],
  'current-context': '',
});

export function readKubeconfig(cmd: Cmd, path: string, mustExist: boolean): Kubeconfig {
  const data = cmd.host.readFile(path);
  if (typeof data === 'string') return mustExist ? fail(`stat ${path}: no such file or directory`) : emptyKubeconfig();
  return parseKubeconfig(path, data);
}

export function parseKubeconfig(path: string, data: Uint8Array): Kubeconfig {
  const [first] = [...lazy('manifest').documents(bytesToString(data))];
  if (first && 'error' in first)
    fail(`error loading config file ${goQuote(path)}: ${first.error.replace(/^error converting YAML to JSON: /, '')}`);
  const value = (first && 'value' in first ? first.value : null) as Partial<Kubeconfig> | null;
  return { ...emptyKubeconfig(), ...value, clusters: value?.clusters ?? [], users: value?.users ?? [], contexts: value?.contexts ?? [] };
}

const byName = <T extends { name: string }>(list: T[]): T[] => [...list].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/** The file's form: lists by name, absent ones null. */
export function shownKubeconfig(c: Kubeconfig): Record<string, unknown> {
  const list = <T extends { name: string }>(l: T[] | undefined) => (l?.length ? byName(l) : null);
  return {
    apiVersion: 'v1',
    clusters: list(c.clusters),
    contexts: list(c.contexts),
    'current-context': c['current-context'] ?? '',
    kind: 'Config',
    users: list(c.users),
  };
}

/** As it is written down. */
export const kubeconfigBytes = (c: Kubeconfig): Uint8Array => stringToBytes(lazy('yaml').toYaml(shownKubeconfig(c)));

export function saveKubeconfig(cmd: Cmd, path: string | null, config: Kubeconfig): void {
  cmd.kubeconfig = config;
  if (path === null) {
    cmd.host.kubeconfig.save(config);
    return;
  }
  const error = cmd.host.writeFile(path, kubeconfigBytes(config), 0o600);
  if (error) fail(`open ${path}: ${error === 'ENOENT' ? 'no such file or directory' : 'permission denied'}`);
}

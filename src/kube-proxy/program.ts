// kube-proxy as what its container runs: reads its configuration file, writes rules until it is stopped.
import type { ApiServer } from '../apiserver/types.ts';
import type { Process, Program } from '../linux/types.ts';
import { readFile } from '../linux/vfs.ts';
import { bytesToString } from '../sim/bytes.ts';
import { waitOn } from '../sim/task.ts';
import { readConfiguration } from './config-text.ts';
import type { KubeProxyConfiguration } from './configuration.ts';
import { type KubeProxyOptions, newKubeProxy, stopKubeProxy } from './proxy.ts';
import { refusal, sayStart } from './startup.ts';
import type { KubeProxy } from './types.ts';

/** `--config FILE`, as kubeadm's DaemonSet gives it. Without one the flags' defaults hold. */
function configuration(p: Process, kubeadm: ProgramOptions['kubeadm']): KubeProxyConfiguration | { error: string } {
  const at = p.argv.findIndex(a => a === '--config' || a.startsWith('--config='));
  if (at < 0) return {};
  const path = p.argv[at].includes('=') ? p.argv[at].slice(p.argv[at].indexOf('=') + 1) : (p.argv[at + 1] ?? '');
  const data = readFile(p.fs, path, p);
  if (typeof data === 'string') return { error: `failed complete: open ${path}: no such file or directory` };
  const text = bytesToString(data);
  return text === kubeadm?.text ? kubeadm.config : readConfiguration(text);
}

export interface ProgramOptions extends KubeProxyOptions {
  onStart?: (proxy: KubeProxy) => void;
  /** The file as kubeadm made it, and what of: most clusters keep it, and need no reader of YAML. */
  kubeadm?: { text: string; config: KubeProxyConfiguration };
}

export function kubeProxyProgram(server: ApiServer, nodeName: string, options: ProgramOptions = {}): Program {
  return function* (p) {
    const config = configuration(p, options.kubeadm);
    if (refusal(p, config) !== null) return 1;
    const proxy = newKubeProxy(server, nodeName, p.netns, config as KubeProxyConfiguration, options);
    sayStart(p, proxy);
    options.onStart?.(proxy);
    try {
      for (;;) yield* waitOn(p.kernel.sim, []);
    } finally {
      stopKubeProxy(proxy);
    }
  };
}

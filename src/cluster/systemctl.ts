// systemctl on a node: the kubelet can be stopped and started, as people do to see what happens (systemd 252's words).
import { resumeKubelet, stopKubelet } from '../kubelet/kubelet.ts';
import { complain, print } from '../linux/process.ts';
import type { Program } from '../linux/types.ts';
import type { NodeRuntime } from './node.ts';

const VERBS = ['start', 'stop', 'restart', 'reload', 'status', 'is-active', 'is-enabled', 'enable', 'disable', 'daemon-reload'];
const UNITS: Record<string, string> = {
  kubelet: 'kubelet: The Kubernetes Node Agent',
  containerd: 'containerd container runtime',
};

export function systemctl(node: NodeRuntime): Program {
  return function* (p) {
    const words = p.argv.slice(1).filter(a => !a.startsWith('-'));
    const [verb, ...units] = words;
    if (!verb || !VERBS.includes(verb)) {
      complain(p, verb ? `Unknown command verb ${verb}.\n` : 'Too few arguments.\n');
      return 1;
    }
    let code = 0;
    for (const unit of units) code = one(node, verb, unit.replace(/\.service$/, ''), p) || code;
    return code;
  };
}

function one(node: NodeRuntime, verb: string, unit: string, p: Parameters<Program>[0]): number {
  const k = node.kubelet;
  if (!UNITS[unit]) {
    if (verb === 'is-active') print(p, 'inactive\n');
    else if (verb === 'status') complain(p, `Unit ${unit}.service could not be found.\n`);
    else complain(p, `Failed to ${verb} ${unit}.service: Unit ${unit}.service not found.\n`);
    return verb === 'status' ? 4 : verb === 'is-active' ? 3 : 5;
  }
  const running = unit !== 'kubelet' || k.running;
  if (verb === 'is-active') {
    print(p, running ? 'active\n' : 'inactive\n');
    return running ? 0 : 3;
  }
  if (verb === 'is-enabled') print(p, 'enabled\n');
  if (verb === 'status') {
    const state = running ? 'active (running)' : 'inactive (dead)';
    print(
      p,
      `● ${unit}.service - ${UNITS[unit]}\n     Loaded: loaded (/lib/systemd/system/${unit}.service; enabled; preset: enabled)\n     Active: ${state}\n`,
    );
    return running ? 0 : 3;
  }
  if (unit !== 'kubelet') {
    if (verb !== 'start' && verb !== 'is-enabled') complain(p, `podnet: ${unit} cannot be stopped\n`);
    return 0;
  }
  if (verb === 'stop' || verb === 'restart') stopKubelet(k);
  if (verb === 'start' || verb === 'restart') resumeKubelet(k);
  return 0;
}

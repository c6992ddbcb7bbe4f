// kubeadm on a node that has been set up: what it tells of certificates, tokens and images (cmd/kubeadm/app/cmd v1.36.3). What would
// make, change or leave a cluster is refused.

import { VERSION } from '../../../kubelet/node.ts';
import { print } from '../../../linux/process.ts';
import type { Process, Program } from '../../../linux/types.ts';
import { goQuote } from '../../../sim/quote.ts';
import type { Co } from '../../../sim/task.ts';
import type { NodeRuntime } from '../../types.ts';
import { checkExpiration } from './certs.ts';
import { token } from './token.ts';
import { failed } from './words.ts';

const REFUSED = new Set(['init', 'join', 'reset', 'upgrade', 'kubeconfig', 'completion']);

const IMAGES = (version: string) =>
  ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy']
    .map(n => `registry.k8s.io/${n}:${version}\n`)
    .concat(['registry.k8s.io/coredns/coredns:v1.14.2\n', 'registry.k8s.io/pause:3.10.2\n', 'registry.k8s.io/etcd:3.6.8-0\n'])
    .join('');

export const kubeadm = (node: NodeRuntime): Program =>
  function* (p: Process): Co<number> {
    const [command = '', sub = '', ...rest] = p.argv.slice(1).filter(w => !/^--?v(=|$)/.test(w));
    if (command === 'version') {
      const short = [sub, ...rest].join(' ').match(/-o[ =]?short|--output[ =]short/);
      const major = VERSION.slice(1).split('.');
      print(
        p,
        short
          ? `${VERSION}\n`
          : `kubeadm version: &version.Info{Major:"${major[0]}", Minor:"${major[1]}", EmulationMajor:"", EmulationMinor:"", MinCompatibilityMajor:"", MinCompatibilityMinor:"", GitVersion:"${VERSION}", GitTreeState:"clean", Compiler:"gc", Platform:"linux/amd64"}\n`,
      );
      return 0;
    }
    if (command === 'certs' && sub === 'check-expiration') return checkExpiration(node, p, rest);
    if (command === 'token') return yield* token(node, p, sub, rest);
    if (command === 'config' && sub === 'images' && rest[0] === 'list') {
      const at = rest.findIndex(w => w.startsWith('--kubernetes-version'));
      const version = at < 0 ? VERSION : (rest[at].split('=')[1] ?? rest[at + 1] ?? VERSION);
      print(p, IMAGES(version.startsWith('v') ? version : `v${version}`));
      return 0;
    }
    if (REFUSED.has(command) || ['certs', 'config'].includes(command))
      return failed(p, `podnet: kubeadm ${[command, sub].join(' ').trim()} is not modelled`);
    return failed(
      p,
      command
        ? `unknown command ${goQuote(command)} for "kubeadm"`
        : 'podnet: kubeadm models certs check-expiration, config images list, token and version',
    );
  };

// The daemons' own programs as somebody types them: their versions. They run as units.

import { VERSION } from '../../kubelet/node.ts';
import { complain, print } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';

const daemon = (unit: string, version: string): Program =>
  function* (p) {
    if (p.argv.slice(1).some(w => w === '--version' || w === '-v' || w === '-version')) {
      print(p, `${version}\n`);
      return 0;
    }
    complain(p, `podnet: ${unit} runs as a unit: systemctl start ${unit}\n`);
    return 1;
  };

export const DAEMON_BINARIES: Record<string, Program> = {
  '/usr/bin/kubelet': daemon('kubelet', `Kubernetes ${VERSION}`),
  '/usr/bin/containerd': daemon('containerd', 'containerd github.com/containerd/containerd/v2 v2.2.3'),
};

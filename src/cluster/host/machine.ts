// A node as an administrator finds it: its files and its tools.
import type { Program } from '../../linux/types.ts';
import { type Filesystem, newFile, place } from '../../linux/vfs.ts';
import type { NodeRuntime } from '../types.ts';
import { hostnamectl, swap, timedatectl } from './clock-name.ts';
import { crictl } from './crictl.ts';
import { ctr } from './ctr.ts';
import { etcdctl } from './etcdctl.ts';
import { placeHostFiles } from './files.ts';
import { journalctl } from './journalctl.ts';
import { kmodPrograms } from './kmod.ts';
import { kubeadm } from './kubeadm/main.ts';
import { ssh } from './ssh.ts';
import { systemctl } from './systemctl.ts';

export function placeHost(node: NodeRuntime, fs: Filesystem): void {
  const tool = (path: string, program: Program) => place(fs, path, { ...newFile('', 0o755), program });
  tool('/usr/bin/systemctl', systemctl(node));
  tool('/usr/bin/journalctl', journalctl(node));
  tool('/usr/bin/crictl', crictl(node));
  tool('/usr/bin/ctr', ctr(node));
  tool('/usr/bin/ssh', ssh(node.engine));
  tool('/usr/bin/kubeadm', kubeadm(node));
  if (node.spec.role === 'control-plane')
    tool(
      '/usr/local/bin/etcdctl',
      etcdctl(() => node.engine),
    );
  tool('/usr/bin/hostnamectl', hostnamectl(node));
  tool('/usr/bin/timedatectl', timedatectl);
  for (const name of ['swapon', 'swapoff']) tool(`/usr/sbin/${name}`, swap);
  for (const [path, program] of Object.entries(kmodPrograms(node))) tool(path, program);
  placeHostFiles(node, fs);
}

// The file system of a machine that is not a container: Debian with every tool that an administrator would have installed.
import { makeProc } from '../linux/procfs.ts';
import { makeSys } from '../linux/sysfs.ts';
import type { Kernel } from '../linux/types.ts';
import { type Filesystem, newFile, place } from '../linux/vfs.ts';
import { buildRootfs, machineImage } from '../userland/images.ts';

export function machineRootfs(kernel: Kernel, tools: 11 | 12 | 13 = 12): Filesystem {
  const fs = buildRootfs(machineImage(tools));
  place(fs, '/etc/hostname', newFile(`${kernel.hostname}\n`));
  place(fs, '/etc/hosts', newFile(`127.0.0.1\tlocalhost\n127.0.1.1\t${kernel.hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n`));
  const ns = kernel.netns.get('')!;
  place(fs, '/proc', makeProc(kernel, ns));
  place(fs, '/sys', makeSys(kernel, ns));
  return fs;
}

// What the programs of an image are built against, and which generation they are: it decides their messages.

/** One image's set of tools as a whole. */
export interface Userland {
  distro: 'debian' | 'ubuntu' | 'rhel' | 'alpine' | 'busybox' | 'scratch';
  /** VERSION_ID of os-release: `12`, `24.04`, `3.22`. */
  release: string;
  libc: 'glibc' | 'musl' | 'uclibc';
  /** BusyBox's minor version (37 is 1.37), or null: no BusyBox there. */
  busybox: number | null;
  /** Generation of the other tools (curl, dig, iproute2 …) by the Debian release that has it: 12 bookworm, 13 trixie. */
  tools: 11 | 12 | 13;
  /** The image's own tag, for programs whose texts differ by release. */
  tag?: string;
}

export const DEBIAN_12: Userland = { distro: 'debian', release: '12', libc: 'glibc', busybox: 35, tools: 12 };
export const DEBIAN_13: Userland = { distro: 'debian', release: '13', libc: 'glibc', busybox: 37, tools: 13 };
export const UBUNTU_24: Userland = { distro: 'ubuntu', release: '24.04', libc: 'glibc', busybox: 36, tools: 13 };
export const ALPINE: Userland = { distro: 'alpine', release: '3.22', libc: 'musl', busybox: 37, tools: 13 };
export const SCRATCH: Userland = { distro: 'scratch', release: '', libc: 'glibc', busybox: null, tools: 13 };

export const busyboxUserland = (minor: number, libc: Userland['libc']): Userland => ({
  distro: 'busybox',
  release: `1.${minor}`,
  libc,
  busybox: minor,
  tools: 12,
});

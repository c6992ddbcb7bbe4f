// Package managers: apk, yum and pip, and what apt (apt.ts) has in common with them. They reach for the real mirrors through the network; what they install are rows of programs.ts.
import { complain, print, sleep } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { familyOf, formatIp } from '../../wire/ip.ts';
import { installPackage } from '../images/rootfs.ts';
import { gaiStrerror, getaddrinfo } from '../net/resolver.ts';
import { programsOf } from '../programs.ts';
import type { Userland } from '../userland.ts';

/** Names that differ between the distributions, and what they stand for here. */
const NAMES: Record<string, string[]> = {
  dnsutils: ['bind9-dnsutils', 'bind9-host'],
  'bind-tools': ['bind9-dnsutils', 'bind9-host'],
  'bind-utils': ['bind9-dnsutils', 'bind9-host'],
  'inetutils-ping': ['iputils-ping'],
  'iputils-ping': ['iputils-ping'],
  iputils: ['iputils-ping', 'iputils-tracepath'],
  iproute: ['iproute2'],
  netcat: ['netcat-openbsd'],
  'netcat-traditional': ['netcat-openbsd'],
  'nmap-ncat': ['netcat-openbsd'],
  nc: ['netcat-openbsd'],
  'procps-ng': ['procps'],
  mtr: ['mtr-tiny'],
  host: ['bind9-host'],
  'conntrack-tools': ['conntrack'],
  vim: [],
  nano: [],
  'ca-certificates': [],
  'apt-transport-https': [],
  gnupg: [],
  'util-linux': ['util-linux'],
};

/** The packages that a name installs, or null: nobody has heard of it. */
export function resolve(name: string): string[] | null {
  const plain = name.replace(/[=:].*$/, '');
  if (NAMES[plain]) return NAMES[plain];
  return programsOf(plain).length ? [plain] : null;
}

interface Mirror {
  host: string;
  port: number;
}

/** Can the mirror be reached? -> null, or why not in the resolver's or the kernel's words. */
export function* reach(p: Process, u: Userland, mirror: Mirror): Co<{ kind: 'resolve' | 'connect'; text: string } | null> {
  const found = yield* getaddrinfo(p, mirror.host, { libc: u.libc });
  if (typeof found === 'string') return { kind: 'resolve', text: gaiStrerror(u.libc, found) };
  for (const address of found.addresses) {
    const s = socket(p, 'tcp', familyOf(address));
    if (typeof s === 'string') continue;
    const e = yield* connect(s, address, mirror.port, 30_000);
    close(s);
    if (!e) return null;
  }
  return { kind: 'connect', text: formatIp(found.addresses[0]) };
}

/** Place the programs, as a change of this container's. */
export function install(p: Process, u: Userland, packages: string[]): void {
  for (const pkg of packages) {
    for (const path of installPackage(p.fs, pkg, u)) p.fs.changed.add(path);
  }
}

/** Alpine's apk. */
export const apk = (u: Userland): Program =>
  function* (p) {
    const words = p.argv.slice(1);
    const [command, ...names] = words.filter(w => !w.startsWith('-'));
    const quiet = words.some(w => w === '-q' || w === '--quiet');
    if (command !== 'add' && command !== 'update') {
      if (command === 'del' || command === 'upgrade' || command === 'info') return 0;
      complain(p, 'apk-tools 2.14.9, compiled for x86_64.\n\nusage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]\n');
      return 1;
    }
    const base = `https://dl-cdn.alpinelinux.org/alpine/v${u.release.split('.').slice(0, 2).join('.')}`;
    const failed = yield* reach(p, u, { host: 'dl-cdn.alpinelinux.org', port: 443 });
    for (const repository of ['main', 'community']) {
      if (!quiet) print(p, `fetch ${base}/${repository}/x86_64/APKINDEX.tar.gz\n`);
      if (failed)
        complain(
          p,
          `WARNING: updating and opening ${base}/${repository}: ${failed.kind === 'resolve' ? 'temporary error (try again later)' : 'Operation timed out'}\n`,
        );
    }
    if (command === 'update') {
      print(
        p,
        failed
          ? '2 unavailable, 0 stale; 25 distinct packages available\n'
          : `v${u.release} [${base}/main]\nOK: 26300 distinct packages available\n`,
      );
      return failed ? 2 : 0;
    }
    const unknown = names.filter(name => failed || resolve(name) === null);
    if (unknown.length) {
      complain(
        p,
        `ERROR: unable to select packages:\n${unknown
          .sort()
          .map(name => `  ${name} (no such package):\n    required by: world[${name}]\n`)
          .join('')}`,
      );
      return unknown.length;
    }
    yield* sleep(p, 1500);
    names.forEach((name, i) => {
      if (!quiet) print(p, `(${i + 1}/${names.length}) Installing ${name}\n`);
      install(p, u, resolve(name) ?? []);
    });
    if (!quiet) print(p, `Executing busybox-1.37.0-r19.trigger\nOK: ${10 + names.length} MiB in ${25 + names.length} packages\n`);
    return 0;
  };

/** yum, dnf and microdnf. */
export const yum = (u: Userland): Program =>
  function* (p) {
    const words = p.argv.slice(1).filter(w => !w.startsWith('-'));
    const [command, ...names] = words;
    const failed = yield* reach(p, u, { host: 'mirrors.rockylinux.org', port: 443 });
    if (failed) {
      complain(
        p,
        `Errors during downloading metadata for repository 'baseos':\n  - Curl error (6): Couldn't resolve host name for https://mirrors.rockylinux.org/mirrorlist [Could not resolve host: mirrors.rockylinux.org]\nError: Failed to download metadata for repo 'baseos': Cannot prepare internal mirrorlist: Curl error (6)\n`,
      );
      return 1;
    }
    if (command !== 'install') return 0;
    for (const name of names) {
      const packages = resolve(name);
      if (!packages) {
        print(p, `No match for argument: ${name}\n`);
        complain(p, `Error: Unable to find a match: ${name}\n`);
        return 1;
      }
      install(p, u, packages);
      print(p, `Installed:\n  ${name}\n`);
    }
    print(p, '\nComplete!\n');
    return 0;
  };

/** pip: the mirror must answer; modules themselves are not modelled. */
export const pip = (u: Userland): Program =>
  function* (p) {
    const words = p.argv.slice(1).filter(w => !w.startsWith('-'));
    if (words[0] !== 'install') {
      print(p, 'Usage:\n  pip <command> [options]\n');
      return 0;
    }
    const failed = yield* reach(p, u, { host: 'pypi.org', port: 443 });
    for (const name of words.slice(1)) {
      if (failed) {
        complain(
          p,
          `ERROR: Could not find a version that satisfies the requirement ${name} (from versions: none)\nERROR: No matching distribution found for ${name}\n`,
        );
        return 1;
      }
      print(p, `Collecting ${name}\nInstalling collected packages: ${name}\nSuccessfully installed ${name}\n`);
    }
    return 0;
  };

// Package managers: apt, apk, yum and pip. They reach for the real mirrors through the network; what they install are rows of programs.ts.
import { complain, print, sleep, stdinLine } from '../../linux/process.ts';
import { close, connect, socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, ensureDir, lookup, writeFile } from '../../linux/vfs.ts';
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
function resolve(name: string): string[] | null {
  const plain = name.replace(/[=:].*$/, '');
  if (NAMES[plain]) return NAMES[plain];
  return programsOf(plain).length ? [plain] : null;
}

interface Mirror {
  host: string;
  port: number;
}

/** Can the mirror be reached? -> null, or why not in the resolver's or the kernel's words. */
function* reach(p: Process, u: Userland, mirror: Mirror): Co<{ kind: 'resolve' | 'connect'; text: string } | null> {
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
function install(p: Process, u: Userland, packages: string[]): void {
  for (const pkg of packages) {
    for (const path of installPackage(p.fs, pkg, u)) p.fs.changed.add(path);
  }
}

const installed = (p: Process, pkg: string): boolean =>
  programsOf(pkg).length > 0 &&
  programsOf(pkg).every(row => {
    const node = lookup(p.fs, absolute(`${row.dir}/${row.name}`), p);
    return typeof node !== 'string';
  });

const LISTS = '/var/lib/apt/lists/deb.debian.org_debian_dists_stable_InRelease';

const suite = (u: Userland): string =>
  u.distro === 'ubuntu' ? 'noble' : u.release === '13' ? 'trixie' : u.release === '11' ? 'bullseye' : 'bookworm';

function* aptUpdate(p: Process, u: Userland, quiet: boolean): Co<number> {
  const ubuntu = u.distro === 'ubuntu';
  const host = ubuntu ? 'archive.ubuntu.com' : 'deb.debian.org';
  const archives = ubuntu ? ['ubuntu', 'ubuntu', 'ubuntu'] : ['debian', 'debian', 'debian-security'];
  const suites = [suite(u), `${suite(u)}-updates`, `${suite(u)}-security`];
  const failed = yield* reach(p, u, { host, port: 80 });
  if (failed) {
    const why =
      failed.kind === 'resolve'
        ? `Temporary failure resolving '${host}'`
        : `Could not connect to ${host}:80 (${failed.text}). - connect (110: Connection timed out)`;
    suites.forEach((s, i) => {
      if (!quiet) print(p, `Err:${i + 1} http://${host}/${archives[i]} ${s} InRelease\n  ${why}\n`);
    });
    if (!quiet) print(p, 'Reading package lists...\n');
    suites.forEach((s, i) => {
      complain(p, `W: Failed to fetch http://${host}/${archives[i]}/dists/${s}/InRelease  ${why}\n`);
    });
    complain(p, 'W: Some index files failed to download. They have been ignored, or old ones used instead.\n');
    return 0;
  }
  yield* sleep(p, 2000);
  if (!quiet) {
    suites.forEach((s, i) => {
      print(p, `Get:${i + 1} http://${host}/${archives[i]} ${s} InRelease [${['151 kB', '55.4 kB', '48.0 kB'][i]}]\n`);
    });
    print(
      p,
      `Get:4 http://${host}/${archives[0]} ${suites[0]}/main amd64 Packages [8793 kB]\nFetched 9047 kB in 2s (4523 kB/s)\nReading package lists...\n`,
    );
  }
  ensureDir(p.fs, LISTS.replace(/\/[^/]*$/, ''));
  writeFile(p.fs, LISTS, 'Origin: Debian\n', p);
  return 0;
}

function* aptInstall(p: Process, u: Userland, names: string[], yes: boolean, quiet: boolean): Co<number> {
  const say = (text: string) => {
    if (!quiet) print(p, text);
  };
  say('Reading package lists...\nBuilding dependency tree...\nReading state information...\n');
  const known = typeof lookup(p.fs, LISTS, p) !== 'string';
  const wanted: { name: string; packages: string[] }[] = [];
  let missing = false;
  for (const name of names) {
    const packages = resolve(name);
    if (packages?.length && packages.every(pkg => installed(p, pkg))) {
      say(`${name} is already the newest version.\n`);
      continue;
    }
    if (!known || !packages) {
      complain(p, `E: Unable to locate package ${name}\n`);
      missing = true;
    } else wanted.push({ name, packages });
  }
  if (missing) return 100;
  if (!wanted.length) {
    say('0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n');
    return 0;
  }
  const list = wanted.map(w => w.name);
  say(
    `The following NEW packages will be installed:\n  ${[...list].sort().join(' ')}\n0 upgraded, ${list.length} newly installed, 0 to remove and 0 not upgraded.\nNeed to get ${315 * list.length} kB of archives.\nAfter this operation, ${501 * list.length} kB of additional disk space will be used.\n`,
  );
  if (!yes) {
    print(p, 'Do you want to continue? [Y/n] ');
    const answer = yield* stdinLine(p);
    if (answer === null || !/^(y|yes|)$/i.test(answer.trim())) {
      print(p, 'Abort.\n');
      return 1;
    }
  }
  const host = u.distro === 'ubuntu' ? 'archive.ubuntu.com' : 'deb.debian.org';
  const failed = yield* reach(p, u, { host, port: 80 });
  if (failed) {
    for (const name of list)
      complain(
        p,
        `E: Failed to fetch http://${host}/debian/pool/main/${name[0]}/${name}/${name}_amd64.deb  ${failed.kind === 'resolve' ? `Temporary failure resolving '${host}'` : `Could not connect to ${host}:80 (${failed.text})`}\n`,
      );
    complain(p, 'E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n');
    return 100;
  }
  yield* sleep(p, 3000);
  list.forEach((name, i) => {
    say(`Get:${i + 1} http://${host}/debian ${suite(u)}/main amd64 ${name} amd64 [315 kB]\n`);
  });
  say(`Fetched ${315 * list.length} kB in 0s (2345 kB/s)\n`);
  for (const w of wanted) {
    say(`Selecting previously unselected package ${w.name}.\nPreparing to unpack .../${w.name}_amd64.deb ...\nUnpacking ${w.name} ...\n`);
    install(p, u, w.packages);
  }
  for (const name of list) say(`Setting up ${name} ...\n`);
  return 0;
}

/** apt and apt-get. */
export const apt = (u: Userland): Program =>
  function* (p) {
    const words = p.argv.slice(1);
    const flags = words.filter(w => w.startsWith('-'));
    const [command, ...names] = words.filter((w, i) => !w.startsWith('-') && !/^-(o|t)$/.test(words[i - 1] ?? ''));
    const quiet = flags.some(f => /^-q{2}|^-qq/.test(f));
    if (p.uid !== 0 && command !== undefined) {
      complain(
        p,
        'E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n',
      );
      return 100;
    }
    if (command === 'update') return yield* aptUpdate(p, u, quiet);
    if (command === 'install')
      return yield* aptInstall(
        p,
        u,
        names,
        flags.some(f => /^-[a-z]*y|^--yes|^--assume-yes/.test(f)),
        quiet,
      );
    if (['clean', 'autoclean', 'autoremove', 'upgrade', 'dist-upgrade', 'remove', 'purge'].includes(command)) return 0;
    complain(p, command === undefined ? 'apt 2.6.1 (amd64)\nUsage: apt [options] command\n' : `E: Invalid operation ${command}\n`);
    return command === undefined ? 0 : 100;
  };

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

// apt and apt-get 2.6 (Debian 12; apt-pkg/acquire-item.cc, apt-private): what they say of mirrors that can be reached and of those that cannot.
import { complain, print, sleep, stdinLine } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, ensureDir, lookup, remove, writeFile } from '../../linux/vfs.ts';
import type { Co } from '../../sim/task.ts';
import { programsOf } from '../programs.ts';
import type { Userland } from '../userland.ts';
import { install, reach, resolve } from './packages.ts';

const READING = 'Reading package lists...\nBuilding dependency tree...\nReading state information...\n';

const installed = (p: Process, pkg: string): boolean =>
  programsOf(pkg).length > 0 &&
  programsOf(pkg).every(row => {
    const node = lookup(p.fs, absolute(`${row.dir}/${row.name}`), p);
    return typeof node !== 'string';
  });

const LISTS = '/var/lib/apt/lists/deb.debian.org_debian_dists_stable_InRelease';

const SUITES: Record<string, string> = {
  '20.04': 'focal',
  '22.04': 'jammy',
  '24.04': 'noble',
  '11': 'bullseye',
  '12': 'bookworm',
  '13': 'trixie',
};

interface Source {
  host: string;
  archive: string;
  suite: string;
  /** Of its InRelease file. */
  size: string;
}

/** What the images' sources name; Ubuntu has its security archive elsewhere. */
function sourcesOf(u: Userland): Source[] {
  const ubuntu = u.distro === 'ubuntu';
  const suite = SUITES[u.release] ?? (ubuntu ? 'noble' : 'bookworm');
  const at = (host: string, archive: string, of: string, size: string): Source => ({ host, archive, suite: of, size });
  if (ubuntu)
    return [
      at('archive.ubuntu.com', 'ubuntu', suite, '256 kB'),
      at('archive.ubuntu.com', 'ubuntu', `${suite}-updates`, '126 kB'),
      at('archive.ubuntu.com', 'ubuntu', `${suite}-backports`, '126 kB'),
      at('security.ubuntu.com', 'ubuntu', `${suite}-security`, '126 kB'),
    ];
  return [
    at('deb.debian.org', 'debian', suite, '151 kB'),
    at('deb.debian.org', 'debian', `${suite}-updates`, '55.4 kB'),
    at('deb.debian.org', 'debian-security', `${suite}-security`, '48.0 kB'),
  ];
}

const urlOf = (s: Source): string => `http://${s.host}/${s.archive}`;

/** Acquire::Retries: apt asks again three times and waits longer each time (apt-pkg/acquire-item.cc, 2.3.2). */
const RETRIES = 3;

type Failed = { kind: 'resolve' | 'connect'; text: string };

const whyOf = (s: Source, failed: Failed): string =>
  failed.kind === 'resolve'
    ? `Temporary failure resolving '${s.host}'`
    : `Could not connect to ${s.host}:80 (${failed.text}). - connect (110: Connection timed out)`;

function* aptUpdate(p: Process, u: Userland, quiet: boolean): Co<number> {
  const sources = sourcesOf(u);
  const say = (text: string) => {
    if (!quiet) print(p, text);
  };
  const failures = new Map<string, Failed | null>();
  for (let round = 0; round <= RETRIES; round++) {
    for (const { host } of sources)
      if (failures.get(host) !== null && !(round && !failures.has(host))) failures.set(host, yield* reach(p, u, { host, port: 80 }));
    const lost = sources.filter(s => failures.get(s.host));
    if (!lost.length || round === RETRIES) break;
    for (const s of lost) say(`Ign:${sources.indexOf(s) + 1} ${urlOf(s)} ${s.suite} InRelease\n`);
    yield* sleep(p, 1000 * 2 ** round);
  }
  const failed = (s: Source) => failures.get(s.host) ?? null;
  const got = sources.filter(s => !failed(s));
  if (got.length) yield* sleep(p, 2000);
  sources.forEach((s, i) => {
    const why = failed(s);
    say(
      why
        ? `Err:${i + 1} ${urlOf(s)} ${s.suite} InRelease\n  ${whyOf(s, why)}\n`
        : `Get:${i + 1} ${urlOf(s)} ${s.suite} InRelease [${s.size}]\n`,
    );
  });
  if (got.length) {
    say(`Get:${sources.length + 1} ${urlOf(got[0])} ${got[0].suite}/main amd64 Packages [8793 kB]\nFetched 9047 kB in 2s (4523 kB/s)\n`);
    ensureDir(p.fs, LISTS.replace(/\/[^/]*$/, ''));
    writeFile(p.fs, LISTS, 'Origin: Debian\n', p);
  }
  say('Reading package lists...\n');
  const lost = sources.flatMap(s => {
    const why = failed(s);
    return why ? [`W: Failed to fetch ${urlOf(s)}/dists/${s.suite}/InRelease  ${whyOf(s, why)}\n`] : [];
  });
  if (lost.length)
    complain(p, `${lost.join('')}W: Some index files failed to download. They have been ignored, or old ones used instead.\n`);
  return 0;
}

function* confirmed(p: Process): Co<boolean> {
  print(p, 'Do you want to continue? [Y/n] ');
  const answer = yield* stdinLine(p);
  const yes = answer !== null && /^(y|yes|)$/i.test(answer.trim());
  if (!yes) print(p, 'Abort.\n');
  return yes;
}

function* aptInstall(p: Process, u: Userland, names: string[], yes: boolean, quiet: boolean): Co<number> {
  const say = (text: string) => {
    if (!quiet) print(p, text);
  };
  say(READING);
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
  if (!yes && !(yield* confirmed(p))) return 1;
  const [source] = sourcesOf(u);
  const failed = yield* reach(p, u, { host: source.host, port: 80 });
  if (failed) {
    for (const name of list)
      complain(p, `E: Failed to fetch ${urlOf(source)}/pool/main/${name[0]}/${name}/${name}_amd64.deb  ${whyOf(source, failed)}\n`);
    complain(p, 'E: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n');
    return 100;
  }
  yield* sleep(p, 3000);
  list.forEach((name, i) => {
    say(`Get:${i + 1} ${urlOf(source)} ${source.suite}/main amd64 ${name} amd64 [315 kB]\n`);
  });
  say(`Fetched ${315 * list.length} kB in 0s (2345 kB/s)\n`);
  for (const w of wanted) {
    say(`Selecting previously unselected package ${w.name}.\nPreparing to unpack .../${w.name}_amd64.deb ...\nUnpacking ${w.name} ...\n`);
    install(p, u, w.packages);
  }
  for (const name of list) say(`Setting up ${name} ...\n`);
  return 0;
}

const isThere = (p: Process, pkg: string): boolean => programsOf(pkg).length > 0 && installed(p, pkg);

function* aptRemove(p: Process, names: string[], yes: boolean, quiet: boolean): Co<number> {
  const say = (text: string) => {
    if (!quiet) print(p, text);
  };
  say(READING);
  const unknown = names.filter(n => resolve(n) === null);
  for (const name of unknown) complain(p, `E: Unable to locate package ${name}\n`);
  if (unknown.length) return 100;
  const there = names.filter(n => (resolve(n) ?? []).some(pkg => isThere(p, pkg)));
  for (const name of names) if (!there.includes(name)) say(`Package '${name}' is not installed, so not removed\n`);
  if (there.length) say(`The following packages will be REMOVED:\n  ${[...there].sort().join(' ')}\n`);
  say(`0 upgraded, 0 newly installed, ${there.length} to remove and 0 not upgraded.\n`);
  if (!there.length) return 0;
  if (!yes && !(yield* confirmed(p))) return 1;
  for (const name of there) {
    say(`Removing ${name} ...\n`);
    for (const pkg of resolve(name) ?? []) for (const row of programsOf(pkg)) remove(p.fs, `${row.dir}/${row.name}`, p);
  }
  return 0;
}

/** By the release that has it. */
const VERSIONS: Record<string, string> = {
  11: '2.2.4',
  12: '2.6.1',
  13: '3.0.3',
  '20.04': '2.0.10',
  '22.04': '2.4.13',
  '24.04': '2.7.14build2',
};

/** What apt knows to do and podnet does not: there is no list of packages behind it. */
const ELSEWHERE = [
  'list',
  'search',
  'show',
  'source',
  'download',
  'build-dep',
  'check',
  'changelog',
  'policy',
  'edit-sources',
  'satisfy',
  'reinstall',
  'autopurge',
];

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
    const yes = flags.some(f => /^-[a-z]*y|^--yes|^--assume-yes/.test(f));
    const tool = p.argv[0].replace(/.*\//, '');
    if (tool === 'apt' && command !== undefined && !p.tty)
      complain(p, '\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n');
    if (command === 'update') return yield* aptUpdate(p, u, quiet);
    if (command === 'install') return yield* aptInstall(p, u, names, yes, quiet);
    if (command === 'remove' || command === 'purge') return yield* aptRemove(p, names, yes, quiet);
    if (command === 'clean' || command === 'autoclean') return 0;
    if (['upgrade', 'dist-upgrade', 'full-upgrade', 'autoremove'].includes(command)) {
      // There is one release of everything, and nothing is installed that nobody asked for.
      const calculating = command === 'autoremove' ? '' : 'Calculating upgrade...\n';
      if (!quiet) print(p, `${READING}${calculating}0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n`);
      return 0;
    }
    if (ELSEWHERE.includes(command)) {
      complain(p, `${tool}: podnet does not model "${command}"\n`);
      return 100;
    }
    if (command !== undefined) {
      complain(p, `E: Invalid operation ${command}\n`);
      return 100;
    }
    print(p, `apt ${VERSIONS[u.release] ?? VERSIONS[12]} (amd64)\n`);
    if (!flags.some(f => f === '-v' || f === '--version')) print(p, `Usage: ${tool} [options] command\n`);
    return 0;
  };

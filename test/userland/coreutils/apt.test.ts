import { expect, test } from 'vitest';
import { apt } from '../../../src/userland/coreutils/apt.ts';
import { httpEcho } from '../../../src/userland/servers/echo.ts';
import { UBUNTU_24 } from '../../../src/userland/userland.ts';
import { DEBIAN_12, files, run, start, twoHosts } from '../hosts.ts';

/** A machine whose hosts file knows the mirrors at the server's address. */
function machine(mirrors: string[], serves = true) {
  const h = twoHosts();
  files(
    { '/etc/hosts': `127.0.0.1 localhost\n${mirrors.map(m => `10.0.0.1 ${m}\n`).join('')}`, '/etc/resolv.conf': 'nameserver 127.0.0.1\n' },
    h.client.fs,
  );
  if (serves) start(h, h.server, httpEcho(DEBIAN_12), ['http-echo', '-text=hi', '-listen=:80']);
  return h;
}

test('a mirror whose name nobody knows is tried four times', () => {
  const h = machine([]);
  const from = h.sim.nowMs;
  const r = run(h, apt, 'apt-get update');
  const row = (of: string) => `${of}:1 http://deb.debian.org/debian bookworm InRelease\n`;
  expect(r.code).toBe(0);
  expect(r.out.split(row('Ign'))).toHaveLength(4);
  expect(r.out).toContain(`${row('Err')}  Temporary failure resolving 'deb.debian.org'\n`);
  expect(r.out).toMatch(/\nReading package lists\.\.\.\n$/);
  expect(r.err).toMatch(/^W: Failed to fetch http:\/\/deb\.debian\.org\/debian\/dists\/bookworm\/InRelease {2}Temporary failure /);
  expect(h.sim.nowMs - from).toBeGreaterThan(6000);
});

test('Ubuntu has other archives, and its security elsewhere', () => {
  const h = machine(['archive.ubuntu.com']);
  const r = run(h, apt, 'apt-get update', { u: UBUNTU_24 });
  expect(r.out).toContain('Get:1 http://archive.ubuntu.com/ubuntu noble InRelease ');
  expect(r.out).toContain(
    "Err:4 http://security.ubuntu.com/ubuntu noble-security InRelease\n  Temporary failure resolving 'security.ubuntu.com'\n",
  );
  expect(run(h, apt, 'apt-get install -y dnsutils', { u: UBUNTU_24 }).out).toContain(
    'Get:1 http://archive.ubuntu.com/ubuntu noble/main amd64 dnsutils ',
  );
});

test('what is installed can be removed again; apt warns scripts; other words are refused', () => {
  const h = machine(['deb.debian.org']);
  const go = (words: string) => run(h, apt, words);
  expect(go('apt-get install -y curl')).toMatchObject({ code: 100, err: 'E: Unable to locate package curl\n' });
  go('apt-get update');
  expect(go('apt-get install -y curl').code).toBe(0);
  expect(h.client.fs.changed.has('/usr/bin/curl')).toBe(true);
  expect(go('apt-get install -y curl').out).toContain('curl is already the newest version.\n');
  expect(go('apt-get remove -y curl').out).toContain('The following packages will be REMOVED:\n  curl\n');
  expect(go('apt-get remove -y curl').out).toContain("Package 'curl' is not installed, so not removed\n");
  expect(go('apt-get upgrade -y').out).toMatch(/\nCalculating upgrade\.\.\.\n0 upgraded, 0 newly installed, /);
  expect(go('apt update').err).toBe('\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n');
  expect(go('apt-get foo')).toMatchObject({ code: 100, err: 'E: Invalid operation foo\n' });
  expect(go('apt-get source curl')).toMatchObject({ code: 100, err: 'apt-get: podnet does not model "source"\n' });
  expect(go('apt-get --version')).toMatchObject({ code: 0, out: 'apt 2.6.1 (amd64)\n' });
});

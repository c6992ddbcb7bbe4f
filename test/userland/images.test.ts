import { describe, expect, it } from 'vitest';
import { findExecutable } from '../../src/linux/process.ts';
import { lookup, writeFile } from '../../src/linux/vfs.ts';
import { restoreChanges, saveChanges } from '../../src/linux/vfs-changes.ts';
import { buildRootfs, findImage, type Image, missingPart, parseReference } from '../../src/userland/images.ts';
import { runIn } from './container.ts';

const image = (ref: string): Image => findImage(ref) as Image;
const runs = (ref: string, name: string) => typeof findExecutable(buildRootfs(image(ref)), name, image(ref).env.PATH) !== 'string';

describe('references', () => {
  it.each([
    ['nginx', 'docker.io', 'library/nginx', 'latest'],
    ['team/app:v1', 'docker.io', 'team/app', 'v1'],
    ['localhost:5000/app', 'localhost:5000', 'app', 'latest'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io', 'pause', '3.10'],
  ])('%s', (text, registry, repository, tag) => {
    expect(parseReference(text)).toMatchObject({ registry, repository, tag });
  });

  it('refuses what Docker refuses', () => {
    expect(parseReference('Nginx')).toBeNull();
    expect(parseReference('')).toBeNull();
    expect(parseReference('a b')).toBeNull();
  });

  it('knows which tags were never pushed', () => {
    expect(missingPart('nginx:1.27-alpine')).toBe(null);
    expect(missingPart('nginx:1.161')).toBe('tag');
    expect(missingPart('nginx:not-found')).toBe('tag');
    expect(missingPart('acme/no-such-thing')).toBe('repository');
    expect(missingPart('example.com/none:1')).toBe('registry');
    expect(missingPart('registry.test:5000/team/app:2')).toBe('registry');
    expect(findImage('nginx:1.161')).toBeNull();
  });
});

describe('images', () => {
  it.each([
    'nginx',
    'nginx:alpine',
    'httpd',
    'redis:7',
    'postgres',
    'registry.k8s.io/e2e-test-images/agnhost:2.53',
    'hashicorp/http-echo',
    'traefik/whoami',
    'busybox',
    'alpine',
    'debian:12',
    'nicolaka/netshoot',
    'curlimages/curl',
  ])('%s starts what its entrypoint names', ref => {
    const i = image(ref);
    const argv = [...i.entrypoint, ...i.cmd];
    expect(typeof findExecutable(buildRootfs(i), argv[0], i.env.PATH, i.workdir)).toBe('object');
  });

  it('have the tools of the real ones and no others', () => {
    expect(runs('nginx', 'curl')).toBe(true);
    expect(runs('nginx', 'ping')).toBe(false);
    expect(runs('ubuntu', 'curl')).toBe(false);
    expect(runs('busybox', 'wget')).toBe(true);
    expect(runs('busybox', 'curl')).toBe(false);
    expect(runs('nicolaka/netshoot', 'dig')).toBe(true);
    expect(runs('hashicorp/http-echo', 'sh')).toBe(false);
  });

  it('share a tree until somebody writes', () => {
    const a = buildRootfs(image('nginx'));
    const b = buildRootfs(image('nginx'));
    writeFile(a, '/usr/share/nginx/html/index.html', 'mine');
    const page = lookup(b, '/usr/share/nginx/html/index.html');
    expect(typeof page !== 'string' && page.kind === 'file' && (page.data as Uint8Array).length).toBe(615);
    expect([...b.changed]).toEqual([]);
  });

  it('remember what a container changed, programs included', () => {
    const a = buildRootfs(image('busybox'));
    const ls = lookup(a, '/bin/ls');
    if (typeof ls === 'string' || ls.kind !== 'file') throw new Error('no ls');
    writeFile(a, '/tmp/tool', ls.data as Uint8Array);
    const made = lookup(a, '/tmp/tool');
    if (typeof made !== 'string' && made.kind === 'file') made.mode = 0o755;
    const b = buildRootfs(image('busybox'));
    restoreChanges(b, JSON.parse(JSON.stringify(saveChanges(a))));
    const found = findExecutable(b, '/tmp/tool');
    expect(typeof found !== 'string' && typeof found.node.program).toBe('function');
  });
});

describe('entrypoints', () => {
  it('a database refuses to start without a password', () => {
    const r = runIn('postgres', ['docker-entrypoint.sh', 'postgres']);
    expect(r.code).toBe(1);
    expect(r.err).toMatch(/^Error: Database is uninitialized and superuser password is not specified\./);
  });
});

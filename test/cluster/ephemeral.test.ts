// Ephemeral containers: whose processes, files and sockets' holders they see.
import { beforeAll, describe, expect, it } from 'vitest';
import { serverPod, type TestCluster, testCluster } from './harness.ts';

let c: TestCluster;

beforeAll(async () => {
  c = await testCluster();
  c.apply(serverPod('kiln', { app: 'kiln' }, { nodeName: 'node-1' }));
  c.rest();
});

const look = (flags: string[], script: string): string => c.must(['debug', 'kiln', '-i', '-q', ...flags, '--', 'sh', '-c', script]);

const server = () => c.must(['get', 'pod', 'kiln', '-o', 'jsonpath={.spec.containers[0].name}']);

describe('an ephemeral container with a target', () => {
  it("counts the target's processes as its own, the first of them first", () => {
    const listed = look(['--image=busybox:1.36', `--target=${server()}`], 'ps -o pid,args');
    expect(listed).toMatch(/^ +1 (?!sh)/m);
    expect(listed).toContain(' sh -c ps -o pid,args\n');
  });

  it("reads and writes the target's files through /proc", () => {
    const target = ['--image=busybox:1.36', `--target=${server()}`];
    expect(look(target, 'cat /proc/1/root/etc/hostname; readlink /proc/1/root; echo fired > /proc/1/root/tmp/state')).toBe('kiln\n/\n');
    expect(c.must(['exec', 'kiln', '-c', server(), '--', 'cat', '/tmp/state'])).toBe('fired\n');
  });

  it('names the holder of a socket', () => {
    expect(look(['--image=nicolaka/netshoot', `--target=${server()}`], 'ss -tlnp')).toMatch(/users:\(\("\S+",pid=1,fd=\d+\)\)/);
  });
});

describe('an ephemeral container without a target', () => {
  it('sees its own processes alone, though it shares the sockets', () => {
    const text = look(['--image=nicolaka/netshoot'], 'ss -tlnp; ls /proc/1/root/nowhere; ps -o pid,args');
    expect(text).toContain('LISTEN');
    expect(text).not.toContain('users:');
    expect(text).toMatch(/^ +1 sh -c /m);
  });
});

it('says all that a short command has printed, also before anybody could attach', () => {
  expect(look(['--image=busybox:1.36'], 'echo first; wget -qO- localhost >/dev/null 2>&1; echo last')).toBe('first\nlast\n');
});

it("does not look through another user's process", () => {
  const one = (name: string, runAsUser: number) => ({
    name,
    image: 'busybox:1.36',
    command: ['sleep', '9999'],
    securityContext: { runAsUser },
  });
  c.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shared' },
    spec: { nodeName: 'node-1', shareProcessNamespace: true, containers: [one('keeper', 0), one('guest', 1000)] },
  });
  c.rest();
  const peek = (container: string) =>
    c.must(['exec', 'shared', '-c', container, '--', 'sh', '-c', 'for p in $(pidof sleep); do ls -d /proc/$p/root/bin 2>&1; done; true']);
  // Root needs SYS_PTRACE for it too.
  for (const container of ['keeper', 'guest']) {
    expect(peek(container).match(/Permission denied/g)).toHaveLength(1);
    expect(peek(container).match(/^\/proc/gm)).toHaveLength(1);
  }
});

import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';
import { TOOLS } from './cases.ts';

describe('GNU tools', () => {
  it.each(TOOLS)('%s', (script, code, out, err) => {
    expect(runIn('debian:12', ['bash', '-c', script])).toMatchObject({ code, out, err });
  });
});

describe('BusyBox applets', () => {
  it.each([
    [['ls', '/nope'], 1, '', 'ls: /nope: No such file or directory\n'],
    [['cat', '/nope'], 1, '', "cat: can't open '/nope': No such file or directory\n"],
    [['rm', '/nope'], 1, '', "rm: can't remove '/nope': No such file or directory\n"],
    [['mkdir', '/etc'], 1, '', "mkdir: can't create directory '/etc': File exists\n"],
    [['busybox', 'nosuch'], 127, '', 'nosuch: applet not found\n'],
    [['timeout', '1', 'sleep', '9'], 143, '', ''],
    [['sleep', 'x'], 1, '', "sleep: invalid number 'x'\n"],
    [['id'], 0, 'uid=0(root) gid=0(root) groups=0(root)\n', ''],
    [['ps'], 0, 'PID   USER     COMMAND\n    1 root     ps\n', ''],
  ])('%s', (argv, code, out, err) => {
    expect(runIn('busybox:1.36', argv)).toMatchObject({ code, out, err });
  });
});

describe('jq', () => {
  it.each([
    ['.items[].name', '-r', 'a\nb\n'],
    ['[.items[] | select(.n > 1) | {name}]', '-c', '[{"name":"b"}]\n'],
    ['.items | map({(.name): .n}) | add', '-c', '{"a":1,"b":2}\n'],
    ['.nope // "none"', '-r', 'none\n'],
  ])('%s', (filter, flag, out) => {
    const stdin = '{"items":[{"name":"a","n":1},{"name":"b","n":2}]}';
    expect(runIn('nicolaka/netshoot', ['jq', flag, filter], { stdin })).toMatchObject({ code: 0, out });
  });
});

describe('time', () => {
  it('tail -f and watch go on until they are stopped', () => {
    expect(runIn('busybox', ['time', 'sh', '-c', 'echo said; sleep 2'])).toMatchObject({
      out: 'said\n',
      err: expect.stringMatching(/^real\t0m 2\.00s\n/),
    });
    expect(runIn('busybox', ['sh', '-c', 'echo a > /tmp/f; (sleep 2; echo b >> /tmp/f) & timeout 5 tail -f /tmp/f']).out).toBe('a\nb\n');
    expect(runIn('debian:12', ['sh', '-c', 'timeout 5 watch -t -n 2 echo tick | grep -c tick']).out).toBe('3\n');
  });
});

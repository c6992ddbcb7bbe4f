// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell text
import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';
import { BASH, DASH } from './cases.ts';

describe('sh -c as dash prints it', () => {
  it.each(DASH)('%s', (script, code, out, err) => {
    expect(runIn('debian:12', ['sh', '-c', script])).toMatchObject({ code, out, err });
  });
});

describe('bash -c as bash prints it', () => {
  it.each(BASH)('%s', (script, code, out, err) => {
    expect(runIn('debian:12', ['bash', '-c', script])).toMatchObject({ code, out, err });
  });
});

describe('BusyBox ash', () => {
  it.each([
    ['nosuch', 127, '', 'sh: nosuch: not found\n'],
    ['cat < /nope', 1, '', "sh: can't open /nope: no such file\n"],
    ['echo x > /nope/y', 1, '', "sh: can't create /nope/y: nonexistent directory\n"],
    ['if true', 2, '', 'sh: syntax error: unexpected end of file (expecting "then")\n'],
    ['[[ abc == a* ]] && echo yes; x=hello; echo ${x/l/L} ${x:1:2}', 0, 'yes\nheLlo el\n', ''],
    ["echo -e 'a\\tb'; echo 'a\\tb'", 0, 'a\tb\na\\tb\n', ''],
  ])('%s', (script, code, out, err) => {
    expect(runIn('busybox:1.36', ['sh', '-c', script])).toMatchObject({ code, out, err });
  });
});

describe('a terminal', () => {
  it('prompts as the image does', () => {
    expect(runIn('busybox:1.36', ['sh'], { stdin: 'cd /tmp\necho $((1+1))\n', tty: true }).err).toBe('/ # /tmp # /tmp # \n');
    expect(runIn('debian:12', ['bash'], { stdin: 'echo a\n', tty: true }).err).toBe('root@pod:/# root@pod:/# exit\n');
    expect(runIn('debian:12', ['sh'], { stdin: 'for i in 1 2\ndo echo $i\ndone\nexit 3\n', tty: true })).toMatchObject({
      code: 3,
      err: '# > > # ',
      out: '1\n2\n',
    });
  });
});

describe('time', () => {
  it('passes in sleeps, pipes and endless loops', () => {
    expect(runIn('busybox', ['sh', '-c', 'sleep 2; sleep 1 | sleep 3']).ms).toBe(5000);
    expect(runIn('busybox', ['sh', '-c', 'timeout 1 sh -c "while :; do :; done"'])).toMatchObject({ code: 143 });
    expect(runIn('busybox', ['sh', '-c', 'yes | head -2'])).toMatchObject({ code: 0, out: 'y\ny\n' });
    expect(runIn('busybox', ['sh', '-c', '(sleep 1; echo late) & echo early; wait; echo end']).out).toBe('early\nlate\nend\n');
  });
});

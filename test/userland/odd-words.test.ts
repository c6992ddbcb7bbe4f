// Whatever words a program is called with, it answers: it neither falls over nor prints what a missing value looks like in JavaScript.
import { expect, it } from 'vitest';
import { runIn } from './container.ts';

/** Those that wait for somebody, end the shell or its children, or take what the others need. */
const NOT_CALLED =
  `ash bash chroot dash find halt init kill killall killall5 less login more passwd pkill poweroff reboot rm rmdir sh shutdown
  ssh su sudo top vi watch yes mv`.split(/\s+/);
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01';
const ODD = ['', '-Z', '--nope', '-', '--', '/nonexistent', '/tmp/f', '/tmp', '1', '-1', '-n x', 'a b c', "''", '127.0.0.1 80'];

/** A folder that a link leads back into stands for what earlier commands have left. */
const script = (program: string) => `mkdir -p /tmp/d/e; ln -s /tmp /tmp/d/up; ln -s . /tmp/here; echo one two > /tmp/f; cd /tmp
call() { out=$(timeout 2 "$@" </dev/null 2>&1); case "$out" in *undefined*|*NaN*|*Infinity*|*"[object"*) echo "$*: $out" | head -n 3;; esac; }
${ODD.map(words => `call ${program} ${words}`).join('\n')}
for l in ${[...LETTERS].join(' ')}; do call ${program} -$l x 127.0.0.1; done
`;

it.each(['nicolaka/netshoot', 'debian:12'])(
  'the programs of %s',
  image => {
    const list = 'ls /bin /sbin /usr/bin /usr/sbin /usr/local/bin 2>/dev/null | grep -v : | sort -u';
    const programs = runIn(image, ['sh', '-c', list]).out.split('\n');
    // Its own help has the word.
    const said = programs
      .filter(name => name && !NOT_CALLED.includes(name))
      .map(name => [name, runIn(image, ['sh', '-s'], { stdin: script(name) }).out.replace(/^dig -h.*: Usage:.*(\n.*){2}\n/gm, '')]);
    expect(said.filter(([, out]) => out)).toEqual([]);
  },
  120_000,
);

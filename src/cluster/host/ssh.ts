// ssh between machines: the words run on the other one, as root, when the network carries a connection to its port 22.

import { ALL_CAPS, complain, DEFAULT_PATH, kill, print, spawn, strerror, waitFor } from '../../linux/process.ts';
import { close, connect, kernelSocket } from '../../linux/socket.ts';
import type { Program } from '../../linux/types.ts';
import { familyOf, ip, parseIp } from '../../wire/ip.ts';
import type { Engine } from '../types.ts';

/** Options that take a word. */
const TAKES = new Set([...'bcDEeFIiJLlmOopQRSWw'].map(c => `-${c}`));

export function ssh(engine: Engine): Program {
  return function* (p) {
    const words = p.argv.slice(1);
    while (words[0]?.startsWith('-')) {
      const flag = words.shift() as string;
      if (flag === '-V') {
        complain(p, 'OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17 1 Jul 2025\n');
        return 0;
      }
      if (flag.length === 2 && TAKES.has(flag)) words.shift();
    }
    const [target, ...command] = words;
    if (!target) {
      complain(p, 'usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] destination [command [argument ...]]\n');
      return 255;
    }
    const host = target.replace(/^.*@/, '');
    const node = [...engine.nodes.values()].find(n => n.spec.name === host || n.spec.ips.includes(host));
    const address = node?.spec.ips[0] ?? (parseIp(host) ? host : null);
    if (!address) {
      complain(p, `ssh: Could not resolve hostname ${host}: Name or service not known\n`);
      return 255;
    }
    const socket = kernelSocket(p.netns, 'tcp', familyOf(ip(address)));
    const error = yield* connect(socket, ip(address), 22, 10_000);
    close(socket);
    if (error || !node) {
      // Still trying when the time was over.
      const why = error === 'EINPROGRESS' ? 'ETIMEDOUT' : (error ?? 'ECONNREFUSED');
      complain(p, `ssh: connect to host ${host} port 22: ${strerror(why)}\n`);
      return 255;
    }
    const { kernel, rootfs } = node.look();
    const argv = command.length ? ['bash', '-c', command.join(' ')] : ['bash', '-l'];
    const env = new Map([
      ['PATH', DEFAULT_PATH],
      ['HOME', '/root'],
      ['USER', 'root'],
      ['SHELL', '/bin/bash'],
      ['LANG', 'C.UTF-8'],
    ]);
    const { stdin, stdout, stderr, tty } = p;
    const netns = kernel.netns.get('');
    if (!netns) throw new Error('a machine without its own namespace');
    const q = spawn(kernel, { netns, fs: rootfs, argv, env, cwd: '/root', uid: 0, caps: new Set(ALL_CAPS), stdin, stdout, stderr, tty });
    if (typeof q === 'string') {
      complain(p, `bash: ${strerror(q)}\n`);
      return 127;
    }
    try {
      const code = yield* waitFor(q);
      if (!command.length && tty) print(p, `Connection to ${host} closed.\n`);
      return code;
    } finally {
      kill(q, 'TERM');
    }
  };
}

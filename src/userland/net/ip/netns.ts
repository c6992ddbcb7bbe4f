// `ip netns` (iproute2 6.1 ip/ipnetns.c): names are files under /var/run/netns.
import { deleteNetns, newNetns } from '../../../linux/kernel.ts';
import { namedNetns, netnsByFile } from '../../../linux/namespaces.ts';
import { containerProcesses, localPid, processByLocalPid } from '../../../linux/pids.ts';
import { findExecutable, runChild } from '../../../linux/process.ts';
import type { Netns } from '../../../linux/types.ts';
import type { Co } from '../../../sim/task.ts';
import { NETNS_USAGE } from '../usage/ip.ts';
import { complainTo, fail, type IpContext, matches, needAdmin, next, out, outJson, type Words } from './context.ts';

/** The number by which this namespace knows the other one, once a veth joins them. */
function idOf(c: IpContext, far: Netns): number | undefined {
  const seen: Netns[] = [];
  for (const l of c.ns.links.values()) {
    const other = l.peer?.netns;
    if (l.kind === 'veth' && other && other !== c.ns && !seen.includes(other)) seen.push(other);
  }
  const at = seen.indexOf(far);
  return at < 0 ? undefined : at;
}

/** NETNS_RUN_DIR: Debian builds with another than iproute2's own. */
const folder = (c: IpContext): string => (c.u.distro === 'debian' || c.u.distro === 'ubuntu' ? '/run/netns' : '/var/run/netns');

export function* ipNetns(c: IpContext, w: Words): Co<number> {
  const cmd = w.left.shift();
  if (cmd === 'help') return fail(NETNS_USAGE.replace(/\n$/, ''), 255);
  if (cmd === undefined || matches(cmd, 'list') || matches(cmd, 'show') || matches(cmd, 'lst')) {
    const rows = namedNetns(c.ns.kernel, c.p.fs).map(n => ({ name: n.file as string, id: idOf(c, n) }));
    if (c.json) outJson(c, rows);
    else for (const r of rows) out(c, `${r.name}${r.id === undefined ? '' : ` (id: ${r.id})`}\n`);
    return 0;
  }
  if (cmd === 'exec') return yield* exec(c, w);
  if (matches(cmd, 'add')) return add(c, w.left.shift() ?? fail('No netns name specified', 1));
  if (matches(cmd, 'delete')) return del(c, w);
  if (matches(cmd, 'identify')) {
    return identify(c, w);
  }
  if (matches(cmd, 'pids')) {
    const ns = open(c, next(c, w));
    for (const q of containerProcesses(c.p)) if (q.netns === ns) out(c, `${localPid(q, c.p)}\n`);
    return 0;
  }
  return fail(`Command "${cmd}" is unknown, try "ip netns help".`, 255);
}

/** The names of a process's namespace: of the caller's own when none is named. */
function identify(c: IpContext, w: Words): number {
  const word = w.left.shift();
  if (word !== undefined && !/^\d+$/.test(word)) fail(`Specified string '${word}' is not a pid`, 1);
  const q = word === undefined ? c.p : processByLocalPid(c.p, Number(word));
  if (!q) return fail(`Stat of netns failed: No such file or directory`, 1);
  for (const ns of namedNetns(c.ns.kernel, c.p.fs)) if (ns === q.netns) out(c, `${ns.file}\n`);
  return 0;
}

export function open(c: IpContext, name: string): Netns {
  const ns = netnsByFile(c.ns.kernel, c.p.fs, name);
  return ns ?? fail(`Cannot open network namespace "${name}": No such file or directory`, 255);
}

function add(c: IpContext, name: string): number {
  if (name.includes('/') || name === '.' || name === '..') fail(`Invalid netns name "${name}"`, 255);
  if (!c.p.caps.has('SYS_ADMIN')) fail(`mkdir ${folder(c)} failed: Permission denied`, 1);
  if (c.ns.kernel.netns.has(name)) fail(`Cannot create namespace file "${folder(c)}/${name}": File exists`, 1);
  newNetns(c.ns.kernel, name).dirty.add('links');
  return 0;
}

function del(c: IpContext, w: Words): number {
  const name = w.left.shift() ?? fail('No netns name specified', 1);
  const ns = netnsByFile(c.ns.kernel, c.p.fs, name);
  if (!ns) return fail(`Cannot remove namespace file "${folder(c)}/${name}": No such file or directory`, 1);
  needAdmin(c);
  // The name goes; a namespace that processes are in lives on.
  if (containerProcesses(c.p).some(q => q.netns === ns)) ns.file = undefined;
  else deleteNetns(ns);
  c.ns.dirty.add('links');
  return 0;
}

function* exec(c: IpContext, w: Words): Co<number> {
  const name = next(c, w);
  const argv = w.left.splice(0);
  if (!argv.length) return fail('No command specified', 1);
  if (!c.p.caps.has('SYS_ADMIN')) return fail(`setting the network namespace "${name}" failed: Operation not permitted`, 1);
  const netns = open(c, name);
  if (typeof findExecutable(c.p.fs, argv[0], c.p.env.get('PATH'), c.p.cwd) === 'string') {
    complainTo(c, `exec of "${argv[0]}" failed: No such file or directory\n`);
    return 255;
  }
  return yield* runChild(c.p, argv, { netns });
}

// `ip netns` (iproute2 6.1 ip/ipnetns.c). Names are files under /var/run/netns: those of a machine's pods are the runtime's and stay hidden.
import { deleteNetns, newNetns } from '../../../linux/kernel.ts';
import { findExecutable, runChild } from '../../../linux/process.ts';
import type { Netns } from '../../../linux/types.ts';
import type { Co } from '../../../sim/task.ts';
import { NETNS_USAGE } from '../usage/ip.ts';
import { complainTo, fail, type IpContext, matches, needAdmin, next, out, outJson, type Words } from './context.ts';

export const namedNetns = (c: IpContext): Netns[] => [...c.ns.kernel.netns.values()].filter(n => n.name !== '' && !n.name.includes('/'));

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

export function* ipNetns(c: IpContext, w: Words): Co<number> {
  const cmd = w.left.shift();
  if (cmd === 'help') return fail(NETNS_USAGE.replace(/\n$/, ''), 255);
  if (cmd === undefined || matches(cmd, 'list') || matches(cmd, 'show') || matches(cmd, 'lst')) {
    const rows = namedNetns(c).map(n => ({ name: n.name, id: idOf(c, n) }));
    if (c.json) outJson(c, rows);
    else for (const r of rows) out(c, `${r.name}${r.id === undefined ? '' : ` (id: ${r.id})`}\n`);
    return 0;
  }
  if (cmd === 'exec') return yield* exec(c, w);
  if (matches(cmd, 'add')) return add(c, w.left.shift() ?? fail('No netns name specified', 1));
  if (matches(cmd, 'delete')) return del(c, w);
  if (matches(cmd, 'identify')) {
    const name = c.p.netns.name;
    if (name && !name.includes('/')) out(c, `${name}\n`);
    return 0;
  }
  if (matches(cmd, 'pids')) {
    const ns = open(c, next(c, w));
    for (const p of c.ns.kernel.processes.values()) if (p.netns === ns) out(c, `${p.pid}\n`);
    return 0;
  }
  return fail(`Command "${cmd}" is unknown, try "ip netns help".`, 255);
}

export function open(c: IpContext, name: string): Netns {
  const ns = name ? c.ns.kernel.netns.get(name) : undefined;
  return ns ?? fail(`Cannot open network namespace "${name}": No such file or directory`, 255);
}

function add(c: IpContext, name: string): number {
  if (name.includes('/') || name === '.' || name === '..') fail(`Invalid netns name "${name}"`, 255);
  if (!c.p.caps.has('SYS_ADMIN')) fail('mkdir /var/run/netns failed: Permission denied', 1);
  if (c.ns.kernel.netns.has(name)) fail(`Cannot create namespace file "/var/run/netns/${name}": File exists`, 1);
  newNetns(c.ns.kernel, name).dirty.add('links');
  return 0;
}

function del(c: IpContext, w: Words): number {
  const name = w.left.shift() ?? fail('No netns name specified', 1);
  const ns = c.ns.kernel.netns.get(name);
  if (!ns || name.includes('/')) return fail(`Cannot remove namespace file "/var/run/netns/${name}": No such file or directory`, 1);
  needAdmin(c);
  deleteNetns(ns);
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

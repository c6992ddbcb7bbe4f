// `ip`: options, objects, batch files (iproute2 6.1 ip/ip.c; BusyBox 1.35 networking/ip.c).

import { complain, stdinAll } from '../../../linux/process.ts';
import type { Process, Program } from '../../../linux/types.ts';
import { absolute, readFile } from '../../../linux/vfs.ts';
import { bytesToString } from '../../../sim/bytes.ts';
import type { Co } from '../../../sim/task.ts';
import { busyboxUsage } from '../../busybox.ts';
import type { Userland } from '../../userland.ts';
import { ipAddr } from './addr.ts';
import { fail, type IpContext, IpFailure, matches, out, type Words, wrong } from './context.ts';
import { ipLink } from './link.ts';
import { ipNeigh } from './neigh.ts';
import { ipNetns, open } from './netns.ts';
import { ipRoute } from './route.ts';
import { ipRule } from './rule.ts';

/** In the order in which a prefix picks one (ip.c cmds). */
const OBJECTS: [string, (c: IpContext, w: Words) => void][] = [
  ['address', ipAddr],
  ['addrlabel', missing],
  ['maddress', missing],
  ['route', ipRoute],
  ['rule', ipRule],
  ['neighbor', ipNeigh],
  ['neighbour', ipNeigh],
  ['ntable', missing],
  ['ntbl', missing],
  ['link', ipLink],
  ['l2tp', missing],
  ['fou', missing],
  ['ila', missing],
  ['macsec', missing],
  ['tunnel', missing],
  ['tunl', missing],
  ['tuntap', missing],
  ['tap', missing],
  ['token', missing],
  ['tcpmetrics', missing],
  ['tcp_metrics', missing],
  ['monitor', missing],
  ['xfrm', missing],
  ['mroute', missing],
  ['mrule', missing],
  ['netconf', missing],
  ['vrf', missing],
  ['sr', missing],
  ['nexthop', missing],
  ['mptcp', missing],
  ['ioam', missing],
  ['stats', missing],
];

function missing(c: IpContext): void {
  fail(`podnet does not model "ip ${c.object}"`, 1);
}

/** Objects of iproute2 that are not there. */
export const unmodelledObjects = (): string[] => OBJECTS.filter(([, act]) => act === missing).map(([name]) => name);

const USAGE = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | addrlabel | amt | fou | help | ila | ioam | l2tp |
                   link | macsec | maddress | monitor | mptcp | mroute | mrule |
                   neighbor | neighbour | netconf | netns | nexthop | ntable |
                   ntbl | route | rule | sr | tap | tcpmetrics |
                   token | tunnel | tuntap | vrf | xfrm }
       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -r[esolve] |
                    -h[uman-readable] | -iec | -j[son] | -p[retty] |
                    -f[amily] { inet | inet6 | mpls | bridge | link } |
                    -4 | -6 | -M | -B | -0 |
                    -l[oops] { maximum-addr-flush-attempts } | -br[ief] |
                    -o[neline] | -t[imestamp] | -ts[hort] | -b[atch] [filename] |
                    -rc[vbuf] [size] | -n[etns] name | -N[umeric] | -a[ll] |
                    -c[olor]}
`;

const BUSYBOX_USAGE = `ip [OPTIONS] address|route|link|tunnel|neigh|rule [ARGS]

OPTIONS := -f[amily] inet|inet6|link | -o[neline]

ip addr add|del IFADDR dev IFACE | show|flush [dev IFACE] [to PREFIX]
ip route list|flush|add|del|change|append|replace|test ROUTE
ip link set IFACE [up|down] [arp on|off] [multicast on|off]
	[promisc on|off] [mtu NUM] [name NAME] [qlen NUM] [address MAC]
	[master IFACE | nomaster] [netns PID]
ip tunnel add|change|del|show [NAME]
	[mode ipip|gre|sit] [remote ADDR] [local ADDR] [ttl TTL]
ip neigh show|flush [to PREFIX] [dev DEV] [nud STATE]
ip rule [list] | add|del SELECTOR ACTION`;

const newContext = (p: Process, u: Userland, busybox: boolean): IpContext => ({
  p,
  ns: p.netns,
  u,
  busybox,
  family: null,
  linkOnly: false,
  details: false,
  stats: 0,
  oneline: false,
  brief: false,
  json: false,
  pretty: false,
  resolve: false,
  color: false,
  object: '',
});

const VERSIONS: Record<number, string> = { 11: '5.10.0', 12: '6.1.0, libbpf 1.1.2', 13: '6.15.0, libbpf 1.5.0' };

const COLOR = /^c(o(l(or?)?)?)?(=(always|auto|never))?$/;

interface Run {
  batch: string | null;
  force: boolean;
}

/** The options before the object. -> an exit code when one of them ends the command */
function options(c: IpContext, w: Words, run: Run): number | null {
  while (w.left[0]?.startsWith('-')) {
    const word = w.left.shift() as string;
    const opt = word.startsWith('--') ? word.slice(2) : word.slice(1);
    if (word === '--') break;
    if (opt === '4') c.family = 4;
    else if (opt === '6') c.family = 6;
    else if (opt === '0') c.linkOnly = true;
    else if (opt === 'B' || opt === 'M') c.family = null;
    else if (matches(opt, 'family') && opt.length > 0 && 'family'.startsWith(opt)) {
      const f = w.left.shift() ?? '';
      if (!['inet', 'inet6', 'link', 'bridge', 'mpls'].includes(f) && !c.busybox) wrong(f, 'invalid protocol family');
      c.family = f === 'inet' ? 4 : f === 'inet6' ? 6 : null;
      if (f === 'link') c.linkOnly = true;
    } else if (opt === 'br' || (matches(opt, 'brief') && opt.length > 1)) c.brief = true;
    else if (matches(opt, 'batch')) run.batch = w.left.shift() ?? '-';
    else if (matches(opt, 'statistics') || opt === 'stats') c.stats++;
    else if (matches(opt, 'details')) c.details = true;
    else if (matches(opt, 'oneline')) c.oneline = true;
    else if (matches(opt, 'json')) c.json = true;
    else if (matches(opt, 'pretty')) c.pretty = true;
    else if (matches(opt, 'resolve')) c.resolve = true;
    else if (matches(opt, 'force')) run.force = true;
    else if (COLOR.test(opt)) c.color = !c.busybox && (/=auto$/.test(opt) ? c.p.tty : !/=never$/.test(opt));
    else if (opt === 'N' || opt === 'Numeric' || matches(opt, 'timestamp') || opt === 'ts' || opt === 'iec' || opt === 'a' || opt === 'all')
      continue;
    else if (matches(opt, 'loops') || opt === 'rc' || opt === 'rcvbuf') w.left.shift();
    else if (matches(opt, 'netns')) c.ns = open(c, w.left.shift() ?? '');
    else if (opt === 'V' || opt === 'Version') {
      out(c, `ip utility, iproute2-${VERSIONS[c.u.tools]}\n`);
      return 0;
    } else if (matches(opt, 'human')) continue;
    else if (matches(opt, 'help')) return usage(c);
    else if (c.busybox) return usage(c);
    else fail(`Option "-${opt}" is unknown, try "ip -help".`, 255);
  }
  return null;
}

function usage(c: IpContext): number {
  if (c.busybox) return busyboxUsage(c.p, c.u, BUSYBOX_USAGE);
  complain(c.p, USAGE);
  return 255;
}

function* object(c: IpContext, w: Words): Co<number> {
  const word = w.left.shift();
  if (word === undefined || word === 'help') return usage(c);
  if (!c.busybox && matches(word, 'netns') && word.length > 2) return yield* ipNetns(c, w);
  const found = OBJECTS.find(([name]) => matches(word, name));
  if (!found) {
    if (c.busybox) return usage(c);
    return fail(`Object "${word}" is unknown, try "ip help".`, 1);
  }
  if (c.busybox && w.left[0] === 'help') return usage(c);
  c.object = found[0];
  found[1](c, w);
  return 0;
}

/** One command; what it throws becomes a message and an exit code. */
function* guarded(c: IpContext, w: Words): Co<number> {
  try {
    return yield* object(c, w);
  } catch (e) {
    if (!(e instanceof IpFailure)) throw e;
    complain(c.p, `${e.message}\n`);
    // BusyBox' iplink.c ends with 2 whatever is wrong.
    return c.busybox && c.object === 'link' ? 2 : e.code;
  }
}

function* batch(c: IpContext, run: Run): Co<number> {
  const name = run.batch as string;
  const data = name === '-' ? yield* stdinAll(c.p) : readFile(c.p.fs, absolute(name, c.p.cwd), c.p);
  if (typeof data === 'string') {
    complain(c.p, `Cannot open file "${name}" for reading: No such file or directory\n`);
    return 1;
  }
  let code = 0;
  const lines = bytesToString(data).split('\n');
  for (let i = 0; i < lines.length; i++) {
    const words = lines[i].replace(/#.*/, '').trim().split(/\s+/).filter(Boolean);
    if (!words.length) continue;
    const r = yield* guarded({ ...c }, { left: words });
    if (r === 0) continue;
    complain(c.p, `Command failed ${name}:${i + 1}\n`);
    code = 1;
    if (!run.force) return code;
  }
  return code;
}

const program = (u: Userland, busybox: boolean): Program =>
  function* ip(p: Process): Co<number> {
    const c = newContext(p, u, busybox);
    const w: Words = { left: p.argv.slice(1) };
    const run: Run = { batch: null, force: false };
    try {
      const ended = options(c, w, run);
      if (ended !== null) return ended;
    } catch (e) {
      if (!(e instanceof IpFailure)) throw e;
      complain(p, `${e.message}\n`);
      return e.code;
    }
    if (run.batch !== null) return yield* batch(c, run);
    return yield* guarded(c, w);
  };

/** iproute2's `ip`. */
export const ipProgram = (u: Userland): Program => program(u, false);

/** BusyBox' applet. */
export const busyboxIpProgram = (u: Userland): Program => program(u, true);

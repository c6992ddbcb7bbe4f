// route (net-tools 2.10 and BusyBox).
import { linkByName } from '../../linux/link.ts';
import { complain, print, strerror } from '../../linux/process.ts';
import { addRoute, removeRoute } from '../../linux/route.ts';
import type { Process, Program, Route } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Cidr, network, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import { getopt, optionValue } from '../busybox.ts';
import type { Userland } from '../userland.ts';
import { letters, netmaskBits, printRoutes } from './net-tools.ts';
import { INET_ROUTE_USAGE, ROUTE_USAGE, ROUTE_VERSION } from './usage/net-tools.ts';

const routeTool = (_u: Userland, busybox: boolean): Program =>
  function* route(p: Process): Co<number> {
    const odd = busybox ? null : options(p);
    if (odd !== null) return odd;
    const words = p.argv.slice(1).filter(a => !/^-[neAv]+$/.test(a) && a !== '-4');
    const at = words.findIndex(w => w === 'add' || w === 'del' || w === 'delete');
    if (at < 0) {
      printRoutes(p, letters(p.argv).includes('n'), letters(p.argv).includes('e'), busybox);
      return 0;
    }
    return changeRoute(p, words[at] === 'add', words.slice(at + 1), busybox);
  };

/** Words before the verb that end net-tools' route. -> its exit code */
function options(p: Process): number | null {
  const o = getopt(
    p.argv.slice(1),
    'A:eCFhnN64Vv?',
    { numeric: 'n', extend: 'e', fib: 'F', cache: 'C', verbose: 'v', version: 'V', help: 'h', inet: '4', inet6: '6' },
    false,
  );
  const usage = (code: number): number => {
    if (code) complain(p, ROUTE_USAGE[0]);
    else print(p, ROUTE_USAGE[0]);
    complain(p, ROUTE_USAGE[1]);
    return code;
  };
  if (o.error) {
    complain(p, `route: ${o.error}\n`);
    return usage(0);
  }
  if (o.flags.has('V')) {
    print(p, ROUTE_VERSION);
    return 0;
  }
  if (o.flags.has('h') || o.flags.has('?')) return usage(0);
  if (o.flags.has('6') || o.flags.has('C') || /^inet6/.test(optionValue(o, 'A') ?? '')) {
    complain(p, `route: podnet does not model ${o.flags.has('C') ? 'the routing cache' : 'IPv6 routes: ip -6 route shows them'}\n`);
    return 1;
  }
  const [verb, ...rest] = o.operands;
  if (verb !== undefined && !['add', 'del', 'delete', 'flush'].includes(verb)) return usage(E_USAGE);
  if (verb === 'flush') {
    complain(p, "Flushing `inet' routing table not supported\n");
    return E_USAGE;
  }
  if (verb !== undefined && !rest.length) {
    print(p, INET_ROUTE_USAGE);
    return 0;
  }
  return null;
}

/** net-tools' exit code of a wrong command line. */
const E_USAGE = 3;

function changeRoute(p: Process, add: boolean, words: string[], busybox: boolean): number {
  const r: Partial<Route> = {};
  let dst: Cidr | null = null;
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    if (w === '-net' || w === '-host') continue;
    if (w === 'gw') r.via = parseIp(words[++i] ?? '');
    else if (w === 'dev') r.dev = linkByName(p.netns, words[++i] ?? '')?.ifindex ?? -1;
    else if (w === 'metric') r.metric = Number(words[++i]);
    else if (w === 'netmask') {
      const bits = netmaskBits(words[++i] ?? '');
      if (dst && bits !== null) dst = { ip: dst.ip, bits };
    } else if (w === 'reject') r.kind = 'unreachable';
    else if (dst && linkByName(p.netns, w)) r.dev = linkByName(p.netns, w)?.ifindex;
    else dst = w === 'default' ? { ip: new Uint8Array(4), bits: 0 } : parseCidr(w);
    if (!dst && w !== 'gw' && w !== 'dev') {
      complain(p, busybox ? `route: resolving ${w}\n` : `${w}: Host name lookup failure\n`);
      return busybox ? 1 : 6;
    }
  }
  const say = (text: string): number => {
    complain(p, busybox ? `route: ${text}\n` : `${text}\n`);
    return busybox ? 1 : 7;
  };
  const call = add ? 'SIOCADDRT' : 'SIOCDELRT';
  if (!dst) return say('Usage: inet_route [-vF] del {-host|-net} Target[/prefix] [gw Gw] [metric M] [[dev] If]');
  if (!p.caps.has('NET_ADMIN')) return say(busybox ? `${call}: Operation not permitted` : `${call}: Operation not permitted`);
  if (r.dev === -1) return say(`${call}: No such device`);
  if (!sameIp(network(dst).ip, dst.ip)) {
    if (busybox) return say('netmask and route address conflict');
    complain(p, `route: netmask doesn't match route address\n${INET_ROUTE_USAGE}`);
    return E_USAGE;
  }
  const e = add ? addRoute(p.netns, { ...r, dst }) : removeRoute(p.netns, { ...r, dst });
  if (e) return say(`${call}: ${strerror(e)}`);
  p.netns.dirty.add('routes');
  return 0;
}

export const routeProgram = (u: Userland): Program => routeTool(u, false);

export const busyboxRouteProgram = (u: Userland): Program => routeTool(u, true);

// plugin/loop (coredns 1.14.2): asks itself for a name that nobody else asks; when that comes back more than twice, forwarding runs in a circle.
import { listObjects } from '../../apiserver/store.ts';
import { sleep } from '../../linux/process.ts';
import { below } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { exchangeUdp, failed } from '../../userland/net/dns-client.ts';
import { newMessage } from '../../wire/dns-codec.ts';
import { formatIp, type Ip, ip, sameIp } from '../../wire/ip.ts';
import { argumentError, type Instance, ONCE, type Plugin, plainError } from '../types.ts';
import { inZone } from '../zones.ts';

const HINFO = 'TYPE13';

/** An upstream from which the question can come back: this pod's own address, or a Service's (it may be behind that). */
function mayReturn(instance: Instance, upstream: Ip): boolean {
  if (upstream[0] === 127 || formatIp(upstream) === '::1') return true;
  if ([...instance.p.netns.links.values()].some(l => l.addresses.some(a => sameIp(a.ip, upstream)))) return true;
  const text = formatIp(upstream);
  return listObjects(instance.server, 'services').some(s => s.spec?.clusterIPs?.includes(text));
}

export const loop: Plugin = {
  name: 'loop',
  setup: ({ instance, block, directive, all }) => {
    if (all.length > 1) throw plainError(ONCE);
    if (directive.args.length) throw argumentError(directive);
    const { random } = instance.server.sim;
    const zone = block.zones[0] ?? '.';
    const digits = () => `${below(random, 2 ** 31)}${below(random, 2 ** 31)}`;
    const name = `${digits()}.${digits()}.${zone === '.' ? '' : zone}`;
    let seen = 0;
    let off = false;
    instance.starts.push(function* (): Co<void> {
      if (!(block.upstreams ?? []).some(u => mayReturn(instance, u))) return;
      for (let tries = 0; tries < 30 && !instance.stopped; tries++) {
        const got = yield* exchangeUdp(instance.p, ip('127.0.0.1'), newMessage(below(random, 65536), name, HINFO), {
          port: block.port,
          timeoutMs: 2000,
        });
        if (!failed(got)) {
          yield* sleep(instance.p, 2000);
          break;
        }
        seen = 0;
        yield* sleep(instance.p, 1000);
      }
      off = true;
    });
    const address = (a: Ip, port: number) => (a.length === 4 ? `${formatIp(a)}:${port}` : `[${formatIp(a)}]:${port}`);
    return function* (r, next) {
      if (r.type === HINFO && !off && inZone(r.name, zone)) {
        if (r.name === name) seen++;
        if (seen > 2) {
          instance.fatal(
            `plugin/loop: Loop (${address(r.client, r.clientPort)} -> :${block.port}) detected for zone "${zone}", see https://coredns.io/plugins/loop#troubleshooting. Query: "HINFO ${name}"`,
          );
          return { reply: null, drop: true };
        }
      }
      return yield* next(r);
    };
  },
};

// Taking queries and handing them to the block that serves their name (coredns 1.14.2, core/dnsserver/server.go).
import { accept, bind, close, listen, recv, recvFrom, type Socket, send, sendTo, socket } from '../linux/socket.ts';
import { concat } from '../sim/bytes.ts';
import { goQuote } from '../sim/quote.ts';
import { type Co, startTask, type Task } from '../sim/task.ts';
import type { DnsMessage, Rcode } from '../wire/dns.ts';
import { encodeMessage, encodeSparingly, frameForTcp, replyTo } from '../wire/dns-codec.ts';
import { formatIp, type Ip, sameIp } from '../wire/ip.ts';
import { acceptMessage } from './accept.ts';
import { withEdns } from './edns.ts';
import { increase } from './metrics.ts';
import { report, sizeOfMessage } from './report.ts';
import { type Block, type Instance, type Outcome, Panic, type Request } from './types.ts';

function* walk(block: Block, r: Request, from: number): Co<Outcome> {
  const link = block.chain[from];
  // plugin.NextOrFailure: the last link has nobody to hand on to.
  if (!link) return { reply: null, rcode: 'SERVFAIL', error: `plugin/${block.chain[from - 1].name}: no next plugin found` };
  return yield* link.handle(r, q => walk(block, q, from + 1));
}

/** Where one server listens; null: on all addresses. */
interface Place {
  ip: Ip | null;
  port: number;
}

const placeText = ({ ip, port }: Place) => `${ip ? (ip.length === 16 ? `[${formatIp(ip)}]` : formatIp(ip)) : ''}:${port}`;

function places(instance: Instance): Place[] {
  const out = new Map<string, Place>();
  for (const b of instance.blocks) {
    for (const { transport, port } of b.keys) {
      // Encrypted transports are not modelled: their ports stay closed.
      if (transport !== 'dns') continue;
      for (const ip of b.listen.length ? b.listen : [null]) out.set(placeText({ ip, port }), { ip, port });
    }
  }
  return [...out.values()];
}

const ERRORS: Record<string, string> = {
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EADDRINUSE: 'address already in use',
};

/** Open every port. -> what the real one prints when one is not to be had */
export function startServing(instance: Instance, tasks: Task<unknown>[]): string | null {
  const { p } = instance;
  const start = (co: Co<unknown>) => void tasks.push(startTask(instance.server.sim, co, true));
  for (const place of places(instance)) {
    const family = place.ip?.length === 4 ? 4 : 6;
    const udp = socket(p, 'udp', family);
    const tcp = socket(p, 'tcp', family);
    if (typeof udp === 'string' || typeof tcp === 'string') return `Listen: ${udp}`;
    instance.stops.push(() => {
      close(udp);
      close(tcp);
    });
    const stream = bind(tcp, place.ip, place.port) ?? listen(tcp);
    const failed = stream ?? bind(udp, place.ip, place.port);
    if (failed) return `Listen: listen ${stream ? 'tcp' : 'udp'} ${placeText(place)}: bind: ${ERRORS[failed] ?? failed}`;
    start(serveUdp(instance, udp, place));
    start(serveTcp(instance, tcp, place));
  }
  return null;
}

/** What plugins do beside answering. */
export function startPlugins(instance: Instance, tasks: Task<unknown>[]): void {
  for (const s of instance.starts) tasks.push(startTask(instance.server.sim, s(), true));
}

function* serveUdp(instance: Instance, s: Socket, place: Place): Co<void> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') return;
    if (d.error) continue;
    const query = acceptMessage(d.data);
    if (!query) continue;
    if (query.response) {
      sendTo(s, encodeMessage(query), d.from, d.fromPort, { src: d.to });
      continue;
    }
    startTask(
      instance.server.sim,
      (function* (): Co<void> {
        const reply = yield* answer(instance, place, query, { client: d.from, clientPort: d.fromPort, local: d.to, proto: 'udp' });
        if (!reply) return;
        const limit = Math.max(512, query.edns?.udpSize ?? 512);
        sendTo(s, encodeSparingly(reply, limit, d.from.length === 4 ? 1480 : 1220), d.from, d.fromPort, { src: d.to });
      })(),
      true,
    );
  }
}

function* serveTcp(instance: Instance, s: Socket, place: Place): Co<void> {
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return;
    startTask(instance.server.sim, tcpClient(instance, c, place), true);
  }
}

function* tcpClient(instance: Instance, c: Socket, place: Place): Co<void> {
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = yield* recv(c, 8000);
    if (typeof chunk === 'string' || !chunk.length) break;
    held = concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + ((held[0] << 8) | held[1])) {
      const n = (held[0] << 8) | held[1];
      const query = acceptMessage(held.subarray(2, 2 + n));
      held = held.subarray(2 + n);
      if (!query) continue;
      if (query.response) {
        yield* send(c, frameForTcp(encodeMessage(query)));
        continue;
      }
      const reply = yield* answer(instance, place, query, {
        client: c.remote as Ip,
        clientPort: c.remotePort,
        local: c.local as Ip,
        proto: 'tcp',
      });
      if (reply) yield* send(c, frameForTcp(encodeSparingly(reply, 65535)));
    }
  }
  close(c);
}

function isHere(b: Block, place: Place): boolean {
  if (!b.keys.some(k => k.transport === 'dns' && k.port === place.port)) return false;
  return !place.ip || b.listen.some(a => sameIp(a, place.ip as Ip));
}

const BADVERS = 'RCODE16';

/** ServeDNS: the longest zone whose view takes the query; nobody for the name is REFUSED. */
function* answer(
  instance: Instance,
  place: Place,
  query: DnsMessage,
  from: Pick<Request, 'client' | 'clientPort' | 'local' | 'proto'>,
): Co<DnsMessage | null> {
  const q = query.questions[0];
  const finished = (reply: DnsMessage) => withEdns(query, reply, instance.ednsOptions);
  const server = `dns://${placeText(place)}`;
  const here = instance.blocks.filter(b => isHere(b, place));
  const name = q.name.toLowerCase();
  const r: Request = {
    ...from,
    server,
    message: { query },
    localPort: place.port,
    query,
    name,
    type: q.type,
    startedAtMs: instance.server.sim.nowMs,
    notes: new Map(),
  };
  if (q.class !== 'IN' && !here.some(b => b.chaos)) return finished(dropped(instance, r));
  // plugin/pkg/edns Version: an unknown version ends it at once, with an OPT record and nothing else.
  if (query.edns?.version) return { ...replyTo(query, BADVERS), edns: { udpSize: 0, version: 0, dnssecOk: false, options: [] } };
  let outcome: Outcome;
  try {
    outcome = yield* dispatch(here, place.port, r);
  } catch (e) {
    if (!(e instanceof Panic)) throw e;
    instance.log('ERROR', `Recovered from panic in server: ${goQuote(server)} ${e.message}`);
    increase(instance.metrics, 'coredns_panics_total');
    return finished(dropped(instance, r, 'SERVFAIL'));
  }
  if (outcome === NOBODY) return finished(dropped(instance, r));
  if (outcome.drop) return null;
  return finished(outcome.reply ?? replyTo(query, outcome.rcode ?? 'SERVFAIL'));
}

/** Nobody is there for the name. */
const NOBODY: Outcome = { reply: null, rcode: 'REFUSED' };

/** errorAndMetricsFunc: refused before any plugin has seen it. */
function dropped({ metrics }: Instance, r: Request, rcode: Rcode = 'REFUSED'): DnsMessage {
  const reply = replyTo(r.query, rcode);
  report(metrics, r, { zone: 'dropped', view: '', rcode, plugin: '', size: sizeOfMessage(reply), ms: 0 });
  return reply;
}

/** The block whose zone is the longest that the name is in, and whose view takes the query. */
function* dispatch(blocks: Block[], port: number, r: Request): Co<Outcome> {
  const { name } = r;
  const match = (z: string) => z === '.' || name === z || name.endsWith(`.${z}`);
  let best: { block: Block; zone: string } | null = null;
  for (const block of blocks) {
    for (const { zone, ...key } of block.keys) {
      if (key.transport !== 'dns' || key.port !== port || !match(zone) || (best && zone.length <= best.zone.length)) continue;
      if (!block.view || block.view.takes(r)) best = { block, zone };
    }
  }
  // A block without any plugin is as good as none.
  if (!best?.block.chain.length) return NOBODY;
  return yield* walk(best.block, { ...r, zone: best.zone, view: best.block.view?.name }, 0);
}

/** upstream.Lookup: a plugin's own question goes through the whole server again, and always has an answer. */
export function* resolve(instance: Instance, r: Request): Co<Outcome> {
  const outcome = yield* dispatch(instance.blocks, r.localPort, { ...r, message: { query: r.query }, notes: new Map(r.notes) });
  if (outcome.drop) return outcome;
  const reply = outcome.reply ?? replyTo(r.query, outcome.rcode ?? 'SERVFAIL');
  return { ...outcome, reply: withEdns(r.query, reply, instance.ednsOptions) };
}

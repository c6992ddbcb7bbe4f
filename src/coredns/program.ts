// The coredns program: reads its Corefile, sets up blocks and plugins, answers UDP and TCP, and starts again when the file changes.

import type { ApiServer } from '../apiserver/types.ts';
import { complain, print } from '../linux/process.ts';
import { accept, bind, close, listen, recv, recvFrom, type Socket, send, sendTo, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { listDir, readFile } from '../linux/vfs.ts';
import { bytesToString, concat } from '../sim/bytes.ts';
import { type Co, killTask, startTask, type Task, type WaitQueue, waitOn, wakeAll } from '../sim/task.ts';
import type { DnsMessage } from '../wire/dns.ts';
import { decodeMessage, encodeSparingly, frameForTcp, replyTo } from '../wire/dns-codec.ts';
import type { Ip } from '../wire/ip.ts';
import { parseCorefile } from './corefile.ts';
import { PLUGINS, UNMODELLED } from './plugins.ts';
import { type Block, CorefileError, type Instance, type Outcome, type Request } from './types.ts';
import { expandZone } from './zones.ts';

const VERSION = '1.14.2';

export function corednsProgram(server: ApiServer): Program {
  return function* coredns(p: Process): Co<number> {
    const at = p.argv.indexOf('-conf');
    const path = at > 0 ? p.argv[at + 1] : '/Corefile';
    print(p, 'maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined\n');
    const first = load(server, p, path);
    if (typeof first === 'string') {
      complain(p, `${first}\n`);
      return 1;
    }
    let instance = first;
    const changed: WaitQueue = new Set();
    let pending: Instance | null = null;
    const tasks: Task<unknown>[] = [];
    let died = false;
    const watch = (i: Instance) => {
      i.fatal = text => {
        if (!died) i.log('FATAL', text);
        died = true;
        wakeAll(changed);
      };
      i.changed = () => {
        i.log('INFO', 'Reloading');
        const next = load(server, p, path);
        if (typeof next === 'string') {
          i.log('ERROR', `Restart failed: ${next}`);
          i.log('ERROR', `plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: ${next}`);
          return;
        }
        pending = next;
        wakeAll(changed);
      };
    };
    p.onSignal.set('TERM', () => {
      print(p, `[INFO] SIGTERM: Shutting down servers then terminating\n`);
      stop(instance, tasks);
      if (p.task) killTask(p.task, 0);
    });
    try {
      for (;;) {
        watch(instance);
        const failure = run(instance, tasks);
        if (failure) {
          complain(p, `${failure}\n`);
          return 1;
        }
        for (const b of instance.blocks) print(p, b.zones.map(z => `${z === '.' ? '.' : z}:${b.port}\n`).join(''));
        print(p, `CoreDNS-${VERSION}\nlinux/amd64, go1.26.0, \n`);
        while (!pending && !died) yield* waitOn(server.sim, [changed]);
        if (died || !pending) return 1;
        stop(instance, tasks);
        instance = pending;
        pending = null;
        instance.log('INFO', 'Reloading complete');
      }
    } finally {
      stop(instance, tasks);
    }
  };
}

/** -> the instance, or what the real one prints before it gives up */
function load(server: ApiServer, p: Process, path: string): Instance | string {
  const data = readFile(p.fs, path, p);
  if (typeof data === 'string') return `open ${path}: no such file or directory`;
  const instance: Instance = {
    p,
    server,
    corefilePath: path,
    blocks: [],
    starts: [],
    stops: [],
    unready: new Set(),
    stopped: false,
    fatal: () => {},
    log: (level, text) => void print(p, `[${level}] ${text}\n`),
    resolve: (block, r) => walk(block, r, 0),
  };
  try {
    const files = (glob: string) => importFiles(p, path, glob);
    for (const raw of parseCorefile(bytesToString(data), name => p.env.get(name) ?? '', files)) {
      const keys = raw.keys.map(k => parseKey(k));
      const block: Block = {
        zones: keys.flatMap(k => k.zones),
        port: keys[0]?.port ?? 53,
        directives: raw.directives,
        chain: [],
        instance,
      };
      instance.blocks.push(block);
      for (const d of raw.directives) {
        if (!PLUGINS.some(x => x.name === d.name) && !UNMODELLED.has(d.name))
          throw new CorefileError(d.line, `Error during parsing: Unknown directive '${d.name}'`);
      }
      setUp(instance, block);
    }
  } catch (e) {
    if (!(e instanceof CorefileError)) throw e;
    if (e.line === 0) return e.message;
    return /^(Error|plugin)/.test(e.message)
      ? `${prefixOf(e.message)}${path}:${e.line} - ${e.message.replace(/^plugin\/\w+: /, '')}`
      : `${path}:${e.line} - Error during parsing: ${e.message}`;
  }
  return instance;
}

const prefixOf = (message: string) => /^plugin\/\w+: /.exec(message)?.[0] ?? '';

function importFiles(p: Process, corefile: string, glob: string): { path: string; text: string }[] {
  const full = glob.startsWith('/') ? glob : `${corefile.replace(/\/[^/]*$/, '')}/${glob}`;
  const dir = full.replace(/\/[^/]*$/, '') || '/';
  const pattern = new RegExp(
    `^${full
      .slice(dir.length + 1)
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replace(/\*/g, '[^/]*')
      .replace(/\?/g, '[^/]')}$`,
  );
  const entries = listDir(p.fs, dir, p);
  if (typeof entries === 'string') return [];
  return [...entries.keys()]
    .filter(n => pattern.test(n))
    .sort()
    .flatMap(n => {
      const data = readFile(p.fs, `${dir}/${n}`, p);
      return typeof data === 'string' ? [] : [{ path: `${dir}/${n}`, text: bytesToString(data) }];
    });
}

function parseKey(key: string): { zones: string[]; port: number } {
  const m = /^(.*?)(?::(\d+))?$/.exec(key) as RegExpExecArray;
  return { zones: expandZone(m[1] || '.'), port: Number(m[2] ?? 53) };
}

function setUp(instance: Instance, block: Block): void {
  for (const plugin of PLUGINS) {
    const all = block.directives.filter(d => d.name === plugin.name);
    for (const directive of plugin.many ? all : all.slice(0, 1)) {
      const handle = wrapped(plugin.name, () => plugin.setup({ block, instance, directive, all }));
      if (handle) block.chain.push({ name: plugin.name, handle });
    }
  }
  const unmodelled = block.directives.filter(d => UNMODELLED.has(d.name)).map(d => d.name);
  if (unmodelled.length) instance.log('WARNING', `podnet does not model the plugins: ${[...new Set(unmodelled)].join(', ')}`);
}

/** Errors of a plugin's setup carry its name in front: `plugin/forward: …`. */
function wrapped<T>(name: string, f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (e instanceof CorefileError && !e.message.startsWith('plugin/'))
      throw new CorefileError(e.line, e.line === 0 ? `plugin/${name}: ${e.message}` : `plugin/${name}: Error during parsing: ${e.message}`);
    throw e;
  }
}

function* walk(block: Block, r: Request, from: number): Co<Outcome> {
  const link = block.chain[from];
  if (!link) {
    // plugin.NextOrFailure: the last link has nobody to hand on to; a block without any plugin refuses.
    if (from === 0) return { reply: null, rcode: 'REFUSED' };
    return { reply: null, rcode: 'SERVFAIL', error: `plugin/${block.chain[from - 1].name}: no next plugin found` };
  }
  return yield* link.handle(r, q => walk(block, q, from + 1));
}

// -- serving

function run(instance: Instance, tasks: Task<unknown>[]): string | null {
  const { p } = instance;
  const start = (co: Co<unknown>) => void tasks.push(startTask(instance.server.sim, co, true));
  for (const port of new Set(instance.blocks.map(b => b.port))) {
    const udp = socket(p, 'udp', 6);
    const tcp = socket(p, 'tcp', 6);
    if (typeof udp === 'string' || typeof tcp === 'string') return `Listen: ${udp}`;
    const failed = bind(udp, null, port) ?? bind(tcp, null, port) ?? listen(tcp);
    if (failed) return `Listen: listen udp :${port}: bind: ${failed === 'EACCES' ? 'permission denied' : 'address already in use'}`;
    instance.stops.push(() => {
      close(udp);
      close(tcp);
    });
    start(serveUdp(instance, udp, port));
    start(serveTcp(instance, tcp, port));
  }
  for (const s of instance.starts) start(s());
  return null;
}

function stop(instance: Instance, tasks: Task<unknown>[]): void {
  instance.stopped = true;
  for (const t of tasks.splice(0)) killTask(t, undefined as unknown);
  for (const s of instance.stops.splice(0)) s();
}

function* serveUdp(instance: Instance, s: Socket, port: number): Co<void> {
  for (;;) {
    const d = yield* recvFrom(s);
    if (typeof d === 'string') return;
    if (d.error) continue;
    const query = decodeMessage(d.data);
    if (!query || query.response) continue;
    startTask(
      instance.server.sim,
      (function* (): Co<void> {
        const reply = yield* answer(instance, port, query, { client: d.from, clientPort: d.fromPort, local: d.to, proto: 'udp' });
        if (reply)
          sendTo(
            s,
            encodeSparingly(reply, Math.max(512, query.edns?.udpSize ?? 512), d.from.length === 4 ? 1480 : 1220),
            d.from,
            d.fromPort,
            { src: d.to },
          );
      })(),
      true,
    );
  }
}

function* serveTcp(instance: Instance, s: Socket, port: number): Co<void> {
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return;
    startTask(instance.server.sim, tcpClient(instance, c, port), true);
  }
}

function* tcpClient(instance: Instance, c: Socket, port: number): Co<void> {
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = yield* recv(c, 8000);
    if (typeof chunk === 'string' || !chunk.length) break;
    held = concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + ((held[0] << 8) | held[1])) {
      const n = (held[0] << 8) | held[1];
      const query = decodeMessage(held.subarray(2, 2 + n));
      held = held.subarray(2 + n);
      if (!query) continue;
      const reply = yield* answer(instance, port, query, {
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

/** core/dnsserver/server.go ServeDNS: the longest zone wins; nobody for the name is REFUSED. */
function* answer(
  instance: Instance,
  port: number,
  query: DnsMessage,
  from: Pick<Request, 'client' | 'clientPort' | 'local' | 'proto'>,
): Co<DnsMessage | null> {
  const q = query.questions[0];
  if (!q) return replyTo(query, 'SERVFAIL');
  const name = q.name.toLowerCase();
  const r: Request = { ...from, query, name, type: q.type, startedAtMs: instance.server.sim.nowMs, notes: new Map() };
  const match = (z: string) => z === '.' || name === z || name.endsWith(`.${z}`);
  let best: { block: Block; zone: string } | null = null;
  for (const block of instance.blocks) {
    if (block.port !== port) continue;
    for (const zone of block.zones) if (match(zone) && (!best || zone.length > best.zone.length)) best = { block, zone };
  }
  if (!best) return withEdns(query, replyTo(query, 'REFUSED'));
  const outcome = yield* walk(best.block, r, 0);
  if (outcome.drop) return null;
  return withEdns(query, outcome.reply ?? replyTo(query, outcome.rcode ?? 'SERVFAIL'));
}

/** supportedOptions of request/request.go: NSID, EXPIRE, COOKIE, TCP KEEPALIVE and PADDING go back as they came. */
const ECHOED = new Set([3, 9, 10, 11, 12]);

/** request.SizeAndDo: an OPT record goes back when one came, with the client's size; its flags are cleared. */
function withEdns(query: DnsMessage, reply: DnsMessage): DnsMessage {
  const e = query.edns;
  return {
    ...reply,
    edns: e && { udpSize: e.udpSize, dnssecOk: e.dnssecOk, version: 0, options: e.options.filter(o => ECHOED.has(o.code)) },
  };
}

// From the Corefile to server blocks with their chains of plugins (coredns 1.14.2: core/dnsserver/register.go; caddy v1.1, caddy.go).
import type { ApiServer } from '../apiserver/types.ts';
import { print } from '../linux/process.ts';
import type { Process } from '../linux/types.ts';
import { listDir, readFile } from '../linux/vfs.ts';
import { bytesToString } from '../sim/bytes.ts';
import { isDnsName } from '../wire/dns-codec.ts';
import { formatIp } from '../wire/ip.ts';
import { parseCorefile, type ServerBlock, type Surroundings } from './corefile.ts';
import { keptFor, type Memory } from './memory.ts';
import { IDLE, PLUGINS, UNMODELLED } from './plugins.ts';
import { resolve } from './serve.ts';
import { type Block, CorefileError, type Instance, type Setup, type Transport } from './types.ts';
import { expandZone } from './zones.ts';

/** A Corefile without any server block stands for this one. */
const DEFAULT_COREFILE = '.:53 {\nwhoami\nlog\n}\n';

const isKnown = (name: string): boolean =>
  PLUGINS.some(p => p.name === name) || Object.hasOwn(IDLE, name) || Object.hasOwn(UNMODELLED, name);

/** -> the instance, or what the real one prints before it gives up */
export function loadCorefile(server: ApiServer, p: Process, path: string, memory: Memory): Instance | string {
  const data = readFile(p.fs, path, p);
  if (typeof data === 'string') return `open ${path}: no such file or directory`;
  const text = bytesToString(data);
  const instance: Instance = {
    p,
    server,
    corefilePath: path,
    corefile: text,
    blocks: [],
    serverBlocks: [],
    starts: [],
    banners: [],
    stops: [],
    finals: [],
    dues: [],
    gathers: [],
    endpoints: new Set(),
    unready: new Set(),
    stopped: false,
    ednsOptions: new Set(),
    metrics: memory.metrics,
    keeps: new Map(),
    kept: keptFor(memory, text),
    fatal: () => {},
    // A process that has ended says nothing more, whatever was under way.
    log: (level, text) => {
      if (p.exitCode === null) print(p, `[${level}] ${text}\n`);
    },
    resolve: r => resolve(instance, r),
    parse: corefile => parseOnly(p, path, corefile),
  };
  try {
    const around = surroundings(p, path, isKnown, text => instance.log('WARNING', text));
    let raw = parseCorefile(text, around);
    if (!raw.length) raw = parseCorefile(DEFAULT_COREFILE, around);
    instance.serverBlocks = raw;
    instance.blocks = raw.map(b => newBlock(instance, b.keys, b.directives));
    setUp(instance);
    checkOverlap(instance.blocks);
  } catch (e) {
    if (!(e instanceof CorefileError)) throw e;
    return describe(e, path);
  }
  return instance;
}

function surroundings(p: Process, path: string, known: Surroundings['known'], warn: Surroundings['warn']): Surroundings {
  return {
    path,
    env: name => p.env.get(name) ?? (name === 'HOSTNAME' ? p.netns.kernel.hostname : ''),
    files: glob => importFiles(p, path, glob),
    known,
    warn,
  };
}

/** Only the syntax. */
function parseOnly(p: Process, path: string, text: string): ServerBlock[] | string {
  try {
    return parseCorefile(
      text,
      surroundings(
        p,
        path,
        () => true,
        () => {},
      ),
    );
  } catch (e) {
    if (!(e instanceof CorefileError)) throw e;
    return describe(e, path);
  }
}

const prefixOf = (message: string) => /^plugin\/\w+: /.exec(message)?.[0] ?? '';

function describe(e: CorefileError, path: string): string {
  if (e.line === 0) return e.message;
  const place = `${e.file ?? path}:${e.line} - `;
  if (/^(Error|Syntax error|plugin)/.test(e.message)) return `${prefixOf(e.message)}${place}${e.message.replace(/^plugin\/\w+: /, '')}`;
  return `${place}Error during parsing: ${e.message}`;
}

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

// -- addresses of a block

const PORTS: Record<Transport, number> = { dns: 53, tls: 853, quic: 853, grpc: 443, https: 443, https3: 443 };
const LONGEST_ZONE = 255;

/** plugin.SplitHostPort behind parse.Transport: `tls://example.org:853`, `10.0.0.0/8`. */
function parseKey(key: string): { transport: Transport; zones: string[]; port: number } {
  const bad = (why: string) => new CorefileError(0, `error inspecting server blocks: ${why}`);
  const scheme = /^(dns|tls|quic|grpc|https|https3):\/\//.exec(key)?.[1] as Transport | undefined;
  const transport = scheme ?? 'dns';
  const rest = scheme ? key.slice(scheme.length + 3) : key;
  if (rest.endsWith(':')) throw bad(`expecting data after last colon: "${rest}"`);
  const numbered = /^(.*):([-+]?\d+)$/.exec(rest);
  const host = numbered ? numbered[1] : rest;
  if (host.length > LONGEST_ZONE) throw bad(`specified zone is too long: ${host.length} > ${LONGEST_ZONE}`);
  // A dot with something behind it begins with an empty label.
  if (host !== '' && (!isDnsName(host) || (host.startsWith('.') && host !== '.'))) throw bad(`zone is not a valid domain name: ${host}`);
  return { transport, zones: expandZone(host || '.'), port: numbered ? Number(numbered[2]) : PORTS[transport] };
}

function newBlock(instance: Instance, keys: string[], directives: Block['directives']): Block {
  const parsed = keys.map(parseKey).flatMap(({ zones, ...rest }) => zones.map(zone => ({ zone, ...rest })));
  return {
    keys: parsed,
    zones: [...new Set(parsed.map(k => k.zone))],
    port: parsed[0].port,
    listen: [],
    directives,
    chain: [],
    instance,
  };
}

/** zoneAddr.String, and on which addresses. */
function checkOverlap(blocks: Block[]): void {
  const taken = new Set<string>();
  for (const b of blocks) {
    for (const { zone, transport, port } of b.keys) {
      for (const host of b.listen.length ? b.listen.map(formatIp) : ['']) {
        const key = `${transport}://${zone}:${port}${host ? ` on ${host}` : ''}`;
        if (taken.has(key)) throw new CorefileError(0, `cannot serve ${key} - it is already defined`);
        if (!b.view) taken.add(key);
      }
    }
  }
}

// -- plugins

/** One plugin after the other, each in every block that names it: so the first mistake reported is that of the first plugin. */
function setUp(instance: Instance): void {
  for (const plugin of PLUGINS) {
    for (const block of instance.blocks) {
      const all = block.directives.filter(d => d.name === plugin.name);
      for (const directive of plugin.many ? all : all.slice(0, 1)) {
        const place = `${instance.blocks.indexOf(block)}/${plugin.name}/${all.indexOf(directive)}`;
        const keep: Setup['keep'] = save => {
          instance.keeps.set(place, save);
          return instance.kept[place];
        };
        const handle = wrapped(plugin.name, () => plugin.setup({ block, instance, directive, all, keep }));
        if (handle) block.chain.push({ name: plugin.name, handle });
      }
    }
  }
  const unmodelled = new Set<string>();
  for (const block of instance.blocks) {
    for (const d of block.directives) {
      if (Object.hasOwn(IDLE, d.name)) wrapped(d.name, () => IDLE[d.name](d, instance));
      if (!Object.hasOwn(UNMODELLED, d.name)) continue;
      wrapped(d.name, () => UNMODELLED[d.name](d, instance));
      // Without a directory of zone files there is nothing that auto would answer.
      if (d.name !== 'auto' || d.body.some(p => p.name === 'directory')) unmodelled.add(d.name);
    }
  }
  if (unmodelled.size) instance.log('WARNING', `podnet does not model the plugins: ${[...unmodelled].join(', ')}`);
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

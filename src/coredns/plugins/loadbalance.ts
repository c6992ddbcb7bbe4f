// plugin/loadbalance (coredns 1.14.2): aliases first, then addresses in a new order, the rest as it was.
import { sleep } from '../../linux/process.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { below } from '../../sim/random.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import { fqdn } from '../../wire/dns-codec.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import { argumentError, CorefileError, type Instance, type Plugin, plainError, type Setup } from '../types.ts';
import { durationMs } from '../values.ts';

type Order = (addresses: DnsRecord[]) => DnsRecord[];

const isAddress = (r: DnsRecord) => r.type === 'A' || r.type === 'AAAA';

function reordered(records: DnsRecord[], order: Order): DnsRecord[] {
  const addresses = records.filter(isAddress);
  const rest = records.filter(x => x.type !== 'CNAME' && x.type !== 'MX' && !isAddress(x));
  return [...records.filter(x => x.type === 'CNAME'), ...rest, ...order(addresses), ...records.filter(x => x.type === 'MX')];
}

const shuffled =
  (instance: Instance): Order =>
  addresses => {
    const out = [...addresses];
    for (let i = out.length - 1; i > 0; i--) {
      const k = below(instance.server.sim.random, i + 1);
      [out[i], out[k]] = [out[k], out[i]];
    }
    return out;
  };

/** Name -> address -> weight. */
type Weights = Map<string, Map<string, number>>;

const HEAVIEST = 255;

/** The weight file: a name on its line, below it its addresses with their weights. -> the error's text when it is none */
function parseWeights(text: string, path: string): Weights | string {
  const out: Weights = new Map();
  let current: Map<string, number> | null = null;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (!line || line.startsWith('#')) continue;
    const [first, weight, ...more] = line.split(/\s+/);
    const ip = parseIp(first);
    if (more.length) return `could not parse weight line:"${line}" in weight file ${path}`;
    if (weight === undefined) {
      if (ip) return `wrong domain name:"${first}" in weight file ${path}. (Maybe a missing weight value?)`;
      current = out.get(fqdn(first)) ?? new Map();
      out.set(fqdn(first), current);
      continue;
    }
    if (!ip) return `wrong IP address:"${first}" in weight file ${path}`;
    const n = /^\d+$/.test(weight) ? Number(weight) : 0;
    if (n < 1 || n > HEAVIEST) return `wrong weight value:"${weight}" in weight file ${path}`;
    if (!current) return `missing domain name in weight file ${path}`;
    current.set(formatIp(ip), n);
  }
  return out;
}

/** One of the addresses, drawn by weight, changes places with the first. */
const weighted =
  (instance: Instance, weights: () => Weights): Order =>
  addresses => {
    const heavy = addresses.map(
      r =>
        weights()
          .get(r.name)
          ?.get('ip' in r.data ? formatIp(r.data.ip) : '') ?? 1,
    );
    let left = below(
      instance.server.sim.random,
      heavy.reduce((a, b) => a + b, 0),
    );
    // Upstream looks at the heaviest first.
    const byWeight = addresses.map((_, i) => i).sort((a, b) => heavy[b] - heavy[a]);
    const top = byWeight.find(i => (left -= heavy[i]) < 0) ?? 0;
    const out = [...addresses];
    [out[0], out[top]] = [out[top], out[0]];
    return out;
  };

const RELOAD_MS = 30_000;

function weightedOrder({ instance, directive: d }: Setup): Order {
  const [, file, ...more] = d.args;
  if (file === undefined) throw new CorefileError(d.line, 'missing weight file argument');
  if (more.length) throw new CorefileError(d.line, 'unexpected argument(s)');
  let everyMs = RELOAD_MS;
  for (const p of d.body) {
    if (p.name !== 'reload') throw new CorefileError(p.line, `unknown property '${p.name}'`);
    if (!p.args.length) throw new CorefileError(p.line, 'missing argument for "reload"');
    if (p.args.length > 1) throw argumentError(p);
    const ms = durationMs(p.args[0]);
    if (ms === null) throw new CorefileError(p.line, `invalid reload duration '${p.args[0]}'`);
    everyMs = ms;
  }
  const path = file.startsWith('/') ? file : `${instance.p.cwd}/${file}`;
  let weights: Weights = new Map();
  let before: string | null = null;
  const load = (): string | null => {
    const data = readFile(instance.p.fs, path, instance.p);
    if (typeof data === 'string') return 'failed to open weight file';
    const text = bytesToString(data);
    if (text === before) return null;
    before = text;
    const read = parseWeights(text, path);
    if (typeof read === 'string') return read;
    weights = read;
    instance.log('INFO', `plugin/loadbalance: Successfully reloaded weight file ${path}`);
    return null;
  };
  const failed = load();
  if (failed && everyMs && before === null)
    instance.log('WARNING', `plugin/loadbalance: Failed to open weight file:${failed}. Will try again in ${everyMs / 1000}s`);
  else if (failed) throw plainError(failed);
  if (everyMs)
    instance.starts.push(function* () {
      while (!instance.stopped) {
        yield* sleep(instance.p, everyMs);
        const why = load();
        if (why) instance.log('ERROR', `plugin/loadbalance: ${why}`);
      }
    });
  return weighted(instance, () => weights);
}

export const loadbalance: Plugin = {
  name: 'loadbalance',
  setup: s => {
    const { instance, directive } = s;
    const [policy, ...rest] = directive.args;
    if (policy !== undefined && policy !== 'round_robin' && policy !== 'weighted') throw plainError(`unknown policy: ${policy}`);
    if (policy === 'round_robin' && rest.length) throw new CorefileError(directive.line, 'unknown property for round_robin');
    const order = policy === 'weighted' ? weightedOrder(s) : shuffled(instance);
    return function* (r, next) {
      const outcome = yield* next(r);
      const { reply } = outcome;
      if (reply?.rcode !== 'NOERROR' || r.type === 'AXFR') return outcome;
      if (policy === 'weighted' && !['A', 'AAAA', 'SRV'].includes(r.type)) return outcome;
      const each = (records: DnsRecord[]) => (policy === 'weighted' && !records.some(isAddress) ? records : reordered(records, order));
      return { ...outcome, reply: { ...reply, answers: each(reply.answers), additional: each(reply.additional) } };
    };
  },
};

// plugin/hosts (coredns 1.14.2): addresses from a hosts file and from lines in the Corefile.
import { sleep } from '../../linux/process.ts';
import { listDir, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import { fqdn, replyTo } from '../../wire/dns-codec.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import { setGauge } from '../metrics.ts';
import { CorefileError, ONCE, type Plugin, plainError, type Setup } from '../types.ts';
import { durationMs } from '../values.ts';
import { addressOfReverse, fallsThrough, longestZone, zoneName, zonesOf } from '../zones.ts';

interface Hosts {
  /** Name -> its addresses in the file's order. */
  addresses: Map<string, Ip[]>;
  names: Map<string, string[]>;
}

interface Options {
  path: string;
  origins: string[];
  fall: string[] | null;
  ttl: number;
  reverse: boolean;
  reloadMs: number;
  inline: string[];
}

function options({ instance, directive: d, block, all }: Setup): Options {
  if (all.length > 1) throw plainError(ONCE);
  const o: Options = { path: '/etc/hosts', origins: [], fall: null, ttl: 3600, reverse: true, reloadMs: 5000, inline: [] };
  if (d.args.length) {
    o.path = d.args[0];
    if (typeof listDir(instance.p.fs, o.path, instance.p) !== 'string')
      instance.log('WARNING', `plugin/hosts: Hosts file "${o.path}" is a directory`);
    else if (typeof readFile(instance.p.fs, o.path, instance.p) === 'string')
      instance.log('WARNING', `plugin/hosts: File does not exist: ${o.path}`);
  }
  o.origins = zonesOf(d.args.slice(1), block.zones);
  for (const p of d.body) {
    if (p.name === 'fallthrough') o.fall = p.args.map(zoneName);
    else if (p.name === 'no_reverse') o.reverse = false;
    else if (p.name === 'ttl') {
      if (!p.args.length) throw new CorefileError(p.line, 'ttl needs a time in second');
      if (!/^[-+]?\d+$/.test(p.args[0])) throw new CorefileError(p.line, 'ttl needs a number of second');
      o.ttl = Number(p.args[0]);
      if (o.ttl <= 0 || o.ttl > 65535) throw new CorefileError(p.line, 'ttl provided is invalid');
    } else if (p.name === 'reload') {
      if (p.args.length !== 1) throw new CorefileError(p.line, 'reload needs a duration (zero seconds to disable)');
      const ms = durationMs(p.args[0]);
      if (ms === null) throw new CorefileError(p.line, `invalid duration for reload '${p.args[0]}'`);
      if (ms < 0) throw new CorefileError(p.line, `invalid negative duration for reload '${p.args[0]}'`);
      o.reloadMs = ms;
    } else if (o.fall?.length) throw new CorefileError(p.line, `unknown property '${p.name}'`);
    else o.inline.push([p.name, ...p.args].join(' '));
  }
  return o;
}

/** hostsfile.go parse: a line is an address and names; names outside the zones are left out, both ways. */
function read(into: Hosts, text: string, o: Options): void {
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const ip = parseIp(address ?? '');
    if (!ip || !names.length) continue;
    for (const raw of names) {
      const name = zoneName(raw);
      if (longestZone(name, o.origins) === undefined) continue;
      into.addresses.set(name, [...(into.addresses.get(name) ?? []), ip]);
      if (!o.reverse) continue;
      const key = formatIp(ip);
      into.names.set(key, [...(into.names.get(key) ?? []), name]);
    }
  }
}

export const hosts: Plugin = {
  name: 'hosts',
  setup: s => {
    const o = options(s);
    const { instance } = s;
    let known: Hosts;
    const load = () => {
      known = { addresses: new Map(), names: new Map() };
      const data = readFile(instance.p.fs, o.path, instance.p);
      if (typeof data !== 'string') read(known, bytesToString(data), o);
      read(known, o.inline.join('\n'), o);
      if (typeof data === 'string') return;
      const all = [...known.addresses.values(), ...known.names.values()];
      setGauge(
        instance.metrics,
        'coredns_hosts_entries',
        all.reduce((n, x) => n + x.length, 0),
        o.path,
      );
    };
    load();
    if (o.reloadMs)
      instance.starts.push(function* () {
        while (!instance.stopped) {
          yield* sleep(instance.p, o.reloadMs);
          load();
        }
      });
    return function* (r, next) {
      const inside = longestZone(r.name, o.origins) !== undefined;
      if (!inside && r.type !== 'PTR') return yield* next(r);
      const record = (data: DnsRecord['data']): DnsRecord => ({
        name: r.name,
        type: r.type as DnsRecord['type'],
        class: 'IN',
        ttl: o.ttl,
        data,
      });
      const all = known.addresses.get(r.name) ?? [];
      let answers: DnsRecord[] = [];
      if (r.type === 'PTR') {
        const names = known.names.get(addressOfReverse(r.name) ?? '') ?? [];
        if (!names.length) return yield* next(r);
        answers = names.map(n => record({ host: fqdn(n) }));
      } else if (r.type === 'A') answers = all.filter(ip => ip.length === 4).map(ip => record({ ip }));
      else if (r.type === 'AAAA') answers = all.filter(ip => ip.length === 16).map(ip => record({ ip }));
      if (!answers.length && !all.length) {
        if (fallsThrough(o.fall, r.name)) return yield* next(r);
        return { reply: null, rcode: 'SERVFAIL' }; // no SOA to say NXDOMAIN with
      }
      return { reply: { ...replyTo(r.query), aa: true, answers } };
    };
  },
};

// plugin/k8s_external (coredns 1.14.2): Services by the addresses that clients outside the cluster reach them at.
import { listObjects, watchBucket } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { fqdn, replyTo } from '../../wire/dns-codec.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import { argumentError, CorefileError, type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { addressOfReverse, fallsThrough, inZone, longestZone, zoneName, zonesOf } from '../zones.ts';
import { endpointsOf, exposed, type State } from './kubernetes.ts';

interface Options {
  zones: string[];
  ttl: number;
  apex: string;
  headless: boolean;
  fall: string[] | null;
  /** When a Service with an outside address last came, changed or went, in seconds; 0: not since CoreDNS began. */
  serial: number;
}

interface Service {
  host: string;
  key: string;
  port: number;
}

type Rcode = 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL';

function options({ all, block }: Setup): Options {
  const o: Options = { zones: [], ttl: 5, apex: 'dns', headless: false, fall: null, serial: 0 };
  for (const d of all) {
    o.zones = zonesOf(d.args, block.zones);
    for (const p of d.body) {
      if (p.name === 'ttl') {
        if (!p.args.length) throw argumentError(p);
        if (!/^[-+]?\d+$/.test(p.args[0])) throw plainError(`strconv.Atoi: parsing "${p.args[0]}": invalid syntax`);
        o.ttl = Number(p.args[0]);
        if (o.ttl < 0 || o.ttl > 3600) throw new CorefileError(p.line, `ttl must be in range [0, 3600]: ${o.ttl}`);
      } else if (p.name === 'apex') {
        if (!p.args.length) throw argumentError(p);
        o.apex = p.args[0];
      } else if (p.name === 'headless') o.headless = true;
      else if (p.name === 'fallthrough') o.fall = p.args.map(zoneName);
      else throw new CorefileError(p.line, `unknown property '${p.name}'`);
    }
  }
  return o;
}

/** object.Service.ExternalIPs: those of its spec, and what its load balancer was given. */
function externalIps(svc: KubeObject): string[] {
  const balancer = (svc.status?.loadBalancer?.ingress ?? []).map((i: { ip?: string; hostname?: string }) => i.ip || i.hostname || '');
  return [...(svc.spec?.externalIPs ?? []), ...balancer].filter(Boolean);
}

/** Kubernetes.External: the services of a name, or how it is not there. */
function services(k: State, o: Options, zone: string): { found: Service[]; rcode: Rcode } {
  const { r, instance } = k;
  const none = (rcode: Rcode) => ({ found: [], rcode });
  const ip = r.type === 'PTR' ? addressOfReverse(r.name) : null;
  if (ip !== null) {
    const names = listObjects(instance.server, 'services')
      .filter(s => externalIps(s).includes(ip) && (!k.o.namespaces || exposed(k, s.metadata.namespace ?? '')))
      .map(s => ({ host: `${s.metadata.name}.${s.metadata.namespace}.${o.zones[0]}`, key: '', port: 0 }));
    return names.length ? { found: names, rcode: 'NOERROR' } : none('NXDOMAIN');
  }
  const labels = (zone === '.' ? r.name.slice(0, -1) : r.name.slice(0, -zone.length - 1)).split('.');
  const namespace = labels.pop() as string;
  if (!exposed(k, namespace)) return none('NXDOMAIN');
  const service = labels.pop();
  if (service === undefined) return none('NOERROR');
  if (labels.length > 2) return none('NXDOMAIN');
  const endpoint = labels.length === 1 ? labels[0].replace(/^_/, '') : '';
  const [port, protocol] = labels.length === 2 ? labels.map(l => l.replace(/^_/, '')) : ['', ''];
  const wanted = (p: { name?: string; protocol?: string }) =>
    (!port || port === (p.name ?? '').toLowerCase()) && (!protocol || protocol === (p.protocol ?? 'TCP').toLowerCase());
  const found: Service[] = [];
  for (const svc of listObjects(instance.server, 'services', namespace)) {
    if (svc.metadata.name !== service || svc.spec?.type === 'ExternalName') continue;
    const key = `${service}.${namespace}.${zone}`;
    const external = externalIps(svc);
    if (o.headless && !external.length && (svc.spec?.clusterIP === 'None' || endpoint)) {
      for (const e of endpointsOf(k, namespace, service))
        if (!endpoint || e.hostname.toLowerCase() === endpoint)
          for (const p of e.ports) if (wanted(p)) found.push({ host: e.ip, key: `${e.hostname}.${key}`, port: p.port });
      continue;
    }
    for (const host of external) for (const p of svc.spec?.ports ?? []) if (wanted(p)) found.push({ host, key, port: p.port });
  }
  const rcode = found.length ? 'NOERROR' : 'NXDOMAIN';
  return { found: r.type === 'PTR' ? [] : found, rcode };
}

const record = (name: string, type: RrType, ttl: number, data: DnsRecord['data']): DnsRecord => ({ name, type, class: 'IN', ttl, data });
const join = (...labels: string[]) => labels.join('.').replace(/\.\.$/, '.');

function soa(o: Options, zone: string): DnsRecord {
  const data = {
    mname: join('ns1', o.apex, zone),
    rname: join('hostmaster', o.apex, zone),
    serial: o.serial,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: o.ttl,
  };
  return record(zone, 'SOA', o.ttl, data);
}

/** nsAddrs(external): the outside addresses of the Service that this very pod is behind. */
function ownExternal(k: State, o: Options, name: string): DnsRecord[] {
  const { p, server } = k.instance;
  const local = [...p.netns.links.values()]
    .flatMap(l => l.addresses)
    .filter(a => a.scope === 'global')
    .map(a => formatIp(a.ip));
  const found: string[] = [];
  let behind = false;
  for (const svc of listObjects(server, 'services')) {
    const eps = endpointsOf(k, svc.metadata.namespace ?? '', svc.metadata.name ?? '');
    if (!eps.some(e => local.includes(e.ip))) continue;
    behind = true;
    if (o.headless && svc.spec?.clusterIP === 'None') found.push(...eps.map(e => e.ip));
    else found.push(...externalIps(svc));
  }
  return (behind ? found : local).flatMap(text => {
    const ip = parseIp(text);
    return ip ? [record(name, ip.length === 4 ? 'A' : 'AAAA', o.ttl, { ip })] : [];
  });
}

/** serveApex and serveSubApex: the zone itself, `dns.` and `ns1.dns.` in it; null: an ordinary name. */
function apex(k: State, o: Options, zone: string): DnsMessage | null {
  const { r } = k;
  const reply = { ...replyTo(r.query), aa: true };
  const nodata = { ...reply, authority: [soa(o, zone)] };
  const ns1 = join('ns1', o.apex, zone);
  if (r.name === zone) {
    if (r.type === 'SOA') return { ...reply, answers: [soa(o, zone)] };
    if (r.type !== 'NS') return nodata;
    return { ...reply, answers: [record(zone, 'NS', o.ttl, { host: ns1 })], additional: ownExternal(k, o, ns1) };
  }
  const sub = join(o.apex, zone);
  if (!inZone(r.name, sub)) return null;
  if (r.name === sub) return nodata;
  if (r.name !== ns1) return { ...nodata, rcode: 'NXDOMAIN' };
  const answers = ownExternal(k, o, r.query.questions[0].name).filter(a => a.type === r.type);
  return answers.length ? { ...reply, answers } : nodata;
}

function* answers(k: State, o: Options, found: Service[]): Co<[DnsRecord[], DnsRecord[]]> {
  const { r } = k;
  const owner = r.query.questions[0].name;
  if (r.type === 'PTR') return [found.map(s => record(owner, 'PTR', o.ttl, { host: s.host })), []];
  const out = new Map<string, DnsRecord>();
  const additional = new Map<string, DnsRecord>();
  for (const s of found) {
    const ip = parseIp(s.host);
    const type = ip ? (ip.length === 4 ? 'A' : 'AAAA') : 'CNAME';
    if (r.type === 'A' || r.type === 'AAAA') {
      if (ip && type === r.type) out.set(s.host, record(owner, type, o.ttl, { ip }));
      if (ip || out.has(s.host)) continue;
      out.set(s.host, record(owner, 'CNAME', k.o.ttl, { host: fqdn(s.host) }));
      const m = yield* k.lookup(fqdn(s.host), r.type);
      for (const [i, a] of (m?.answers ?? []).entries()) out.set(`${s.host} ${i}`, a);
    } else if (r.type === 'SRV' && s.port !== -1) {
      const weight = Math.max(1, Math.floor(100 / found.length));
      const target = ip ? s.key : fqdn(s.host);
      out.set(`${target} ${s.port}`, record(owner, 'SRV', k.o.ttl, { priority: 0, weight, port: s.port, target }));
      if (ip) additional.set(`${target} ${s.host}`, record(target, type as 'A', o.ttl, { ip }));
    }
  }
  return [[...out.values()], [...additional.values()]];
}

export const k8s_external: Plugin = {
  name: 'k8s_external',
  setup: s => {
    const o = options(s);
    const { instance, block } = s;
    const outside = (svc: KubeObject | undefined) => svc !== undefined && externalIps(svc).length > 0;
    instance.stops.push(
      watchBucket(instance.server, 'services', e => {
        if (outside(e.object) || outside(e.old)) o.serial = Math.floor(instance.server.sim.nowMs / 1000);
      }),
    );
    const lookup = (r: Request) =>
      function* (name: string, type: RrType): Co<DnsMessage | null> {
        const query: DnsMessage = { ...r.query, questions: [{ name, type, class: 'IN' }] };
        return (yield* instance.resolve({ ...r, query, name: name.toLowerCase(), type })).reply;
      };
    return function* (r, next) {
      const zone = longestZone(r.name, o.zones);
      if (zone === undefined || !block.kubernetes) return yield* next(r);
      const k: State = { instance, o: block.kubernetes, r, lookup: lookup(r) };
      const own = apex(k, o, zone);
      if (own) return { reply: own };
      const { found, rcode } = services(k, o, zone);
      const reply = { ...replyTo(r.query, rcode), aa: true };
      if (!found.length) {
        if (rcode === 'NXDOMAIN' && fallsThrough(o.fall, r.name)) return yield* next(r);
        return { reply: { ...reply, authority: [soa(o, zone)] } };
      }
      const [records, additional] = yield* answers(k, o, found);
      return { reply: { ...reply, answers: records, additional, authority: records.length ? [] : [soa(o, zone)] } };
    };
  },
};

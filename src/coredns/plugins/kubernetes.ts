// plugin/kubernetes (coredns 1.14.2): names of Services, their endpoints and pods, from what the API says now.
import { matchLabelSelector } from '../../apiserver/labels.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../wire/dns.ts';
import { fqdn, replyTo } from '../../wire/dns-codec.ts';
import { formatIp, type Ip, parseIp } from '../../wire/ip.ts';
import type { Instance, Next, Outcome, Plugin, Request, Setup } from '../types.ts';
import { addressOfReverse, fallsThrough, inZone, isReverse, longestZone } from '../zones.ts';
import { importedServices } from './kubernetes-multicluster.ts';
import { kubernetesOptions, type Options } from './kubernetes-setup.ts';

/** What a name stands for (plugin/etcd/msg.Service): an address or another name, with the SRV data it was found by. */
interface Answer {
  host: string;
  /** The full name that SRV targets are made of. */
  key: string;
  port: number;
  ttl: number;
}

export interface State {
  instance: Instance;
  o: Options;
  r: Request;
  /** Looks a name up through the whole chain, for CNAMEs that leave the zone. */
  lookup: (name: string, type: RrType) => Co<DnsMessage | null>;
}

const NAME_ERROR = 'name error';
type Found = Answer[] | typeof NAME_ERROR;

export const kubernetes: Plugin = {
  name: 'kubernetes',
  many: true,
  setup: s => {
    const o = kubernetesOptions(s);
    s.block.kubernetes = o;
    const { instance } = s;
    if (!synced(o, instance)) instance.unready.add('kubernetes');
    return function* (r, next): Co<Outcome> {
      const zone = longestZone(r.name, o.zones);
      if (zone === undefined) return yield* next(r);
      const state: State = { instance, o, r, lookup: (name, type) => through(s, r, next, name, type) };
      return yield* serve(state, zone, next);
    };
  },
};

function* through(s: Setup, r: Request, _next: Next, name: string, type: RrType): Co<DnsMessage | null> {
  const query: DnsMessage = { ...r.query, questions: [{ name, type, class: 'IN' }] };
  return (yield* s.instance.resolve({ ...r, query, name: name.toLowerCase(), type })).reply;
}

function* serve(s: State, zone: string, next: Next): Co<Outcome> {
  const { r, o } = s;
  let answers: DnsRecord[] | typeof NAME_ERROR = [];
  let additional: DnsRecord[] = [];
  const apexNs = r.type === 'NS' && r.name === zone;
  switch (r.type) {
    case 'A':
    case 'AAAA':
      answers = yield* addresses(s, zone, r.name, r.type, qname(r), []);
      break;
    case 'TXT':
      if (r.name === `dns-version.${zone}`) answers = [record(qname(r), 'TXT', 28800, { texts: ['1.1.0'] })];
      // Unlike other types this one wants something of the name, not only the name.
      else if (!services(s, zone, r.name).length || services(s, zone, r.name) === NAME_ERROR) answers = NAME_ERROR;
      break;
    case 'CNAME': {
      const found = services(s, zone, r.name);
      answers =
        found === NAME_ERROR
          ? found
          : found
              .slice(0, 1)
              .filter(a => !parseIp(a.host))
              .map(a => record(qname(r), 'CNAME', a.ttl, { host: fqdn(a.host) }));
      break;
    }
    case 'PTR': {
      const found = reverse(s, r.name);
      answers =
        found === NAME_ERROR
          ? found
          : [...new Map(found.map(a => [a.host, a])).values()].map(a => record(qname(r), 'PTR', a.ttl, { host: a.host }));
      break;
    }
    case 'SRV': {
      const found = services(s, zone, r.name);
      if (found === NAME_ERROR) answers = found;
      else
        [answers, additional] = srv(
          found.filter(a => parseIp(a.host)).map(a => ({ ...a, key: asAsked(a.key, zone, qname(r)) })),
          qname(r),
        );
      break;
    }
    default:
      // Below the apex there are no SOA records, whether the name exists or not.
      if (r.type === 'SOA') answers = r.name === zone ? [soa(s, zone)] : [];
      else if (apexNs) [answers, additional] = nameServers(s, zone);
      else {
        const found = services(s, zone, r.name);
        answers = found === NAME_ERROR ? found : [];
      }
  }
  if (answers === NAME_ERROR) {
    if (fallsThrough(o.fallthrough, r.name)) return yield* next(r);
    if (!synced(s.o, s.instance)) return { reply: { ...replyTo(r.query, 'SERVFAIL'), aa: true, authority: [soa(s, zone)] } };
    return { reply: { ...replyTo(r.query, 'NXDOMAIN'), aa: true, authority: [soa(s, zone)] } };
  }
  if (!answers.length) return { reply: { ...replyTo(r.query), aa: true, authority: [soa(s, zone)] } };
  return { reply: { ...replyTo(r.query), aa: true, answers: dedup(answers), additional: dedup(additional) } };
}

/** Records keep the zone as the question spells it. */
const asAsked = (name: string, zone: string, asked: string): string =>
  name.endsWith(zone) ? name.slice(0, name.length - zone.length) + asked.slice(asked.length - zone.length) : name;

/** Whether the API that the Corefile names (`endpoint`) is this cluster's: without it nothing is ever known. */
function synced(o: Options, { server }: Instance): boolean {
  if (o.endpoint === null) return true;
  const host = /^(?:\w+:\/\/)?(\[[^\]]*\]|[^:/]+)/.exec(o.endpoint)?.[1].replace(/^\[|\]$/g, '');
  const own = getObject(server, 'services', 'default', 'kubernetes')?.spec?.clusterIPs ?? [];
  const behind = listObjects(server, 'endpointslices.discovery.k8s.io', 'default')
    .filter(e => e.metadata.labels?.['kubernetes.io/service-name'] === 'kubernetes')
    .flatMap(e => (e.endpoints ?? []).flatMap((x: any) => x.addresses ?? []));
  return /^kubernetes(\.default(\.svc.*)?)?$/.test(host ?? '') || [...own, ...behind].includes(host);
}

const qname = (r: Request) => r.query.questions[0].name;

const record = (name: string, type: RrType, ttl: number, data: DnsRecord['data']): DnsRecord => ({ name, type, class: 'IN', ttl, data });
const addressRecord = (name: string, ip: Ip, ttl: number) => record(name, ip.length === 4 ? 'A' : 'AAAA', ttl, { ip });

function dedup(records: DnsRecord[]): DnsRecord[] {
  const key = (x: DnsRecord) => JSON.stringify([x.name.toLowerCase(), x.type, 'ip' in x.data ? formatIp(x.data.ip) : x.data]);
  return [...new Map(records.map(x => [key(x), x])).values()];
}

/** The serial is the time of the last change; the minimum and the TTL are the plugin's own. */
function soa(s: State, zone: string): DnsRecord {
  const serial = synced(s.o, s.instance) ? Math.floor(s.instance.server.sim.nowMs / 1000) : 0;
  const data = {
    mname: join('ns.dns', zone),
    rname: join('hostmaster', zone),
    serial,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: s.o.ttl,
  };
  return record(zone, 'SOA', Math.min(300, s.o.ttl), data);
}

const join = (label: string, zone: string) => (zone === '.' ? `${label}.` : `${label}.${zone}`);

/** plugin/backend_lookup.go A and AAAA: aliases are followed, inside the zone here, outside through the chain. */
function* addresses(
  s: State,
  zone: string,
  name: string,
  type: 'A' | 'AAAA',
  owner: string,
  before: DnsRecord[],
): Co<DnsRecord[] | typeof NAME_ERROR> {
  const found = services(s, zone, name, type);
  if (found === NAME_ERROR) return found;
  const out: DnsRecord[] = [];
  for (const a of found) {
    const ip = parseIp(a.host);
    if (ip) {
      if (ip.length === (type === 'A' ? 4 : 16)) out.push(addressRecord(owner, ip, a.ttl));
      continue;
    }
    const target = fqdn(a.host);
    if (target.toLowerCase() === name || before.length > 7) continue;
    const alias = record(owner, 'CNAME', a.ttl, { host: target });
    if (before.some(b => 'host' in b.data && b.data.host.toLowerCase() === target.toLowerCase())) continue;
    if (inZone(target.toLowerCase(), zone)) {
      const more = yield* addresses(s, zone, target.toLowerCase(), type, target, [...before, alias]);
      if (more !== NAME_ERROR && more.length) out.push(alias, ...more);
      continue;
    }
    const reply = yield* s.lookup(target, type);
    out.push(alias, ...(reply?.answers ?? []));
  }
  return out;
}

function srv(found: Answer[], owner: string): [DnsRecord[], DnsRecord[]] {
  const total = found.length;
  const records: DnsRecord[] = [];
  const additional: DnsRecord[] = [];
  for (const a of found) {
    if (a.port === -1) continue;
    const weight = Math.max(1, Math.floor(100 / total));
    records.push(record(owner, 'SRV', a.ttl, { priority: 0, weight, port: a.port, target: a.key }));
    additional.push(addressRecord(a.key, parseIp(a.host)!, a.ttl));
  }
  return [dedup(records), dedup(additional)];
}

// -- what a name means

/** ServiceBackend.Services: the answers of a name, or that there is no such name. */
function services(s: State, zone: string, name: string, type: string = s.r.type): Found {
  if (!synced(s.o, s.instance)) return NAME_ERROR;
  if (name === join('ns.dns', zone)) {
    return ownAddresses(s, zone)
      .filter(a => (type === 'A' && a.ip.length === 4) || (type === 'AAAA' && a.ip.length === 16))
      .map(a => ({ host: formatIp(a.ip), key: name, port: 0, ttl: s.o.ttl }));
  }
  const base = name === zone ? '' : zone === '.' ? name.slice(0, -1) : name.slice(0, -zone.length - 1);
  if (base === '' || base === 'svc' || base === 'pod') return [];
  const segments = base.split('.');
  const kind = segments.pop();
  if (kind !== 'svc' && kind !== 'pod') return NAME_ERROR;
  const namespace = segments.pop();
  if (namespace === undefined) return [];
  const service = segments.pop();
  if (segments.length > 2) return NAME_ERROR;
  if (isReverse(name) || !exposed(s, namespace)) return NAME_ERROR;
  if (service === undefined) return [];
  const path = (...labels: string[]) => `${[...labels, service, namespace, kind].join('.')}.${zone}`.replace(/\.\.$/, '.');
  if (kind === 'svc' && s.o.multicluster.some(z => inZone(zone, z))) {
    const found = importedServices(s.instance.server, s.o, { namespace, service, before: segments });
    return found?.map(i => ({ host: i.ip, key: path(...i.labels), port: i.port, ttl: s.o.ttl })) ?? NAME_ERROR;
  }
  if (kind === 'pod') return pods(s, namespace, service, path());
  const [port, protocol] = segments.length === 2 ? segments.map(x => x.replace(/^_/, '')) : [null, null];
  return ofService(s, namespace, service, segments.length === 1 ? segments[0] : null, port, protocol, path);
}

export function exposed(s: State, namespace: string): boolean {
  const ns = getObject(s.instance.server, 'namespaces', undefined, namespace);
  if (!ns || (s.o.namespaces && !s.o.namespaces.has(namespace))) return false;
  return !s.o.namespaceLabels || matchLabelSelector(s.o.namespaceLabels, ns.metadata.labels);
}

function pods(s: State, namespace: string, podName: string, key: string): Found {
  if (s.o.pods === 'disabled') return NAME_ERROR;
  const dashes = podName.split('-').length - 1;
  const ip = dashes === 3 && !podName.includes('--') ? podName.replace(/-/g, '.') : podName.replace(/-/g, ':');
  const parsed = parseIp(ip);
  if (!parsed) return NAME_ERROR;
  const answer = [{ host: formatIp(parsed), key, port: 0, ttl: s.o.ttl }];
  if (s.o.pods === 'insecure') return answer;
  const live = listObjects(s.instance.server, 'pods', namespace).some(
    p => p.status?.phase !== 'Failed' && p.status?.phase !== 'Succeeded' && p.status?.podIPs?.some((i: any) => i.ip === ip),
  );
  return live ? answer : NAME_ERROR;
}

interface EndpointAddress {
  ip: string;
  hostname: string;
  ports: { name: string; port: number; protocol: string }[];
}

/** EndpointSlices of a Service as CoreDNS keeps them: addresses that are ready. */
export function endpointsOf(s: State, namespace: string, service: string): EndpointAddress[] {
  const out: EndpointAddress[] = [];
  if (s.o.noEndpoints) return out;
  for (const slice of listObjects(s.instance.server, 'endpointslices.discovery.k8s.io', namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service || slice.addressType === 'FQDN') continue;
    const ports = (slice.ports ?? []).map((p: any) => ({ name: p.name ?? '', port: p.port ?? -1, protocol: p.protocol ?? 'TCP' }));
    for (const e of slice.endpoints ?? []) {
      if (e.conditions?.ready === false) continue;
      for (const ip of e.addresses ?? []) {
        const named = e.hostname || (s.o.endpointNames && e.targetRef?.name) || ip.replace(/[.:]/g, '-');
        // A service without ports has one pseudo port, so that its addresses are found and its SRV records are not.
        out.push({ ip, hostname: named, ports: ports.length ? ports : [{ name: '', port: -1, protocol: 'TCP' }] });
      }
    }
  }
  return out;
}

function ofService(
  s: State,
  namespace: string,
  name: string,
  endpoint: string | null,
  port: string | null,
  protocol: string | null,
  path: (...l: string[]) => string,
): Found {
  const svc = getObject(s.instance.server, 'services', namespace, name);
  if (!svc || (s.o.labels && !matchLabelSelector(s.o.labels, svc.metadata.labels))) return NAME_ERROR;
  const { ttl } = s.o;
  const external = svc.spec?.type === 'ExternalName';
  const headless = !external && svc.spec?.clusterIP === 'None';
  const eps = () => endpointsOf(s, namespace, name);
  if (s.o.ignoreEmpty && !external && !headless && !eps().length) return NAME_ERROR;
  if (external) {
    // An address is no name that an alias could lead to.
    if (endpoint !== null || port !== null || parseIp(svc.spec.externalName)) return NAME_ERROR;
    return [{ host: svc.spec.externalName, key: path(), port: 0, ttl }];
  }
  const wanted = (p: { name: string; protocol: string }) =>
    port === null || (p.name.toLowerCase() === port && p.protocol.toLowerCase() === protocol);
  const out: Answer[] = [];
  if (headless || endpoint !== null) {
    for (const e of eps()) {
      if (endpoint !== null && e.hostname.toLowerCase() !== endpoint) continue;
      for (const p of e.ports) if (wanted(p)) out.push({ host: e.ip, key: path(e.hostname), port: p.port, ttl });
    }
    // A headless Service without ready endpoints has no name (its own records are its endpoints').
    return out.length ? out : headless && endpoint === null && port === null ? (eps().length ? [] : NAME_ERROR) : NAME_ERROR;
  }
  const ports = svc.spec?.ports?.length ? svc.spec.ports : [{ name: '', port: -1, protocol: 'TCP' }];
  for (const p of ports) {
    if (!wanted({ name: p.name ?? '', protocol: p.protocol ?? 'TCP' })) continue;
    for (const ip of svc.spec?.clusterIPs ?? [svc.spec?.clusterIP]) if (ip) out.push({ host: ip, key: path(), port: p.port, ttl });
  }
  return out.length ? out : NAME_ERROR;
}

// -- the other way: addresses to names

function reverse(s: State, name: string): Found {
  if (!synced(s.o, s.instance)) return NAME_ERROR;
  const ip = addressOfReverse(name);
  const primary = s.o.zones.find(z => !isReverse(z)) ?? '.';
  if (ip === null) {
    const found = services(s, longestZone(name, s.o.zones)!, name);
    return found === NAME_ERROR ? found : [];
  }
  const { server } = s.instance;
  const visible = (ns: string) => !s.o.namespaces || exposed(s, ns);
  for (const svc of listObjects(server, 'services')) {
    if (!(svc.spec?.clusterIPs ?? []).includes(ip) || !visible(svc.metadata.namespace!)) continue;
    return [{ host: `${svc.metadata.name}.${svc.metadata.namespace}.svc.${primary}`, key: '', port: 0, ttl: s.o.ttl }];
  }
  const out: Answer[] = [];
  for (const slice of listObjects(server, 'endpointslices.discovery.k8s.io')) {
    const service = slice.metadata.labels?.['kubernetes.io/service-name'];
    const ns = slice.metadata.namespace!;
    if (!service || !visible(ns)) continue;
    if (!(slice.endpoints ?? []).some((e: any) => e.addresses?.includes(ip))) continue;
    for (const e of endpointsOf(s, ns, service)) {
      if (e.ip === ip) out.push({ host: `${e.hostname}.${service}.${ns}.svc.${primary}`, key: '', port: 0, ttl: s.o.ttl });
    }
  }
  return out.length ? out : NAME_ERROR;
}

// -- the zone's own name servers: the Service that this very pod is behind

function ownAddresses(s: State, zone: string): { name: string; ip: Ip }[] {
  const { server, p } = s.instance;
  const local = [...p.netns.links.values()]
    .flatMap(l => l.addresses)
    .filter(a => a.scope === 'global')
    .map(a => formatIp(a.ip));
  const out: { name: string; ip: Ip }[] = [];
  for (const slice of listObjects(server, 'endpointslices.discovery.k8s.io')) {
    if (!(slice.endpoints ?? []).some((e: any) => e.conditions?.ready !== false && e.addresses?.some((a: string) => local.includes(a))))
      continue;
    const service = slice.metadata.labels?.['kubernetes.io/service-name'] as string;
    const svc: KubeObject | undefined = getObject(server, 'services', slice.metadata.namespace, service);
    if (!svc) continue;
    const name = `${service}.${slice.metadata.namespace}.svc.${zone}`;
    if (svc.spec?.clusterIP === 'None') {
      for (const e of endpointsOf(s, slice.metadata.namespace!, service)) out.push({ name: `${e.hostname}.${name}`, ip: parseIp(e.ip)! });
    } else for (const ip of svc.spec?.clusterIPs ?? []) out.push({ name, ip: parseIp(ip)! });
  }
  if (!out.length) for (const ip of local) out.push({ name: join('ns.dns', zone), ip: parseIp(ip)! });
  return out;
}

function nameServers(s: State, zone: string): [DnsRecord[], DnsRecord[]] {
  const own = ownAddresses(s, zone);
  const records = own.map(a => record(qname(s.r), 'NS', s.o.ttl, { host: a.name }));
  return [dedup(records), dedup(own.map(a => addressRecord(a.name, a.ip, s.o.ttl)))];
}

// plugin/autopath (coredns 1.14.2): walks a pod's search path for it, so that one query does.
import { getObject, listObjects } from '../../apiserver/store.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { DnsMessage, DnsRecord } from '../../wire/dns.ts';
import { formatIp } from '../../wire/ip.ts';
import { increase } from '../metrics.ts';
import { type Instance, type Outcome, type Plugin, plainError, type Request, type Setup } from '../types.ts';
import { inZone, longestZone, zoneName, zonesOf } from '../zones.ts';

const resolvConf = (instance: Instance, path: string): string[] | null => {
  const data = readFile(instance.p.fs, path, instance.p);
  if (typeof data === 'string') return null;
  const lines = [...bytesToString(data).matchAll(/^\s*(?:search|domain)\s+(.+)$/gm)];
  return (lines[lines.length - 1]?.[1].trim().split(/\s+/) ?? []).map(zoneName);
};

/** Kubernetes.AutoPath: the search path of the pod that asks, when pods are verified; null: not a pod. */
function ofPod({ instance, block }: Setup, r: Request, own: string[]): string[] | null {
  const o = block.kubernetes;
  const zone = o && longestZone(r.name, o.zones);
  if (!o || zone === undefined || o.pods !== 'verified') return null;
  const client = formatIp(r.client);
  const pod = listObjects(instance.server, 'pods').find(
    p => p.status?.phase !== 'Failed' && p.status?.phase !== 'Succeeded' && p.status?.podIPs?.some((i: { ip: string }) => i.ip === client),
  );
  if (!pod || !getObject(instance.server, 'namespaces', undefined, pod.metadata.namespace ?? '')) return null;
  const tail = zone === '.' ? '' : zone;
  return [`${pod.metadata.namespace}.svc.${tail}`, `svc.${tail}`, zone, ...own, ''];
}

/** cnamer: an alias from what was asked to what was found; the question as it was asked. */
function named(m: DnsMessage, query: DnsMessage): DnsMessage {
  const asked = query.questions[0].name;
  const first = m.answers.find(a => a.name.toLowerCase() !== asked.toLowerCase());
  const alias: DnsRecord[] = first ? [{ name: asked, type: 'CNAME', class: 'IN', ttl: first.ttl, data: { host: first.name } }] : [];
  return { ...m, questions: query.questions, answers: [...alias, ...m.answers] };
}

export const autopath: Plugin = {
  name: 'autopath',
  setup: s => {
    const { args } = s.directive;
    const source = args[args.length - 1];
    if (source === undefined) throw plainError('no resolv-conf specified');
    const zones = zonesOf(args.slice(0, -1), s.block.zones);
    const own = resolvConf(s.instance, source.startsWith('@') ? '/etc/resolv.conf' : source);
    if (!own && !source.startsWith('@')) throw plainError(`failed to parse "${source}": open ${source}: no such file or directory`);
    const pathFor = (r: Request) =>
      source === '@kubernetes' ? ofPod(s, r, own ?? []) : source.startsWith('@') ? null : [...(own as string[]), ''];
    return function* (r, next) {
      const path = longestZone(r.name, zones) === undefined ? null : pathFor(r);
      if (!path?.length || r.name === path[0] || !inZone(r.name, path[0])) return yield* next(r);
      const asked = r.query.questions[0];
      const base = asked.name.slice(0, -path[0].length - 1);
      let first: Outcome | null = null;
      for (const suffix of path) {
        const name = suffix === '.' ? `${base}.` : `${base}.${suffix}`;
        const query = { ...r.query, questions: [{ ...asked, name }] };
        const outcome = yield* next({ ...r, query, message: { query }, name: name.toLowerCase() });
        if (outcome.error) return outcome;
        first ??= outcome;
        if (!outcome.reply || outcome.reply.rcode === 'NXDOMAIN') continue;
        increase(s.instance.metrics, 'coredns_autopath_success_total', r.server);
        return { ...outcome, reply: named(outcome.reply, r.query) };
      }
      // The client goes on along its own path.
      return first?.reply ? { ...first, reply: { ...first.reply, questions: r.query.questions } } : (first as Outcome);
    };
  },
};

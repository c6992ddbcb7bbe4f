// MetalLB's speaker in layer 2 mode: one node per address answers ARP and neighbour discovery for it (metallb v0.15 speaker/layer2_controller.go).
import { newRecorder, recordEvent } from '../../apiserver/recorder.ts';
import { getObject, listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import type { Link, Program } from '../../linux/types.ts';
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import { goServer } from '../../userland/servers/go-http.ts';
import { formatIp, type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { isReady, reconcileOn, selects, untilEnd } from '../reconcile.ts';
import { writeL2Statuses } from './l2-status.ts';
import { log, sayStart } from './log.ts';
import { givenAddresses, isLoadBalancer, POOLS, type Pool, poolOf, poolsOf } from './pools.ts';

const L2 = 'l2advertisements.metallb.io';
const SLICES = 'endpointslices.discovery.k8s.io';
const MONITORING = 7472;

export const metallbSpeaker = ({ server, pod }: AddonContext): Program =>
  function* speaker(p) {
    goServer(p, MONITORING, function* () {
      return { status: 200, body: '# HELP metallb_speaker_announced Services being announced from this node.\n' };
    });
    const node: string = pod.spec.nodeName;
    const recorder = newRecorder(server, 'metallb-speaker');
    let announced: { ip: Ip; links: string[] }[] = [];
    const answers = (link: Link, ip: Ip) => announced.some(a => sameIp(a.ip, ip) && (!a.links.length || a.links.includes(link.name)));
    const links = [...p.netns.links.values()].filter(l => l.kind === 'ethernet');
    sayStart(p, 'speaker', 'main.go:108');
    for (const link of links) {
      link.answersFor = ip => answers(link, ip);
      log(p, 'info', 'announcer.go:126', { interface: link.name, event: 'createARPResponder', msg: 'created ARP responder for interface' });
    }
    const compute = () => {
      const services = listObjects(server, 'services').filter(isLoadBalancer);
      const rows = services.flatMap(service => announcements(server, service, node).map(a => ({ ...a, service })));
      announced = rows;
      return rows;
    };
    compute();
    // What it announced when an earlier command left it: of each Service the addresses.
    const known = new Map((p.memory?.left ?? []) as [string, string[]][]);
    p.memory = { save: () => [...known] };
    const stop = reconcileOn(
      server,
      ['services', SLICES, POOLS, L2, 'pods', 'nodes'],
      () => {
        const rows = compute();
        writeL2Statuses(server, pod, rows);
        const now = new Map<string, string[]>();
        for (const { ip, service } of rows) now.set(keyOf(service), [...(now.get(keyOf(service)) ?? []), formatIp(ip)]);
        for (const [key, ips] of now) {
          if (known.get(key)?.join() === ips.join()) continue;
          const service = rows.find(r => keyOf(r.service) === key)?.service as KubeObject;
          const pool = poolOf(poolsOf(server), ips[0])?.name ?? '';
          const fields = { event: 'serviceAnnounced', ips, pool, protocol: 'layer2' };
          log(p, 'info', 'main.go:444', { ...fields, msg: 'service has IP, announcing' });
          recordEvent(recorder, service, 'Normal', 'nodeAssigned', `announcing from node "${node}" with protocol "layer2"`);
          known.set(key, ips);
        }
        for (const [key, ip] of [...known]) {
          if (now.has(key)) continue;
          log(p, 'info', 'main.go:488', {
            event: 'serviceWithdrawn',
            ip,
            reason: withdrawn(server, key),
            msg: 'withdrawing service announcement',
          });
          known.delete(key);
        }
      },
      { concerns: (b, e) => b !== 'pods' || !!e.object.spec?.hostNetwork, delayMs: 120 },
    );
    const silence = () => {
      for (const link of links) link.answersFor = undefined;
    };
    return yield* untilEnd(p, [stop, silence]);
  };

const keyOf = (s: KubeObject) => `${s.metadata.namespace}/${s.metadata.name}`;

/** Why a Service is announced no more (speaker/main.go SetBalancer, layer2_controller.go ShouldAnnounce). */
function withdrawn(server: ApiServer, key: string): string {
  const [namespace, name] = key.split('/');
  const s = getObject(server, 'services', namespace, name);
  if (!s) return 'serviceDeleted';
  if (s.spec?.type !== 'LoadBalancer') return 'notLoadBalancer';
  return givenAddresses(s).length ? 'notOwner' : 'noIPAllocated';
}

/** The Service's addresses that this node answers for, and on which links (empty: all). */
function announcements(server: ApiServer, s: KubeObject, node: string): { ip: Ip; links: string[] }[] {
  const pools = poolsOf(server);
  const out: { ip: Ip; links: string[] }[] = [];
  for (const text of givenAddresses(s)) {
    const pool = poolOf(pools, text);
    const ads = pool ? listObjects(server, L2).filter(ad => advertises(ad, pool)) : [];
    const mine = ads.filter(ad => nodeChosen(server, ad, node));
    if (!mine.length) continue;
    const candidates = candidateNodes(server, s, ads);
    if (leader(candidates, text) !== node) continue;
    const every = mine.some(ad => !ad.spec?.interfaces?.length);
    out.push({ ip: parseIp(text) as Ip, links: every ? [] : mine.flatMap(ad => ad.spec.interfaces) });
  }
  return out;
}

function advertises(ad: KubeObject, pool: Pool): boolean {
  const { ipAddressPools = [], ipAddressPoolSelectors = [] } = ad.spec ?? {};
  if (!ipAddressPools.length && !ipAddressPoolSelectors.length) return true;
  return ipAddressPools.includes(pool.name) || ipAddressPoolSelectors.some((x: unknown) => selects(x, pool.object.metadata.labels));
}

function nodeChosen(server: ApiServer, ad: KubeObject, name: string): boolean {
  const rules: unknown[] = ad.spec?.nodeSelectors ?? [];
  if (!rules.length) return true;
  const node = listObjects(server, 'nodes').find(n => n.metadata.name === name);
  return rules.some(r => selects(r, node?.metadata.labels));
}

/** Nodes with a ready speaker that may announce the Service: those that have an endpoint with the Local policy, any when one is ready anywhere. */
function candidateNodes(server: ApiServer, s: KubeObject, ads: KubeObject[]): string[] {
  const endpoints = listObjects(server, SLICES, s.metadata.namespace)
    .filter(x => x.metadata.labels?.['kubernetes.io/service-name'] === s.metadata.name)
    .flatMap(x => x.endpoints ?? [])
    .filter(e => e.conditions?.ready !== false);
  if (!endpoints.length) return [];
  const local = s.spec.externalTrafficPolicy === 'Local' ? new Set(endpoints.map(e => e.nodeName)) : null;
  const nodes = listObjects(server, 'nodes');
  return listObjects(server, 'pods')
    .filter(p => p.metadata.labels?.app === 'metallb' && p.metadata.labels?.component === 'speaker' && isReady(p))
    .map(p => p.spec.nodeName as string)
    .filter(name => {
      const labels = nodes.find(n => n.metadata.name === name)?.metadata.labels ?? {};
      if ('node.kubernetes.io/exclude-from-external-load-balancers' in labels) return false;
      return (!local || local.has(name)) && ads.some(ad => nodeChosen(server, ad, name));
    });
}

/** The node with the lowest hash of its name and the address. */
function leader(nodes: string[], ip: string): string | undefined {
  const hash = (name: string) => hex(sha256(stringToBytes(`${name}#${ip}`)));
  return [...nodes].sort((a, b) => (hash(a) < hash(b) ? -1 : 1))[0];
}

// MetalLB's speaker in layer 2 mode: one node per address answers ARP and neighbour discovery for it (metallb v0.15 speaker/layer2_controller.go).
import { newRecorder, recordEvent } from '../../apiserver/recorder.ts';
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import type { Link, Program } from '../../linux/types.ts';
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import { goServer } from '../../userland/servers/go-http.ts';
import { type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import type { AddonContext } from '../context.ts';
import { isReady, reconcileOn, selects, untilEnd } from '../reconcile.ts';
import { writeL2Statuses } from './l2-status.ts';
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
    for (const link of links) link.answersFor = ip => answers(link, ip);
    const compute = () => {
      const services = listObjects(server, 'services').filter(isLoadBalancer);
      const rows = services.flatMap(service => announcements(server, service, node).map(a => ({ ...a, service })));
      announced = rows;
      return rows;
    };
    compute();
    const known = new Set<string>();
    const stop = reconcileOn(
      server,
      ['services', SLICES, POOLS, L2, 'pods', 'nodes'],
      () => {
        const rows = compute();
        writeL2Statuses(server, pod, rows);
        for (const { ip, service } of rows) {
          const key = `${service.metadata.uid} ${ip}`;
          if (!known.has(key) && !alreadyTold(server, service, node))
            recordEvent(recorder, service, 'Normal', 'nodeAssigned', `announcing from node "${node}" with protocol "layer2"`);
          known.add(key);
        }
      },
      { concerns: (b, e) => b !== 'pods' || !!e.object.spec?.hostNetwork, delayMs: 60 },
    );
    const silence = () => {
      for (const link of links) link.answersFor = undefined;
    };
    return yield* untilEnd(p, [stop, silence]);
  };

/** An earlier run of this program has said so. */
const alreadyTold = (server: ApiServer, s: KubeObject, node: string): boolean =>
  listObjects(server, 'events', s.metadata.namespace).some(
    e => e.reason === 'nodeAssigned' && e.involvedObject?.uid === s.metadata.uid && e.message.includes(`"${node}"`),
  );

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

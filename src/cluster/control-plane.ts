// The control plane's components are static pods: the scheduler and the controllers work while a container of theirs runs and finds the API.
import { servesLoadBalancers } from '../addons/metallb/present.ts';
import { listObjects, watchBucket } from '../apiserver/store.ts';
import type { KubeObject } from '../apiserver/types.ts';
import { type Controllers, startControllers } from '../controllers/start.ts';
import { startScheduler } from '../scheduler/start.ts';
import { parseIp } from '../wire/ip.ts';
import { serverIn } from './components/api-clients.ts';
import { endpointOf } from './components/component.ts';
import { caCertificate } from './pki.ts';
import type { Engine } from './types.ts';

type Component = 'kube-scheduler' | 'kube-controller-manager';
type Static = Component | 'kube-apiserver' | 'etcd';

const isPodOf = (component: Static, pod: KubeObject): boolean =>
  pod.metadata.namespace === 'kube-system' &&
  pod.metadata.labels?.component === component &&
  pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file';

/** Not once it waits for something else than its creation. */
function works(pod: KubeObject): boolean {
  const state = pod.status?.containerStatuses?.[0]?.state;
  return !state || !!state.running || state.waiting?.reason === 'ContainerCreating';
}

function isUp(engine: Engine, component: Static): boolean {
  if (!engine.config.nodes.some(n => n.role === 'control-plane')) return true;
  const pods = listObjects(engine.server, 'pods').filter(p => isPodOf(component, p));
  // A cluster that is being born has no nodes yet.
  return pods.length ? pods.some(works) : listObjects(engine.server, 'nodes').length === 0;
}

const flagOf = (pod: KubeObject, name: string): string =>
  (pod.spec.containers?.[0]?.command ?? []).find((w: string) => w.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';

const podsOf = (engine: Engine, component: Static) => listObjects(engine.server, 'pods').filter(p => isPodOf(component, p) && works(p));

/** While it waits for an etcd that is elsewhere its container runs, and nobody is answered. */
function findsEtcd(engine: Engine): boolean {
  const servers = podsOf(engine, 'kube-apiserver').flatMap(p => flagOf(p, 'etcd-servers').split(','));
  const listens = new Set(podsOf(engine, 'etcd').flatMap(p => flagOf(p, 'listen-client-urls').split(',')));
  return !servers.length || servers.some(s => listens.has(s.replace(/\/$/, '')));
}

const atItsPort = (engine: Engine): boolean => podsOf(engine, 'kube-apiserver').every(p => (flagOf(p, 'secure-port') || '6443') === '6443');

/**
 * Does the API answer? Kubelets, which have to bring it back, are not cut off from their objects meanwhile: only whoever comes over the
 * network is, and the components that live by it.
 */
export const apiserverUp = (engine: Engine): boolean =>
  isUp(engine, 'kube-apiserver') && isUp(engine, 'etcd') && findsEtcd(engine) && atItsPort(engine);

/** Whoever cannot reach the API server that its kubeconfig names is never elected. What kubeadm wrote there is right. */
function finds(engine: Engine, component: Component): boolean {
  return podsOf(engine, component).some(pod => {
    const node = engine.nodes.get(pod.spec.nodeName);
    const path = flagOf(pod, 'kubeconfig');
    const text = node?.changedFiles(path.slice(0, path.lastIndexOf('/'))).get(path);
    if (!text) return true;
    try {
      const at = endpointOf(serverIn(text));
      return (
        at?.port === 6443 && (!parseIp(at.host) || engine.config.nodes.some(n => n.ips.includes(at.host) && n.role === 'control-plane'))
      );
    } catch {
      return false;
    }
  });
}

/** Start what is up, and follow the components' pods from then on. `settled`: an earlier run of them left nothing to do. */
export function startControlPlane(engine: Engine, settled: boolean): void {
  const { server } = engine;
  let first = true;
  const START: Record<Component, () => { stop: () => void }> = {
    'kube-controller-manager': () =>
      startControllers(server, {
        settled: settled && first,
        loadBalancerPool: engine.config.loadBalancerPool?.split(',') ?? null,
        loadBalancerElsewhere: () => servesLoadBalancers(server),
        rootCA: () => caCertificate(server),
      }),
    'kube-scheduler': () => startScheduler(server),
  };
  const components = Object.keys(START) as Component[];
  const running = new Map<Component, { stop: () => void }>();
  const check = (component: Component) => {
    const now = isUp(engine, component) && apiserverUp(engine) && (!podsOf(engine, component).length || finds(engine, component));
    const was = running.get(component);
    if (now && !was) running.set(component, START[component]());
    else if (!now && was) {
      was.stop();
      running.delete(component);
    }
  };
  for (const c of components) check(c);
  first = false;
  engine.controllers = { stop: () => running.get('kube-controller-manager')?.stop() } satisfies Controllers;
  watchBucket(server, 'pods', e => {
    const mine = (c: Static) => isPodOf(c, e.object);
    for (const c of components) if (mine(c) || mine('kube-apiserver') || mine('etcd')) check(c);
  });
}

// Programs of a node that have no image with an entrypoint to run: the CNI's agents, the control plane's listeners, the kubelet's own.
import type { KubeObject } from '../apiserver/types.ts';
import { accept, bind, close, listen, recv, send, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { stringToBytes } from '../sim/bytes.ts';
import { type Co, startTask, waitOn } from '../sim/task.ts';
import type { Ip } from '../wire/ip.ts';
import { ip } from '../wire/ip.ts';
import type { NodeRuntime } from './node.ts';

const AGENTS = /(^|\/)(calico\/node|kindnetd|flannel)$/;

/** `adopt`: the node's tables already are as this agent left them. */
export function agentProgram(node: NodeRuntime, repository: string, pod: KubeObject, adopt: boolean): Program | null {
  if (AGENTS.test(repository)) return () => cniAgent(node, adopt);
  const port = CONTROL_PLANE[repository.replace(/^.*\//, '')];
  if (port && pod.spec?.hostNetwork) return p => tlsListeners(p, port);
  if (/(^|\/)(kube-controllers|pause)$/.test(repository)) return p => idle(p);
  return null;
}

/** Ports that kubeadm's components listen on, with the addresses that they bind. */
const CONTROL_PLANE: Record<string, { port: number; address: string | null }[]> = {
  'kube-apiserver': [{ port: 6443, address: null }],
  etcd: [
    { port: 2379, address: null },
    { port: 2380, address: null },
    { port: 2381, address: '127.0.0.1' },
  ],
  'kube-controller-manager': [{ port: 10257, address: '127.0.0.1' }],
  'kube-scheduler': [{ port: 10259, address: '127.0.0.1' }],
};

/** The node's own programs: the kubelet's API and its health endpoint. */
export function nodeServers(_node: NodeRuntime): Program[] {
  return [p => tlsListeners(p, [{ port: 10250, address: null }]), p => healthz(p, 10248)];
}

/** calico-node, kindnetd, flanneld: the agent keeps rules and routes in step as long as the process lives. */
function* cniAgent(node: NodeRuntime, adopt: boolean): Co<number> {
  const cni = node.built?.cni;
  const agent = cni && node.engine.plugin.startAgent?.(cni, { adopt });
  try {
    for (;;) yield* waitOn(node.engine.server.sim, []);
  } finally {
    agent?.stop();
  }
}

function* idle(p: Process): Co<number> {
  for (;;) yield* waitOn(p.kernel.sim, []);
}

/**
 * Servers that speak TLS to clients with certificates. podnet models the connection, not the protocol behind it: whoever speaks plain
 * HTTP is told so, in the words of Go's net/http (server.go, tlsRecordHeaderLooksLikeHTTP).
 */
function* tlsListeners(p: Process, ports: { port: number; address: string | null }[]): Co<number> {
  const serve = function* (port: number, address: Ip | null): Co<number> {
    const s = socket(p, 'tcp', address ? 4 : 6);
    if (typeof s === 'string' || bind(s, address, port) || listen(s)) return 1;
    for (;;) {
      const c = yield* accept(s);
      if (typeof c === 'string') return 1;
      startTask(p.kernel.sim, refusePlain(c), true);
    }
  };
  for (const { port, address } of ports) startTask(p.kernel.sim, serve(port, address === null ? null : ip(address)), true);
  return yield* idle(p);
}

function* refusePlain(c: Exclude<ReturnType<typeof socket>, string>): Co<number> {
  const first = yield* recv(c);
  if (typeof first !== 'string' && first.length && first[0] !== 22) {
    yield* send(c, stringToBytes('HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n'));
  }
  close(c);
  return 0;
}

function* healthz(p: Process, port: number): Co<number> {
  const s = socket(p, 'tcp', 4);
  if (typeof s === 'string' || bind(s, ip('127.0.0.1'), port) || listen(s)) return 1;
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return 1;
    startTask(p.kernel.sim, answerOk(c), true);
  }
}

function* answerOk(c: Exclude<ReturnType<typeof socket>, string>): Co<number> {
  yield* recv(c);
  const headers =
    'Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: 2\r\nConnection: close\r\n\r\n';
  yield* send(c, stringToBytes(`HTTP/1.1 200 OK\r\n${headers}ok`));
  close(c);
  return 0;
}

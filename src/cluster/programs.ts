// Programs of a node that have no image with an entrypoint to run: the CNI's agents, the control plane's listeners, the kubelet's own.
import type { HttpBackend } from '../apiserver/http/message.ts';
import { httpRequest } from '../apiserver/http/request.ts';
import { failure, isStatus } from '../apiserver/status.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { kubeletServer } from '../kubelet/server.ts';
import { accept, bind, close, listen, recv, send, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, startTask, waitOn } from '../sim/task.ts';
import { type ApiAnswer, kubeEndpoint } from '../userland/servers/kube-endpoint.ts';
import { formatIp, ip } from '../wire/ip.ts';
import type { NodeRuntime } from './node.ts';

const AGENTS = /(^|\/)(calico\/node|kindnetd|flannel)$/;

/** `adopt`: the node's tables already are as this agent left them. */
export function agentProgram(
  node: NodeRuntime,
  repository: string,
  pod: KubeObject,
  how: { adopt: boolean; again: boolean },
): Program | null {
  if (AGENTS.test(repository)) return () => cniAgent(node, how);
  const port = CONTROL_PLANE[repository.replace(/^.*\//, '')];
  if (port && pod.spec?.hostNetwork) return p => tlsListeners(p, port, apiAnswer(node.engine.server));
  if (/(^|\/)(kube-controllers|pause)$/.test(repository)) return p => idle(p);
  return null;
}

const API_PORT = 6443;

/** The API for who comes over the network, with a token or as nobody. Answers are whole: what goes on and on is for clients outside. */
const apiAnswer = (server: ApiServer): ApiAnswer =>
  function* (req) {
    const headers = Object.fromEntries(req.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const { method, target, body } = req;
    const answer = httpRequest(server, JSON_ONLY, { method, target, headers, body, remote: formatIp(req.remote) });
    if (answer.kind === 'reply') return answer.reply;
    if (answer.kind === 'proxy') return yield* answer.proxy();
    const log = answer.kind === 'log' ? server.kubelet?.logs(answer.log.pod, answer.log.container, { ...answer.log, follow: false }) : null;
    if (log && !isStatus(log)) return { code: 200, headers: [['Content-Type', 'text/plain']], body: bytesToString(concat(log.chunks)) };
    const status = log ?? failure(501, 'NotImplemented', `podnet does not answer requests for ${answer.kind} inside of the cluster`);
    return { code: status.code ?? 500, headers: [['Content-Type', 'application/json']], body: JSON.stringify(status) };
  };

const JSON_ONLY: HttpBackend = {
  userOfToken: () => null,
  fromYaml: () => ({ error: 'podnet reads no YAML here: send JSON' }),
  toYaml: JSON.stringify,
  jsonError: text => (text ? 'invalid character' : 'unexpected end of JSON input'),
};

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
export const kubeletServers = (node: NodeRuntime): Program =>
  function* (p) {
    startTask(p.kernel.sim, healthz(p, 10248), true);
    kubeletServer(node.kubelet, p);
    return yield* idle(p);
  };

/** sshd: a port that accepts; the session itself is not a packet's matter. */
export function* sshd(p: Process): Co<number> {
  const s = socket(p, 'tcp', 4);
  if (typeof s === 'string' || bind(s, null, 22) || listen(s)) return 255;
  for (;;) {
    const c = yield* accept(s);
    if (typeof c === 'string') return 255;
    close(c);
  }
}

export { idle };

/** calico-node, kindnetd, flanneld: the agent keeps rules and routes in step as long as the process lives. */
function* cniAgent(node: NodeRuntime, how: { adopt: boolean; again: boolean }): Co<number> {
  const cni = node.built?.cni;
  const agent = cni && node.engine.plugin.startAgent?.(cni, how);
  try {
    for (;;) yield* waitOn(node.engine.server.sim, []);
  } finally {
    agent?.stop();
  }
}

function* idle(p: Process): Co<number> {
  for (;;) yield* waitOn(p.kernel.sim, []);
}

function* tlsListeners(p: Process, ports: { port: number; address: string | null }[], api: ApiAnswer | null = null): Co<number> {
  for (const { port, address } of ports) kubeEndpoint(p, port, address === null ? null : ip(address), port === API_PORT ? api : null);
  return yield* idle(p);
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

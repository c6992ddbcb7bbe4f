// Programs of a node that have no image with an entrypoint to run: the CNI's agents, the control plane's listeners, the kubelet's own.
import type { HttpBackend } from '../apiserver/http/message.ts';
import { httpRequest } from '../apiserver/http/request.ts';
import { failure, isStatus } from '../apiserver/status.ts';
import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import { kubeletServer } from '../kubelet/server.ts';
import { complain } from '../linux/process.ts';
import { accept, bind, close, listen, recv, send, socket } from '../linux/socket.ts';
import type { Process, Program } from '../linux/types.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { type Co, startTask, waitOn } from '../sim/task.ts';
import type { ApiAnswer } from '../userland/servers/kube-endpoint.ts';
import { formatIp, ip } from '../wire/ip.ts';
import { cniOfAgent, installCni } from './cni-install.ts';
import { apiClient } from './components/api-clients.ts';
import { kubeApiserver } from './components/apiserver.ts';
import { etcd } from './components/etcd.ts';
import { apiserverUp } from './control-plane.ts';
import type { NodeRuntime } from './types.ts';

/** `adopt`: the node's tables already are as this agent left them. */
export function agentProgram(
  node: NodeRuntime,
  repository: string,
  pod: KubeObject,
  container: any,
  how: { adopt: boolean; again: boolean; goesOn: boolean },
): Program | null {
  const cni = cniOfAgent(repository);
  if (cni) return p => cniAgent(p, node, cni, how);
  const component = pod.spec?.hostNetwork ? controlPlane(node, repository, container, how.goesOn) : null;
  if (component) return component;
  if (/(^|\/)(kube-controllers|pause)$/.test(repository)) return p => idle(p);
  return null;
}

/** The API for who comes over the network, with a token or as nobody. Answers are whole: what goes on and on is for clients outside. */
const apiAnswer = (server: ApiServer): ApiAnswer =>
  function* (req) {
    const headers = Object.fromEntries(req.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const { method, target, body } = req;
    const answer = httpRequest(server, JSON_ONLY, { method, target, headers, body, remote: formatIp(req.remote) });
    if (answer.kind === 'reply') return answer.reply;
    if (answer.kind === 'proxy') return yield* answer.proxy();
    if (answer.kind === 'abort') return null;
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

/** kubeadm's components, by their images. A container that asks for another program of such an image gets what the image has. */
function controlPlane(node: NodeRuntime, repository: string, container: any, goesOn: boolean): Program | null {
  const name = repository.replace(/^.*\//, '');
  const asked = container.command?.[0]?.replace(/^\/usr\/local\/bin\//, '');
  if (asked !== undefined && asked !== name) return null;
  const api = apiAnswer(node.engine.server);
  if (name === 'kube-apiserver') return p => kubeApiserver(p, api, goesOn && apiserverUp(node.engine));
  if (name === 'etcd') return etcd;
  return name === 'kube-controller-manager' || name === 'kube-scheduler' ? p => apiClient(name, p) : null;
}

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
function* cniAgent(p: Process, node: NodeRuntime, name: string, how: { adopt: boolean; again: boolean }): Co<number> {
  if (!installCni(node, name)) {
    complain(p, `podnet: the CNI of this cluster is ${node.engine.config.cni.name}; ${name} beside it does nothing here\n`);
    return yield* idle(p);
  }
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

// The kubelet's own HTTPS port, 10250 (k8s.io/kubernetes v1.36.3, pkg/kubelet/server: server.go, auth.go), as kubeadm configures it: no
// anonymous requests, client certificates and tokens, and what they may do is RBAC's to say.
import { isAllowed, type User, userOf } from '../apiserver/authorize.ts';
import { inGoOrder } from '../apiserver/go-order.ts';
import { jsonText } from '../apiserver/http/negotiate.ts';
import { userOfToken } from '../apiserver/reviews.ts';
import { getObject, listObjects } from '../apiserver/store.ts';
import type { KubeObject, Status } from '../apiserver/types.ts';
import { close, recv, type Socket, send } from '../linux/socket.ts';
import type { Errno, Process } from '../linux/types.ts';
import { listDir, lookup, readFile } from '../linux/vfs.ts';
import { bytesToString, stringToBytes } from '../sim/bytes.ts';
import { readAll } from '../sim/pipe.ts';
import type { Co } from '../sim/task.ts';
import { header } from '../userland/http.ts';
import { type Reply, type Served, serveStream, tcpServer } from '../userland/http-server.ts';
import { readText } from '../userland/servers/daemon.ts';
import { type FileTree, goFileReply } from '../userland/servers/go-files.ts';
import { goOptions, notFound } from '../userland/servers/go-http.ts';
import { certificateFor, PLAIN_HTTP } from '../userland/servers/kube-endpoint.ts';
import { type Certificate, tlsAccept } from '../userland/tls.ts';
import { distrust } from '../userland/trust.ts';
import { percentDecode, splitTarget } from '../userland/url.ts';
import { authorityNames } from '../userland/x509.ts';
import { execInPod, KUBELET_PORT, podLogs } from './proxy.ts';
import type { Kubelet } from './types.ts';

const CERTIFICATE = '/var/lib/kubelet/pki/kubelet.crt';
/** kubeadm's clientCAFile. */
const CLIENT_CA = '/etc/kubernetes/pki/ca.crt';

/** Listen until the process ends. */
export const kubeletServer = (k: Kubelet, p: Process): Errno | null => tcpServer(p, KUBELET_PORT, s => connection(k, p, s));

function* connection(k: Kubelet, p: Process, s: Socket): Co<void> {
  const t = yield* tlsAccept(s, hello => certificateFor(p, KUBELET_PORT, hello.sni, s.local, readText(p, CERTIFICATE) ?? undefined), {
    library: 'go',
    protocols: ['h2', 'http/1.1'],
    asks: authorityNames(readText(p, CLIENT_CA) ?? ''),
  });
  if (t === 'plain') {
    yield* recv(s, 0);
    yield* send(s, stringToBytes(PLAIN_HTTP));
    close(s);
  } else if (t) yield* serveStream(t.stream, req => answer(k, p, req, t.hello.certificate), goOptions(p, t.alpn === 'h2'));
}

const text = (status: number, body: string): Reply => ({ status, body });

function* answer(k: Kubelet, p: Process, req: Served, certificate: Certificate | undefined): Co<Reply> {
  const user = whoAsks(p, req, certificate);
  if (!user) return text(401, 'Unauthorized');
  const { path, query } = splitTarget(req.target);
  const verb = VERBS[req.method] ?? '';
  const may = subresourcesOf(path);
  const ask = (subresource: string) => isAllowed(k.server, user, { verb, group: '', resource: 'nodes', subresource, name: k.nodeName });
  if (!may.some(ask)) return text(403, `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${may.join(' ')}])\n`);
  return yield* handle(k, req, path, query);
}

/** A certificate of the cluster's authority, or a token of a service account. */
function whoAsks(p: Process, req: Served, certificate: Certificate | undefined): User | null {
  if (certificate && !distrust(certificate, readText(p, CLIENT_CA) ?? '', p.kernel.sim.nowMs)) {
    const values = (key: string) => [...certificate.subject.matchAll(new RegExp(`(?:^|, )${key} = ([^,]*)`, 'g'))].map(m => m[1]);
    return userOf(values('CN')[0] ?? '', values('O'));
  }
  const name = userOfToken(/^Bearer +(.*)$/i.exec(header(req.headers, 'Authorization') ?? '')?.[1].trim() ?? '');
  return name ? userOf(name) : null;
}

const VERBS: Record<string, string> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** As what a path may be asked for: one of them is enough (KubeletFineGrainedAuthz). */
function subresourcesOf(path: string): string[] {
  const root = path.split('/')[1];
  const fine = ({ pods: 'pods', healthz: 'healthz', configz: 'configz', runningpods: 'pods' } as Record<string, string>)[root];
  const own = (
    { stats: 'stats', metrics: 'metrics', logs: 'log', checkpoint: 'checkpoint', statusz: 'statusz', flagz: 'configz' } as Record<
      string,
      string
    >
  )[root];
  return [...(fine ? [fine] : []), own ?? 'proxy'];
}

/** What the kubelet has and podnet's has not, by the path's first word. */
const UNMODELLED = new Set([
  'attach',
  'checkpoint',
  'configz',
  'debug',
  'exec',
  'flagz',
  'metrics',
  'portForward',
  'runningpods',
  'stats',
  'statusz',
]);

type Query = ReturnType<typeof splitTarget>['query'];

function* handle(k: Kubelet, req: Served, path: string, query: Query): Co<Reply> {
  const [root, ...rest] = path.slice(1).split('/').map(percentDecode);
  const gets = req.method === 'GET' || req.method === 'HEAD';
  if (root === 'healthz') return health(rest.join('/'), query);
  if (root === 'pods' && rest.join('') === '') return gets ? json(podsText(k)) : NOT_ALLOWED;
  if (root === 'logs') return gets ? systemLogs(k, rest, req) : NOT_ALLOWED;
  if (root === 'containerLogs' && rest.length === 3) return gets ? yield* containerLogs(k, rest, query) : NOT_ALLOWED;
  if (root === 'run' && (rest.length === 3 || rest.length === 4))
    return req.method === 'POST' || gets ? yield* run(k, rest, req, query) : NOT_ALLOWED;
  if (UNMODELLED.has(root)) return text(501, `podnet's kubelet does not model /${root}\n`);
  return notFound();
}

/** go-restful's. */
const NOT_ALLOWED: Reply = text(405, '405: Method Not Allowed');
const json = (body: string): Reply => ({ status: 200, headers: [['Content-Type', 'application/json']], body });

const CHECKS = ['ping', 'log', 'syncloop'];

/** While it answers at all it is well (apiserver v0.36.3, pkg/server/healthz). */
function health(check: string, query: Query): Reply {
  if (check && !CHECKS.includes(check)) return notFound();
  const checks = CHECKS.map(c => `[+]${c} ok\n`).join('');
  const body = !check && query.has('verbose') ? `${checks}healthz check passed\n` : 'ok';
  return {
    status: 200,
    headers: [
      ['Content-Type', 'text/plain; charset=utf-8'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body,
  };
}

const SOURCE = 'kubernetes.io/config.source';
const SEEN = 'kubernetes.io/config.seen';

/** The pods bound to the node. Where each came from and since when it is known, the kubelet itself has written on it (pkg/kubelet/config). */
function podsText(k: Kubelet): string {
  const items = listObjects(k.server, 'pods').filter(pod => pod.spec?.nodeName === k.nodeName);
  const known = items.map(pod => {
    const { annotations = {} } = pod.metadata;
    const seen = pod.status?.startTime;
    const added = { ...(seen && { [SEEN]: seen }), [SOURCE]: 'api', ...annotations };
    return { ...pod, metadata: { ...pod.metadata, annotations: added } };
  });
  const list = inGoOrder({ kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '' }, items: known as KubeObject[] });
  return jsonText({ ...(list as object), metadata: {}, items: (list as { items: KubeObject[] }).items.map(bare) }, false);
}

const bare = ({ kind: _kind, apiVersion: _apiVersion, ...rest }: KubeObject) => rest;

const failed = (s: Status): Reply => text(s.code ?? 500, s.message ?? '');

function* containerLogs(k: Kubelet, [namespace, name, container]: string[], query: Query): Co<Reply> {
  const pod = getObject(k.server, 'pods', namespace, name);
  if (pod?.spec?.nodeName !== k.nodeName) return text(404, `pod ${JSON.stringify(name)} does not exist`);
  const lists = [pod.spec.containers, pod.spec.initContainers, pod.spec.ephemeralContainers].flatMap(l => l ?? []);
  if (!lists.some((c: { name: string }) => c.name === container))
    return text(404, `container ${JSON.stringify(container)} not found in pod ${JSON.stringify(name)}`);
  const value = (key: string) => query.get(key)?.[0];
  const is = (key: string) => /^(|1|t|true)$/i.test(value(key) ?? 'false');
  if (is('follow')) return text(501, "podnet's kubelet does not model a log that is followed here: kubectl logs -f does\n");
  const number = (key: string) => (value(key) ? Number(value(key)) : undefined);
  const tail = value('tail') && value('tail') !== 'all' ? number('tail') : number('tailLines');
  const pipe = podLogs(k, pod, container, {
    follow: false,
    previous: is('previous'),
    timestamps: is('timestamps'),
    tailLines: tail,
    sinceSeconds: number('sinceSeconds'),
    sinceTime: value('sinceTime') || undefined,
    limitBytes: number('limitBytes'),
  });
  if ('status' in pipe) return failed(pipe);
  return { status: 200, headers: [['Transfer-Encoding', 'chunked']], body: yield* readAll(k.server.sim, pipe) };
}

/** A command in a container, and what it has said; also by the old path with the pod's uid. */
function* run(k: Kubelet, where: string[], req: Served, query: Query): Co<Reply> {
  const [namespace, name] = where;
  const pod = getObject(k.server, 'pods', namespace, name);
  if (pod?.spec?.nodeName !== k.nodeName) return text(404, 'pod does not exist');
  const form = splitTarget(`/?${bytesToString(req.body)}`).query;
  const argv = ((form.get('cmd') ?? query.get('cmd'))?.[0] ?? '').split(' ');
  const session = execInPod(k, pod, where[where.length - 1], argv, { stdin: false, tty: false });
  if (!('stdout' in session)) return text(500, (session.message ?? '').replace(/^unable to upgrade connection: /, ''));
  const { sim } = k.server;
  const out = bytesToString(yield* readAll(sim, session.stdout)) + bytesToString(yield* readAll(sim, session.stderr));
  if (session.exitCode) return text(500, `command '${argv.join(' ')}' exited with ${session.exitCode}: ${out}`);
  return json(out);
}

/** /var/log of the machine. */
function systemLogs(k: Kubelet, rest: string[], req: Served): Reply {
  const fs = k.deps.rootfs?.();
  if (!fs) return notFound();
  const at = (path: string) => `/var/log${path === '/' ? '' : path}`;
  const tree: FileTree = {
    look: path => {
      const node = lookup(fs, at(path));
      return typeof node === 'string' ? null : { directory: node.kind === 'dir', mtimeMs: node.mtimeMs };
    },
    list: path => {
      const entries = listDir(fs, at(path));
      return typeof entries === 'string' ? [] : [...entries.keys()];
    },
    read: path => {
      const data = readFile(fs, at(path));
      return typeof data === 'string' ? new Uint8Array(0) : data;
    },
  };
  const query = req.target.includes('?') ? req.target.slice(req.target.indexOf('?')) : '';
  // Without its slash the folder itself is meant.
  return goFileReply(tree, rest.length ? `/${rest.join('/')}` : '', query, header(req.headers, 'If-Modified-Since'));
}

// kubectl on a machine of the cluster: its kubeconfig and its manifests are the machine's files, and its requests go to whoever takes its
// connection, as whom the kubeconfig names.
import { isTrusted, refusal, userOf } from '../apiserver/authorize.ts';
import { userOfToken } from '../apiserver/reviews.ts';
import { failure as apiFailure } from '../apiserver/status.ts';
import type { ApiRequest, ApiResponse, Status } from '../apiserver/types.ts';
import { endpointOf } from '../cluster/components/component.ts';
import { caCertificate } from '../cluster/pki.ts';
import { reachApiserver } from '../cluster/reach-api.ts';
import type { Engine } from '../cluster/types.ts';
import { errorText, fail, isFailure } from '../kubectl/failure.ts';
import { pathError } from '../kubectl/files.ts';
import type { ClientEntry, Connection, FileError, FileInfo, Kubeconfig, KubectlHost } from '../kubectl/host.ts';
import { emptyKubeconfig, kubeconfigBytes, parseKubeconfig } from '../kubectl/kubeconfig.ts';
import { kubectl } from '../kubectl/main.ts';
import { withLoadedPreferences } from '../kubectl/preferences.ts';
import { complain, runChild } from '../linux/process.ts';
import type { Errno, Process, Program } from '../linux/types.ts';
import { absolute, listDir, lookup, makeDir, newFile, place, readFile, remove, writeFile } from '../linux/vfs.ts';
import { bytesToString, unbase64 } from '../sim/bytes.ts';
import type { Co } from '../sim/task.ts';
import { klogStamp } from '../sim/time.ts';
import { goDistrust } from '../userland/go-verify.ts';
import { distrust } from '../userland/trust.ts';
import { certificateOf } from '../userland/x509.ts';
import { parseIp } from '../wire/ip.ts';

/** What a kubeconfig's user is to the server. `groups`: beside those of everybody of its kind. */
interface Who {
  name: string;
  groups: string[];
}

const KNOWN: readonly string[] = ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR', 'EEXIST'];
const fileError = (e: Errno): FileError => (KNOWN.includes(e) ? e : 'EIO') as FileError;

/** A process's own files, and the cluster as that machine reaches it. `connection`: the server's, once something was reached. */
function machineHost(engine: Engine, p: Process, connection: Connection): KubectlHost {
  const at = (path: string) => absolute(path, p.cwd);
  const asError = (e: Errno | null) => (e === null ? null : fileError(e));
  const read = (path: string) => {
    const data = readFile(p.fs, at(path), p);
    return typeof data === 'string' ? fileError(data) : data;
  };
  return {
    sim: p.kernel.sim,
    connect: entry => connect({ engine, p, connection, read }, entry),
    kubeconfig: kubeconfigOf(p, read),
    stdin: p.stdin,
    stdout: p.stdout,
    stderr: p.stderr,
    // The files of $KUBECONFIG are those of `kubeconfig`.
    env: { ...Object.fromEntries(p.env), KUBECONFIG: undefined },
    cwd: p.cwd,
    readFile: read,
    writeFile: (path, data, mode) => {
      const error = writeFile(p.fs, at(path), data, p);
      const node = error || mode === undefined ? null : lookup(p.fs, at(path), p);
      if (node && typeof node !== 'string' && node.kind === 'file') node.mode = mode as number;
      return asError(error);
    },
    makeDir: path => asError(makeDir(p.fs, at(path), p)),
    removeFile: path => asError(remove(p.fs, at(path), p)),
    stat: path => stat(p, at(path)),
    listDir: path => {
      const found = listDir(p.fs, at(path), p);
      return typeof found === 'string' ? fileError(found) : [...found.keys()].sort();
    },
    runProgram: argv => runChild(p, argv),
  };
}

function stat(p: Process, path: string): FileInfo | FileError {
  const own = lookup(p.fs, path, p, false);
  const real = lookup(p.fs, path, p);
  if (typeof own === 'string') return fileError(own);
  if (typeof real === 'string') return fileError(real);
  const data = real.kind === 'file' ? readFile(p.fs, path, p) : '';
  const { mtimeMs } = real;
  const mode = real.kind === 'symlink' ? 0o777 : real.mode;
  return { directory: real.kind === 'dir', mode, size: data.length, mtimeMs, link: own.kind === 'symlink' ? own.target : undefined };
}

type Read = (path: string) => Uint8Array | FileError;

/** ClientConfigLoadingRules (client-go v0.36.3 tools/clientcmd/loader.go): $KUBECONFIG's files, the first word on something wins; or ~/.kube/config. */
function kubeconfigOf(p: Process, read: Read): KubectlHost['kubeconfig'] {
  const named = (p.env.get('KUBECONFIG') ?? '').split(':').filter(Boolean);
  const files = named.length ? named : [`${p.env.get('HOME') ?? ''}/.kube/config`];
  let loaded: Kubeconfig | null = null;
  const load = () => {
    const texts = files.flatMap(path => {
      const data = read(path);
      if (data === 'ENOENT') return [];
      return typeof data === 'string' ? fail(`error loading config file "${path}": ${pathError('open', path, data)}`) : [{ path, data }];
    });
    if (named.length && !texts.length)
      complain(
        p,
        `W${klogStamp(Math.floor(p.kernel.sim.nowMs))} ${String(p.pid).padStart(7)} loader.go:223] Config not found: ${named.join(', ')}\n`,
      );
    return texts.map(t => parseKubeconfig(t.path, t.data)).reduce(merge, emptyKubeconfig());
  };
  return {
    path: files[0],
    load: () => (loaded ??= load()),
    save: config => {
      const error = writeFile(p.fs, absolute(files[0], p.cwd), kubeconfigBytes(config), p);
      if (error) fail(pathError('open', files[0], fileError(error)));
      loaded = config;
    },
  };
}

function merge(into: Kubeconfig, from: Kubeconfig): Kubeconfig {
  const all = <T extends { name: string }>(a: T[], b: T[]) => [...a, ...b.filter(x => !a.some(y => y.name === x.name))];
  return {
    ...into,
    clusters: all(into.clusters, from.clusters),
    users: all(into.users, from.users),
    contexts: all(into.contexts, from.contexts),
    'current-context': into['current-context'] || from['current-context'],
  };
}

interface Client {
  engine: Engine;
  p: Process;
  connection: Connection;
  read: Read;
}

function connect(c: Client, entry: ClientEntry): Connection | { unreached: string } | null {
  const url = entry.server || 'http://localhost:8080';
  const to = endpointOf(url);
  if (!to) fail(`podnet: kubectl here takes a server as https://HOST:PORT, not "${entry.server}"`);
  const { cluster = {} } = entry;
  const authority = pem(c, cluster, 'certificate-authority');
  const secure = url.startsWith('https:');
  const name = cluster['tls-server-name'] || to.host;
  const own = secure ? pem(c, entry.user ?? {}, 'client-certificate') : null;
  const certificate = own === null ? null : certificateOf(own);
  const hello = { sni: parseIp(name) ? null : name, alpn: ['h2', 'http/1.1'], postQuantum: true, ...(certificate ? { certificate } : {}) };
  const reached = reachApiserver(c.engine, c.p, { ...to, tls: secure ? hello : null });
  if ('error' in reached) return { unreached: reached.error };
  if (reached.certificate && !cluster['insecure-skip-tls-verify']) {
    const why = goDistrust(reached.certificate, authority, name, c.p.kernel.sim.nowMs);
    if (why) return { unreached: why };
  }
  if (!reached.apiserver) fail(`podnet: what listens at ${url} is not kube-apiserver: what it answers to kubectl is not modelled`);
  if (!secure) fail('Client sent an HTTP request to an HTTPS server.');
  return asUser(c.connection, identity(c, entry));
}

/** NAME-data, or the file NAME; null: neither is there. */
function pem(c: Client, entry: Record<string, any>, name: string): string | null {
  const data = unbase64(entry[`${name}-data`] ?? '');
  if (data?.length) return bytesToString(data);
  const path = entry[name];
  if (!path) return null;
  const file = c.read(path);
  return typeof file === 'string'
    ? fail(`unable to read ${name.replace('client-certificate', 'client-cert')} ${path} due to ${pathError('open', path, file)}`)
    : bytesToString(file);
}

/** Whom the server takes the client for; null: for nobody whom it knows (401). */
function identity(c: Client, { user = {} }: ClientEntry): Who | null {
  const certificate = pem(c, user, 'client-certificate');
  const file = user.tokenFile ? c.read(user.tokenFile) : '';
  const token = user.token || (typeof file === 'string' ? '' : bytesToString(file).trim());
  if (certificate) {
    const read = certificateOf(certificate);
    const part = (key: string) => [...(read?.subject ?? '').matchAll(new RegExp(`(?:^|, )${key} = ([^,]*)`, 'g'))].map(m => m[1]);
    const [name] = part('CN');
    const { server } = c.engine;
    const signed = read && !distrust(read, caCertificate(server), server.sim.nowMs);
    return name && signed ? { name, groups: part('O') } : null;
  }
  if (!token) return { name: 'system:anonymous', groups: [] };
  const name = userOfToken(token);
  return name ? { name, groups: [] } : null;
}

/** The server's answers to somebody: `--as` is asked for first (pkg/endpoints/filters/impersonation). */
function asUser(connection: Connection, who: Who | null): Connection {
  const { server } = connection;
  const refused = (req: ApiRequest): Status | null => {
    if (!who) return apiFailure(401, 'Unauthorized', 'Unauthorized');
    if (req.user === undefined || isTrusted(who.name) || userOf(who.name, who.groups).groups.includes('system:masters')) return null;
    const asked: [string, string][] = [['users', req.user], ...(req.groups ?? []).map((g): [string, string] => ['groups', g])];
    for (const [resource, name] of asked) {
      const ask = { verb: 'impersonate' as never, group: '', version: 'v1', resource, name, user: who.name, groups: who.groups };
      const status = refusal(server, ask, false);
      if (status) return status;
    }
    return null;
  };
  const as = (req: ApiRequest): ApiRequest => (req.user === undefined && who ? { ...req, user: who.name, groups: who.groups } : req);
  const answer = (status: Status): ApiResponse => ({ code: status.code ?? 500, body: status, warnings: [] });
  return {
    ...connection,
    request: req => {
      const status = refused(req);
      return status ? answer(status) : connection.request(as(req));
    },
    watch: (req, onEvent) => refused(req) ?? connection.watch(as(req), onEvent),
  };
}

/** kubectl and k on every node. Its verbs must have been loaded (loadAllVerbs). */
export function placeOnMachines(engine: Engine, connection: Connection): void {
  const program: Program = p => runKubectl(machineHost(engine, p, connection), p);
  for (const node of engine.nodes.values())
    for (const path of ['/usr/bin/kubectl', '/usr/local/bin/k']) place(node.rootfs(), path, { ...newFile('\u007fELF', 0o755), program });
}

/** kubectl with the user's preferences. */
export function* runKubectl(around: KubectlHost, p: Process): Co<number> {
  let words: string[];
  try {
    words = withLoadedPreferences(p.argv.slice(1), { ...around, warn: text => complain(p, text) });
  } catch (e) {
    if (!isFailure(e)) throw e;
    complain(p, errorText(e));
    return e.code;
  }
  return yield* kubectl(words, around);
}

// kubeadm token: bootstrap tokens are Secrets of kube-system (cmd/kubeadm/app/cmd/token.go v1.36.3). Nothing signs cluster-info by them and
// nothing takes them away when they have expired; no machine joins.

import { createObject, deleteObject } from '../../../apiserver/client.ts';
import { isStatus } from '../../../apiserver/status.ts';
import { getObject, listObjects } from '../../../apiserver/store.ts';
import type { KubeObject } from '../../../apiserver/types.ts';
import { print } from '../../../linux/process.ts';
import type { Process } from '../../../linux/types.ts';
import { base64, bytesToString, hex, stringToBytes, unbase64 } from '../../../sim/bytes.ts';
import { goQuote } from '../../../sim/quote.ts';
import { below } from '../../../sim/random.ts';
import { sha256 } from '../../../sim/sha256.ts';
import type { Co } from '../../../sim/task.ts';
import { parseRfc3339, rfc3339 } from '../../../sim/time.ts';
import { certificatesIn } from '../../../userland/x509.ts';
import { apiserverUp } from '../../control-plane.ts';
import { caCertificate } from '../../pki.ts';
import type { NodeRuntime } from '../../types.ts';
import { textAt } from '../unit-files.ts';
import { failed, tabbed } from './words.ts';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
const PATTERN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP = 'system:bootstrappers:kubeadm:default-node-token';

const fieldOf = (secret: KubeObject, key: string): string => bytesToString(unbase64(secret.data?.[key] ?? '') ?? new Uint8Array(0));

function option(args: string[], name: string): string | undefined {
  const at = args.findIndex(w => w === `--${name}` || w.startsWith(`--${name}=`));
  return at < 0 ? undefined : args[at].includes('=') ? args[at].slice(name.length + 3) : args[at + 1];
}

function generate(p: Process): string {
  const some = (n: number) => Array.from({ length: n }, () => ALPHABET[below(p.kernel.sim.random, 36)]).join('');
  return `${some(6)}.${some(16)}`;
}

export function* token(node: NodeRuntime, p: Process, sub: string, args: string[]): Co<number> {
  if (sub === 'generate') {
    print(p, `${generate(p)}\n`);
    return 0;
  }
  if (!['create', 'list', 'delete'].includes(sub))
    return failed(
      p,
      sub ? `unknown command ${goQuote(sub)} for "kubeadm token"` : 'missing subcommand; "token" is not meant to be run on its own',
    );
  const conf = option(args, 'kubeconfig') ?? '/etc/kubernetes/admin.conf';
  if (textAt(node.look().rootfs, conf) === null)
    return failed(p, 'failed to load admin kubeconfig: open /root/.kube/config: no such file or directory');
  if (!apiserverUp(node.engine)) {
    const url = `${node.apiServer}/api/v1/namespaces/kube-system/secrets?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken`;
    return failed(
      p,
      `failed to list bootstrap tokens: Get ${goQuote(url)}: dial tcp ${node.apiServer.replace('https://', '')}: connect: connection refused`,
    );
  }
  if (sub === 'list') return list(node, p);
  if (sub === 'delete')
    return remove(
      node,
      p,
      args.filter(w => !w.startsWith('-')),
    );
  return create(node, p, args);
}

function list(node: NodeRuntime, p: Process): number {
  const now = node.engine.server.sim.nowMs;
  const secrets = listObjects(node.engine.server, 'secrets').filter(
    s => s.metadata.namespace === 'kube-system' && s.type === 'bootstrap.kubernetes.io/token',
  );
  for (const [i, s] of secrets.entries()) {
    const expires = fieldOf(s, 'expiration');
    const until = parseRfc3339(expires);
    const usages = ['authentication', 'signing'].filter(u => fieldOf(s, `usage-bootstrap-${u}`) === 'true').join(',');
    const row = [
      `${fieldOf(s, 'token-id')}.${fieldOf(s, 'token-secret')}`,
      (until === null ? '<forever>' : ttl(until - now)).padEnd(9),
      expires || '<never>',
      (usages || '<none>').padEnd(22),
      (fieldOf(s, 'description') || '<none>').padEnd(56),
      fieldOf(s, 'auth-extra-groups') || '<none>',
    ];
    // Each row is a table of its own, the first one with the head.
    const text = tabbed([['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], row]);
    print(p, i ? text.slice(text.indexOf('\n') + 1) : text);
  }
  return 0;
}

/** duration.ShortHumanDuration. */
function ttl(ms: number): string {
  const s = Math.trunc(ms / 1000);
  if (s < -1) return '<invalid>';
  if (s < 0) return '0s';
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.trunc(s / 60)}m`;
  if (s < 86_400) return `${Math.trunc(s / 3600)}h`;
  if (s < 86_400 * 365) return `${Math.trunc(s / 86_400)}d`;
  return `${Math.trunc(s / 86_400 / 365)}y`;
}

function remove(node: NodeRuntime, p: Process, names: string[]): number {
  if (!names.length) return failed(p, 'missing subcommand; "token delete" is missing token of form {"^\\\\A([a-z0-9]{6})\\\\z$"}');
  for (const given of names) {
    const id = PATTERN.exec(given)?.[1] ?? (/^[a-z0-9]{6}$/.test(given) ? given : null);
    if (!id) return failed(p, `given token didn't match pattern "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z" or "\\\\A([a-z0-9]{6})\\\\z"`);
    const gone = deleteObject(node.engine.server, 'secrets', 'kube-system', `bootstrap-token-${id}`);
    if (isStatus(gone) && gone.status === 'Failure') return failed(p, `failed to delete bootstrap token ${goQuote(id)}: ${gone.message}`);
    print(p, `bootstrap token ${goQuote(id)} deleted\n`);
  }
  return 0;
}

/** Go's durations as flags take them; null: none. */
function milliseconds(text: string): number | null {
  if (text === '0') return 0;
  const m = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  return m && text ? (Number(m[1] ?? 0) * 3600 + Number(m[2] ?? 0) * 60 + Number(m[3] ?? 0)) * 1000 : null;
}

function create(node: NodeRuntime, p: Process, args: string[]): number {
  const { server } = node.engine;
  const given = args.find(w => PATTERN.test(w));
  const stray = args.find(
    (w, i) => !w.startsWith('-') && w !== given && !/^--(ttl|description|kubeconfig|groups|usages)$/.test(args[i - 1] ?? ''),
  );
  if (stray) return failed(p, `the bootstrap token ${goQuote(stray)} was not of the form "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"`);
  const value = given ?? generate(p);
  const ttlText = option(args, 'ttl') ?? '24h0m0s';
  const life = milliseconds(ttlText);
  if (life === null) return failed(p, `invalid argument ${goQuote(ttlText)} for "--ttl" flag: time: invalid duration ${goQuote(ttlText)}`);
  const [, id, secret] = PATTERN.exec(value) as RegExpExecArray;
  if (getObject(server, 'secrets', 'kube-system', `bootstrap-token-${id}`))
    return failed(p, `a token with id ${goQuote(id)} already exists`);
  const data: Record<string, string> = {
    'auth-extra-groups': GROUP,
    ...(option(args, 'description') ? { description: option(args, 'description') as string } : {}),
    ...(life ? { expiration: rfc3339(server.sim.nowMs + life) } : {}),
    'token-id': id,
    'token-secret': secret,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
  };
  const made = createObject(
    server,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      data: Object.fromEntries(Object.entries(data).map(([k, v]) => [k, base64(stringToBytes(v))])),
    },
    'kubernetes-admin',
    'kubeadm',
  );
  if (isStatus(made)) return failed(p, made.message ?? '');
  const join = args.some(w => w === '--print-join-command' || w === '--print-join-command=true');
  print(
    p,
    join
      ? `kubeadm join ${node.apiServer.replace('https://', '')} --token ${value} --discovery-token-ca-cert-hash sha256:${pin(node)} \n`
      : `${value}\n`,
  );
  return 0;
}

/** The hash of the authority's public key. */
const pin = (node: NodeRuntime): string => hex(sha256(certificatesIn(caCertificate(node.engine.server))[0].spki));

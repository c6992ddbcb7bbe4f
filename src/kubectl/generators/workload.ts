// create deployment, job, cronjob, service, ingress, poddisruptionbudget (k8s.io/kubectl v0.36.3, pkg/cmd/create).

import { parseSelector } from '../../apiserver/labels.ts';
import { formatQuantity, parseQuantity } from '../../apiserver/quantity.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { safeString } from '../../sim/random.ts';
import { type Cmd, flag, int, list } from '../command.ts';
import { fail, failure } from '../failure.ts';

export const intOrString = (s: string): number | string => (/^[+-]?\d+$/.test(s) ? Number(s) : s);

/** The container's name is the image's, without registry, tag and digest. */
function containerName(cmd: Cmd, image: string): string {
  const name = (image.split('/').at(-1) as string).split(':')[0].split('@')[0];
  return /[_.]/.test(name) ? `${name.replace(/[_.]/g, '-')}-${safeString(cmd.host.sim.random, 5)}` : name;
}

export function deployment(cmd: Cmd, name: string, command: string[]): KubeObject {
  const images = list(cmd, 'image');
  if (images.length > 1 && command.length) fail('cannot specify multiple --image options and command');
  const containers: any[] = images.map(image => ({
    name: containerName(cmd, image),
    image,
    command: command.length ? command : undefined,
    resources: {},
  }));
  const port = int(cmd, 'port');
  if (port >= 0 && containers.length) containers[0].ports = [{ containerPort: port }];
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: int(cmd, 'replicas'),
      selector: { matchLabels: labels },
      strategy: {},
      template: { metadata: { labels }, spec: { containers } },
    },
    status: {},
  };
}

const podTemplate = (name: string, image: string, command: string[], restartPolicy: string) => ({
  metadata: {},
  spec: { containers: [{ name, image, command: command.length ? command : undefined, resources: {} }], restartPolicy },
});

export function job(cmd: Cmd, name: string, command: string[]): KubeObject {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: podTemplate(name, flag(cmd, 'image'), command, 'Never') },
    status: {},
  };
}

export function jobFromCronJob(name: string, cronJob: KubeObject): KubeObject {
  if (cronJob.kind !== 'CronJob') fail(`unknown object type *${cronJob.apiVersion.split('/').at(-1)}.${cronJob.kind}`);
  const template = cronJob.spec.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      annotations: { 'cronjob.kubernetes.io/instantiate': 'manual', ...template.metadata?.annotations },
      labels: template.metadata?.labels,
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: cronJob.metadata.name, uid: cronJob.metadata.uid ?? '', controller: true },
      ],
    },
    spec: template.spec,
    status: {},
  };
}

export function cronJob(cmd: Cmd, name: string, command: string[]): KubeObject {
  const restart = flag(cmd, 'restart') || 'OnFailure';
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name },
    spec: {
      schedule: flag(cmd, 'schedule'),
      jobTemplate: { metadata: { name }, spec: { template: podTemplate(name, flag(cmd, 'image'), command, restart) } },
    },
    status: {},
  };
}

/** parsePorts: `80:8080`, `443`, `80:http`. */
function servicePorts(spec: string): { port: number; targetPort: number | string } {
  const [first, second] = spec.split(':');
  if (!/^\d+$/.test(first)) fail(`strconv.ParseUint: parsing ${goQuote(first)}: invalid syntax`);
  if (Number(first) > 65535) fail(`strconv.ParseUint: parsing ${goQuote(first)}: value out of range`);
  const port = Number(first);
  if (second === undefined) return { port, targetPort: port };
  const target = intOrString(second);
  if (typeof target === 'number') {
    if (target < 1 || target > 65535) fail('must be between 1 and 65535, inclusive');
  } else {
    const errors: string[] = [];
    if (target.length > 15) errors.push('must be no more than 15 characters');
    if (!/^[-a-z0-9]+$/.test(target)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
    if (!/[a-z]/.test(target)) errors.push('must contain at least one letter (a-z)');
    if (target.includes('--')) errors.push('must not contain consecutive hyphens');
    if (/^-|-$/.test(target)) errors.push('must not begin or end with a hyphen');
    if (errors.length) fail(errors.join(','));
  }
  return { port, targetPort: target };
}

const TYPES: Record<string, string> = {
  clusterip: 'ClusterIP',
  nodeport: 'NodePort',
  loadbalancer: 'LoadBalancer',
  externalname: 'ExternalName',
};

export function service(cmd: Cmd, kind: string, name: string): KubeObject {
  const type = TYPES[kind];
  const tcp = list(cmd, 'tcp');
  const clusterIP = kind === 'clusterip' ? flag(cmd, 'clusterip') : '';
  if (clusterIP === 'None' && type !== 'ClusterIP') fail('ClusterIP=None can only be used with ClusterIP service type');
  if (clusterIP !== 'None' && !tcp.length && type !== 'ExternalName') fail('at least one tcp port specifier must be provided');
  const externalName = type === 'ExternalName' ? flag(cmd, 'external-name') : '';
  if (type === 'ExternalName' && !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(externalName))
    fail(`invalid service external name ${externalName}`);
  const nodePort = kind === 'nodeport' ? int(cmd, 'node-port') : 0;
  const ports = tcp.map(spec => ({
    name: spec.replaceAll(':', '-'),
    protocol: 'TCP',
    ...servicePorts(spec),
    nodePort: nodePort || undefined,
  }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: { app: name } },
    spec: {
      type,
      selector: { app: name },
      ports: ports.length ? ports : undefined,
      externalName: externalName || undefined,
      clusterIP: clusterIP || undefined,
    },
    status: { loadBalancer: {} },
  };
}

const RULE = /^[\w*\-.]*\/.*=[\w-]+:[\w-]+(,tls=?([\w-]+)?)?/;

function backend(text: string): any {
  const [name, port] = text.split(':');
  const p = intOrString(port);
  return { service: { name, port: typeof p === 'number' ? { number: p } : { name: p } } };
}

export function ingress(cmd: Cmd, name: string): KubeObject {
  const rules = list(cmd, 'rule');
  const fallback = flag(cmd, 'default-backend');
  const annotations = list(cmd, 'annotation');
  if (!fallback && !rules.length)
    fail(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  for (const r of rules) if (!RULE.test(r)) fail(`rule ${r} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  for (const a of annotations) if (!a.includes('=')) fail(`annotation ${a} is invalid and should be in format key=[value]`);
  if (fallback && fallback.split(':').length !== 2) fail('default-backend should be in format servicename:serviceport');
  const hosts: any[] = [];
  for (const r of rules) {
    const [host, rest] = split2(r.split(',')[0], '/');
    const [pathText, svc] = rest.split('=');
    const prefix = `/${pathText}`.endsWith('*');
    const path = {
      path: prefix ? `/${pathText}`.slice(0, -1) : `/${pathText}`,
      pathType: prefix ? 'Prefix' : 'Exact',
      backend: backend(svc),
    };
    const same = hosts.find(h => (h.host ?? '') === host);
    if (same) same.http.paths.push(path);
    else hosts.push({ host: host || undefined, http: { paths: [path] } });
  }
  const tls = tlsRules(rules);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, annotations: annotations.length ? Object.fromEntries(annotations.map(a => split2(a, '='))) : undefined },
    spec: {
      ingressClassName: flag(cmd, 'class') || undefined,
      defaultBackend: fallback ? backend(fallback) : undefined,
      tls: tls.length ? tls : undefined,
      rules: hosts.length ? hosts : undefined,
    },
    status: { loadBalancer: {} },
  };
}

const split2 = (s: string, by: string): [string, string] => {
  const at = s.indexOf(by);
  return at < 0 ? [s, ''] : [s.slice(0, at), s.slice(at + 1)];
};

function tlsRules(rules: string[]): any[] {
  const out: any[] = [];
  const seen = new Set<string>();
  for (const r of rules) {
    const parts = r.split(',');
    if (parts.length !== 2) continue;
    const host = r.split('/')[0];
    const secret = parts[1].split('=')[1] ?? '';
    if (seen.has(host)) continue;
    seen.add(host);
    const same = out.find(t => (t.secretName ?? '') === secret);
    if (same) same.hosts = [...(same.hosts ?? []), host];
    else if (host || secret) out.push({ hosts: host ? [host] : undefined, secretName: secret || undefined });
  }
  return out;
}

export function podDisruptionBudget(cmd: Cmd, name: string): KubeObject {
  const [selector, min, max] = [flag(cmd, 'selector'), flag(cmd, 'min-available'), flag(cmd, 'max-unavailable')];
  if (!name) fail('name must be specified');
  if (!selector) fail('a selector must be specified');
  if (!max && !min) fail('one of min-available or max-unavailable must be specified');
  if (max && min) fail('min-available and max-unavailable cannot be both specified');
  if (min && !/^[0-9]+%?$/.test(min)) fail('invalid format specified for min-available');
  if (max && !/^[0-9]+%?$/.test(max)) fail('invalid format specified for max-unavailable');
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name },
    spec: {
      selector: labelSelector(selector),
      minAvailable: min ? intOrString(min) : undefined,
      maxUnavailable: !min && max ? intOrString(max) : undefined,
    },
    status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  };
}

/** metav1.ParseToLabelSelector */
export function labelSelector(text: string): any {
  const wrong = parseSelector(text);
  if (typeof wrong === 'string') throw failure(`couldn't parse the selector string ${goQuote(text)}: ${wrong}`);
  const out: any = {};
  for (const part of text.match(/(?:[^,(]|\([^)]*\))+/g) ?? []) {
    const s = part.trim();
    const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(s);
    const eq = /^([^!=\s]+)\s*(?:=|==)\s*(.*)$/.exec(s);
    const ne = /^([^!=\s]+)\s*!=\s*(.*)$/.exec(s);
    const expressions = () => (out.matchExpressions ??= []);
    if (set) expressions().push({ key: set[1], operator: set[2] === 'in' ? 'In' : 'NotIn', values: set[3].split(',').map(v => v.trim()) });
    else if (ne) expressions().push({ key: ne[1], operator: 'NotIn', values: [ne[2]] });
    else if (eq) (out.matchLabels ??= {})[eq[1]] = eq[2].replace(/^=/, '');
    else if (s.startsWith('!')) expressions().push({ key: s.slice(1), operator: 'DoesNotExist' });
    else expressions().push({ key: s, operator: 'Exists' });
  }
  return out;
}

/** generateversioned.populateResourceListV1: `cpu=100m,memory=256Mi`. */
export function resourceList(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const word of text ? text.split(',') : []) {
    const parts = word.split('=');
    if (parts.length !== 2) fail(`Invalid argument syntax ${word}, expected <resource>=<value>`);
    const q = parseQuantity(parts[1]);
    result[parts[0]] = typeof q === 'string' ? fail(q) : formatQuantity(q);
  }
  return result;
}

// What is asked of a running pod: its log, a program in it, a port of it (pkg/registry/core/pod/strategy.go v1.36.3).
import { refusal } from '../authorize.ts';
import { badRequest, isStatus, notFound } from '../status.ts';
import { getObject } from '../store.ts';
import type { ApiRequest, KubeObject, Status } from '../types.ts';
import { type ConnectRequest, type Exchange, first, flag, type HttpAnswer, type LogRequest } from './message.ts';

type Refuse = (s: Status) => HttpAnswer;

function podOf(x: Exchange, req: ApiRequest): KubeObject | Status {
  const refused = refusal(x.server, req, true);
  if (refused) return refused;
  return getObject(x.server, 'pods', req.namespace, req.name ?? '') ?? notFound('', 'pods', req.name ?? '');
}

const namesOf = (list: { name: string }[] | undefined): string[] => (list ?? []).map(c => c.name);

/** The container that is asked for; the only one when none is. */
function containerOf(pod: KubeObject, wanted: string | undefined): string | Status {
  const containers = namesOf(pod.spec.containers);
  const inits = namesOf(pod.spec.initContainers);
  const all = [...containers, ...inits, ...namesOf(pod.spec.ephemeralContainers)];
  const { name } = pod.metadata;
  if (wanted) return all.includes(wanted) ? wanted : badRequest(`container ${wanted} is not valid for pod ${name}`);
  if (containers.length === 1) return containers[0];
  const others = inits.length ? ` or one of the init containers: [${inits.join(' ')}]` : '';
  return badRequest(`a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]${others}`);
}

export function logOf(x: Exchange, req: ApiRequest, refuse: Refuse): HttpAnswer {
  const pod = podOf(x, req);
  if (isStatus(pod)) return refuse(pod);
  const container = containerOf(pod, first(x.query, 'container'));
  if (typeof container !== 'string') return refuse(container);
  const number = (name: string) => (first(x.query, name) ? Number(first(x.query, name)) : undefined);
  const log: LogRequest = {
    pod,
    container,
    follow: flag(x.query, 'follow'),
    previous: flag(x.query, 'previous'),
    timestamps: flag(x.query, 'timestamps'),
    tailLines: number('tailLines'),
    sinceSeconds: number('sinceSeconds'),
    sinceTime: first(x.query, 'sinceTime') || undefined,
    limitBytes: number('limitBytes'),
  };
  return { kind: 'log', log };
}

export function connectPod(x: Exchange, req: ApiRequest, subresource: ConnectRequest['subresource'], refuse: Refuse): HttpAnswer {
  // Whoever opens a stream creates something, whatever the method (pkg/endpoints/request/requestinfo.go).
  const pod = podOf(x, { ...req, verb: x.request.method === 'GET' ? 'get' : 'create' });
  if (isStatus(pod)) return refuse(pod);
  const container = subresource === 'portforward' ? '' : containerOf(pod, first(x.query, 'container'));
  if (typeof container !== 'string') return refuse(container);
  const { query } = x;
  const connect: ConnectRequest = {
    subresource,
    pod,
    container,
    command: query.get('command') ?? [],
    stdin: flag(query, 'stdin'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr'),
    tty: flag(query, 'tty'),
    ports: (query.get('ports') ?? []).flatMap(p => p.split(',').map(Number)),
  };
  if (subresource === 'exec' && !connect.command.length)
    return refuse(badRequest('you must specify at least one command for the container'));
  return { kind: 'connect', connect };
}

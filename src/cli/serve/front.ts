// The API's door for everybody who comes by HTTP: every request is one transaction on the session, as a command is.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { HttpAnswer, HttpBackend, HttpRequest } from '../../apiserver/http/message.ts';
import { httpRequest } from '../../apiserver/http/request.ts';
import { jsonSyntaxError } from '../../kubectl/json-scan.ts';
import { readYaml } from '../../kubectl/yaml-read.ts';
import { toYaml } from '../../kubectl/yaml-write.ts';
import { type Live, passStart, transact } from '../live.ts';
import { type ClusterHandle, currentCluster, type Machine } from '../machine.ts';
import type { Onlooker } from '../onlooker.ts';
import { START_MS } from '../run.ts';
import { SessionError } from '../session.ts';
import { follow, newHistory } from './history.ts';

/** Commits of this process reach its watches from now on. */
export function newFront(live: Live): Front {
  const front: Front = {
    live,
    history: newHistory(live.machine.session),
    token: randomBytes(24).toString('base64url'),
    codecs: { fromYaml: readYaml, toYaml, jsonError: text => jsonSyntaxError(text).text },
    settled: new Set(),
    watching: new Set(),
    aheadMs: 0,
    restless: false,
  };
  live.committed = () => follow(front.history);
  return front;
}

export interface Front extends Onlooker {
  live: Live;
  token: string;
  codecs: Omit<HttpBackend, 'userOfToken'>;
  /** Commands of clients that the cluster has come to rest for. */
  settled: Set<string>;
  /** Watches that are open: time passes for them. */
  watching: Set<{ hurries: boolean }>;
}

/** kubectl verbs that show what happens in the time that other commands skip. */
const PASSES_TIME = /^kubectl (wait|rollout status|events|logs)$/;

/** kubectl verbs that do nothing but wait for something to come true. */
const WAITS = /^kubectl (wait|rollout status|delete)$/;

export const waits = (req: HttpRequest): boolean => WAITS.test(req.headers['kubectl-command'] ?? '');

const MOST_SESSIONS = 1000;

/** `/clusters/NAME/api...` is another cluster's API. */
const OTHER = /^\/clusters\/([^/]+)(\/.*)$/;

export const clusterName = (req: HttpRequest): string | undefined => OTHER.exec(req.target)?.[1];

export function clusterFor(machine: Machine, name: string | undefined): ClusterHandle {
  if (name === undefined) return currentCluster(machine);
  const found = machine.clusters.get(decodeURIComponent(name));
  if (!found) throw new SessionError(`there is no cluster ${name}`);
  return found;
}

/** What the API says; the cluster comes to rest before a command's first request, as it does for podnet's own. */
export function ask(front: Front, req: HttpRequest): { answer: HttpAnswer; machine: Machine; cluster: ClusterHandle } {
  const { live } = front;
  const request = { ...req, target: OTHER.exec(req.target)?.[2] ?? req.target };
  const backend: HttpBackend = { ...front.codecs, userOfToken: token => (sameToken(token, front.token) ? 'kubernetes-admin' : null) };
  front.restless = false;
  const time = timeFor(front, req);
  return transact(live, time === 'settle', machine => {
    if (time === 'start' && [...machine.clusters.values()].some(c => !c.record.quiet)) passStart(machine, START_MS);
    const cluster = clusterFor(machine, clusterName(req));
    return { answer: httpRequest(cluster.server, backend, request), machine, cluster };
  });
}

const sameToken = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** What passes before a request: as before podnet's own commands, once for each command of a client that tells them apart. */
function timeFor(front: Front, req: HttpRequest): 'settle' | 'start' | 'none' {
  const { 'kubectl-session': session, 'kubectl-command': command = '' } = req.headers;
  if (!session) return 'settle';
  if (front.settled.has(session)) return 'none';
  front.settled.add(session);
  if (front.settled.size > MOST_SESSIONS) front.settled.delete(front.settled.values().next().value as string);
  return PASSES_TIME.test(command) ? 'start' : 'settle';
}

// One watch over HTTP (k8s.io/apiserver v0.36.3, pkg/endpoints/handlers/watch.go and pkg/storage/cacher).
import type { ServerResponse } from 'node:http';
import type { WatchOptions } from '../../apiserver/http/message.ts';
import { jsonText, ordered, shaped } from '../../apiserver/http/negotiate.ts';
import { inVersion, watchSelection } from '../../apiserver/read.ts';
import { apiVersionOf } from '../../apiserver/resources.ts';
import { failure, isStatus } from '../../apiserver/status.ts';
import { tableOf } from '../../apiserver/table.ts';
import type { ApiServer, KubeObject, Status } from '../../apiserver/types.ts';
import { compareBytes } from '../../sim/bytes.ts';
import type { Happening, History } from './history.ts';

export interface WatchTarget {
  history: History;
  cluster: string;
  /** The cluster's server as it is by now: it prints the rows of Tables. */
  server: () => ApiServer;
}

/** A bookmark comes about as often as the real server's. */
const BOOKMARK_MS = 60_000;

/** The real server draws between half an hour and an hour when the client names no limit. */
const DEFAULT_TIMEOUT_SECONDS = 1800;

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Answer with events until the client goes, its time is over, or there is nothing to follow any more. `ended` is called once. */
export function streamWatch(res: ServerResponse, target: WatchTarget, w: WatchOptions, ended: () => void): void {
  const cluster = target.history.clusters.get(target.cluster);
  const selection = watchSelection(target.server(), w.request);
  res.writeHead(200, { 'Content-Type': w.shape.yaml ? 'application/yaml' : 'application/json' });
  res.flushHeaders();
  const send = (type: string, object: unknown) => void res.write(jsonText({ type, object: ordered(object) }, false));
  if (!cluster || isStatus(selection)) {
    send('ERROR', isStatus(selection) ? selection : gone('the cluster is not there any more'));
    res.end();
    ended();
    return;
  }
  const { bucket, wants } = selection;
  const show = (o: KubeObject): unknown => {
    const object = inVersion(w.info, o);
    const table = w.shape.as === 'table';
    return shaped(table ? tableOf(target.server(), w.info, [object], object.metadata.resourceVersion ?? '') : object, w.shape);
  };
  const since = w.sendInitialEvents ? 0 : Number(w.resourceVersion || 0);
  let last = cluster.newest;
  const take = (h: Happening) => {
    last = h.revision;
    // Who asks from a revision on that has not come yet waits for it.
    if (h.bucket !== bucket || (since && h.revision <= since)) return;
    const now = h.type !== 'DELETED' && wants(h.object);
    const before = h.type !== 'ADDED' && wants(h.old ?? h.object);
    if (now) send(before ? 'MODIFIED' : 'ADDED', show(h.object));
    else if (before) send('DELETED', show({ ...(h.old ?? h.object), metadata: h.object.metadata }));
  };
  const bookmark = (initial: boolean) => {
    const annotations = initial ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {};
    const metadata = { resourceVersion: String(last), ...annotations };
    const object = { kind: w.info.kind, apiVersion: apiVersionOf(w.info), metadata } as unknown as KubeObject;
    const empty = { ...tableOf(target.server(), w.info, [], String(last)), rows: [{ cells: [], object }] };
    send('BOOKMARK', w.shape.as === 'table' ? shaped(empty, w.shape) : shaped(object, w.shape));
  };
  const stop = () => {
    cluster.followers.delete(follower);
    clearInterval(marks);
    clearTimeout(limit);
    if (!res.writableEnded) res.end();
    ended();
    ended = () => {};
  };
  const follower = {
    take,
    lost: () => {
      send('ERROR', gone('another cluster has taken the place of the one that was watched'));
      stop();
    },
  };
  const refused = since && since < cluster.oldest ? gone(`too old resource version: ${since} (${cluster.oldest})`) : null;
  const marks = setInterval(() => w.allowBookmarks && bookmark(false), BOOKMARK_MS);
  const limit = setTimeout(stop, (w.timeoutSeconds || DEFAULT_TIMEOUT_SECONDS) * 1000);
  res.on('close', stop);
  if (refused) {
    send('ERROR', refused);
    stop();
    return;
  }
  if (since) for (const h of cluster.events) h.revision > since && take(h);
  else initial(cluster.objects.get(bucket), o => wants(o) && send('ADDED', show(o)));
  last = cluster.newest;
  if (w.sendInitialEvents) bookmark(true);
  cluster.followers.add(follower);
}

/** What there is, in the order of a list. */
function initial(objects: Map<string, KubeObject> | undefined, each: (o: KubeObject) => void): void {
  for (const key of [...(objects?.keys() ?? [])].sort(compareBytes)) each(objects?.get(key) as KubeObject);
}

const gone = (message: string): Status => failure(410, 'Expired', message);

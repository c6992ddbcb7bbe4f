// The events at the end of a description (k8s.io/kubectl v0.36.3, pkg/describe/describe.go: searchEvents, DescribeEvents).

import type { KubeList, KubeObject } from '../../apiserver/types.ts';
import { type Cmd, requestRaw } from '../command.ts';
import { translateTimestampSince } from '../time.ts';
import { type Description, flush, put } from './writer.ts';

/** Events about an object. `anyKind`: pods are looked up without their kind. */
export function searchEvents(cmd: Cmd, o: KubeObject, options: { anyKind?: boolean; uid?: string } = {}): KubeObject[] {
  const ns = o.metadata.namespace ?? '';
  const selector = [
    `involvedObject.name=${o.metadata.name}`,
    `involvedObject.namespace=${ns}`,
    options.anyKind ? '' : `involvedObject.kind=${o.kind}`,
    `involvedObject.uid=${options.uid ?? o.metadata.uid ?? ''}`,
  ].filter(Boolean);
  const r = requestRaw(cmd, {
    verb: 'list',
    group: '',
    version: 'v1',
    resource: 'events',
    namespace: ns || undefined,
    query: { fieldSelector: selector.join(',') },
  });
  return r.code >= 400 ? [] : (r.body as KubeList).items;
}

/** Oldest first; insertion keeps the order of equals, as Go's sort does for a dozen. */
export function describeEvents(cmd: Cmd, d: Description, events: KubeObject[] | null): void {
  if (!events) return;
  if (!events.length) {
    put(d, 0, 'Events:\t<none>\n');
    return;
  }
  flush(d);
  const now = cmd.host.sim.nowMs;
  const key = (e: KubeObject) => e.lastTimestamp ?? '';
  const rows = [...events].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  put(d, 0, 'Events:\n  Type\tReason\tAge\tFrom\tMessage\n');
  put(d, 1, '----\t------\t----\t----\t-------\n');
  for (const e of rows) {
    const since = (t: string | undefined) => translateTimestampSince(now, t);
    const first = e.eventTime ? since(e.eventTime) : since(e.firstTimestamp);
    let interval = first;
    if (e.series) interval = `${since(e.series.lastObservedTime)} (x${e.series.count} over ${first})`;
    else if ((e.count ?? 0) > 1) interval = `${since(e.lastTimestamp)} (x${e.count} over ${first})`;
    const source = e.source?.component || e.reportingComponent || '';
    const message = (e.message ?? '').trim();
    const path = e.involvedObject?.fieldPath;
    put(d, 1, `${e.type ?? ''}\t${e.reason ?? ''}\t${interval}\t${source}\t${path ? `${path}: ${message}` : message}\n`);
  }
}

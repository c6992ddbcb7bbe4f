// kubectl events (k8s.io/kubectl v0.36.3, pkg/cmd/events).

import type { KubeObject } from '../../apiserver/types.ts';
import { type Co, waitOn, wakeAll } from '../../sim/task.ts';
import { parseRfc3339 } from '../../sim/time.ts';
import { bool, type Cmd, connect, err, flag, isStatus, list, out } from '../command.ts';
import { fail, statusFailure } from '../failure.ts';
import { findResource, groupVersion, mappingFor, noResourceMatch } from '../mapping.ts';
import { badFormat, printerOf } from '../print-flags.ts';
import { listObjects } from '../requests.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';
import { translateTimestampSince } from '../time.ts';

/** An object of this kind has these, besides what every object has. */
type Event = KubeObject & Record<string, any>;

export function* run(cmd: Cmd): Co<number> {
  const selector = involved(cmd, flag(cmd, 'for'));
  const types = list(cmd, 'types').map(t => t.toLowerCase());
  const print = printerOf(cmd);
  if (flag(cmd, 'output') && !print) badFormat(flag(cmd, 'output'));
  if (types.some(t => t !== 'normal' && t !== 'warning')) fail('valid --types are Normal or Warning');
  const namespace = bool(cmd, 'all-namespaces') ? '' : cmd.namespace;
  const wanted = (e: Event) => !types.length || types.includes(String(e.type).toLowerCase());
  const mapping = mappingFor(connect(cmd), 'events.v1.');
  if (bool(cmd, 'watch')) return yield* watch(cmd, namespace, selector, wanted);
  const events = (listObjects(cmd, mapping, namespace, { fieldSelector: selector || undefined }) as Event[]).filter(wanted);
  if (!events.length) {
    err(cmd, namespace ? `No events found in ${namespace} namespace.\n` : 'No events found.\n');
    return 0;
  }
  events.sort((a, b) => timeOf(a) - timeOf(b));
  if (print) print({ apiVersion: 'v1', items: events, kind: 'EventList', metadata: {} });
  else out(cmd, alignRows(newTableWriter(), [...headings(cmd), ...events.map(e => cells(cmd, e))]));
  return 0;
}

function involved(cmd: Cmd, text: string): string {
  if (!text) return '';
  const parts = text.split('/');
  if (parts.length === 1) fail('--for must be in resource/name form');
  if (parts.length > 2) fail('arguments in resource/name form may not have more than one slash');
  const m = findResource(connect(cmd), parts[0].toLowerCase()) ?? noResourceMatch(parts[0]);
  return `involvedObject.kind=${m.kind},involvedObject.apiVersion=${groupVersion(m)},involvedObject.name=${parts[1]}`;
}

const timeOf = (e: Event): number => parseRfc3339(e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? '') ?? 0;

const headings = (cmd: Cmd): string[][] =>
  bool(cmd, 'no-headers')
    ? []
    : [[...(bool(cmd, 'all-namespaces') ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE']];

function cells(cmd: Cmd, e: Event): string[] {
  const since = (at: string | undefined | null) => translateTimestampSince(cmd.host.sim.nowMs, at);
  const first = since(e.eventTime ?? e.firstTimestamp);
  const seen = e.series
    ? `${since(e.series.lastObservedTime)} (x${e.series.count} over ${first})`
    : e.count > 1
      ? `${since(e.lastTimestamp)} (x${e.count} over ${first})`
      : first;
  const object = `${e.involvedObject?.kind ?? ''}/${e.involvedObject?.name ?? ''}`;
  return [
    ...(bool(cmd, 'all-namespaces') ? [e.metadata.namespace ?? ''] : []),
    seen,
    e.type ?? '',
    e.reason ?? '',
    object,
    (e.message ?? '').trim(),
  ];
}

function* watch(cmd: Cmd, namespace: string, fieldSelector: string, wanted: (e: Event) => boolean): Co<number> {
  const print = printerOf(cmd);
  const writer = newTableWriter();
  const wake = new Set<() => void>();
  let first = true;
  const stop = connect(cmd).watch(
    {
      verb: 'watch',
      group: '',
      version: 'v1',
      resource: 'events',
      namespace: namespace || undefined,
      query: { fieldSelector: fieldSelector || undefined, resourceVersion: '0' },
    },
    (type, object) => {
      const e = object as Event;
      if (type === 'DELETED' || !wanted(e)) return;
      if (print) print(e);
      else out(cmd, alignRows(writer, [...(first ? headings(cmd) : []), cells(cmd, e)]));
      first = false;
      wakeAll(wake);
    },
  );
  if (isStatus(stop)) throw statusFailure(stop);
  try {
    for (;;) yield* waitOn(cmd.host.sim, [wake]);
  } finally {
    (stop as () => void)();
  }
}

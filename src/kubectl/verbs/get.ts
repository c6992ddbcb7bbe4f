// kubectl get (k8s.io/kubectl v0.36.3, pkg/cmd/get/get.go).

import type { KubeList, KubeObject, ResourceInfo, Table, WatchEventType } from '../../apiserver/types.ts';
import { type Co, waitOn, wakeAll } from '../../sim/task.ts';
import { type BuildOptions, build, type Info, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, err, flag, isStatus, list, out, usageError, userOf } from '../command.ts';
import { aggregate, type Failure, fail, isFailure, isNotFound, statusFailure } from '../failure.ts';
import { parseDuration } from '../flags.ts';
import { lazy } from '../lazy.ts';
import { badFormat, columnLabels, columnsPrinterOf, type Printer, printerOf } from '../print-flags.ts';
import { newTablePrinter, printTable, type TablePrinter, tableRows } from '../table-printer.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';
import { translateTimestampSince } from '../time.ts';

export function* run(cmd: Cmd): Co<number> {
  if (flag(cmd, 'raw')) return yield* lazy('raw').runRaw(cmd);
  const watching = bool(cmd, 'watch') || bool(cmd, 'watch-only');
  const format = flag(cmd, 'output');
  if (bool(cmd, 'watch') && flag(cmd, 'sort-by'))
    err(cmd, 'warning: --watch requested, --sort-by will be ignored for watch events received\n');
  else if (bool(cmd, 'watch-only') && flag(cmd, 'sort-by')) err(cmd, 'warning: --watch-only requested, --sort-by will be ignored\n');
  if (!watching && !cmd.args.length && !list(cmd, 'filename').length && !flag(cmd, 'kustomize')) {
    err(cmd, 'You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of supported resources.\n\n');
    usageError(
      cmd,
      'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).',
    );
  }
  if (bool(cmd, 'show-labels') && format && format !== 'wide') fail(`--show-labels option cannot be used with ${format} printer`);
  if (bool(cmd, 'output-watch-events') && !watching) fail('--output-watch-events option can only be used with --watch or --watch-only');
  const human = (!format && !flag(cmd, 'template')) || format === 'wide';
  if (watching) return yield* watch(cmd, human);
  const options = buildOptions(cmd, human);
  options.continueOnError = true;
  options.flatten = true;
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  if (!human) {
    printGeneric(cmd, result);
    return 0;
  }
  const { infos, error } = infosOf(result);
  printHuman(cmd, infos, error);
  return 0;
}

function buildOptions(cmd: Cmd, human: boolean): BuildOptions {
  return {
    args: cmd.args,
    allowEmptySelector: true,
    filenames: list(cmd, 'filename'),
    kustomize: flag(cmd, 'kustomize'),
    recursive: bool(cmd, 'recursive'),
    enforceNamespace: cmd.explicitNamespace && !bool(cmd, 'all-namespaces'),
    allNamespaces: bool(cmd, 'all-namespaces'),
    labelSelector: flag(cmd, 'selector').trim(),
    fieldSelector: flag(cmd, 'field-selector').trim(),
    subresource: flag(cmd, 'subresource'),
    latest: true,
    as: human && bool(cmd, 'server-print') ? 'table' : 'object',
    ignoreNotFound: bool(cmd, 'ignore-not-found'),
  };
}

function tablePrinter(cmd: Cmd, mapping: ResourceInfo, withNamespace: boolean, withKind: boolean): TablePrinter {
  const kind = mapping.group ? `${mapping.kind}.${mapping.group}` : mapping.kind;
  return newTablePrinter({
    kind: withKind || bool(cmd, 'show-kind') ? kind.toLowerCase() : '',
    noHeaders: bool(cmd, 'no-headers'),
    wide: flag(cmd, 'output') === 'wide',
    withNamespace,
    columnLabels: columnLabels(cmd),
    showLabels: bool(cmd, 'show-labels'),
  });
}

/** What a server without tables, or --server-print=false, leaves to print: name and age. */
function plainTable(cmd: Cmd, objects: KubeObject[]): Table {
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'Table',
    metadata: {},
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 },
      { name: 'Age', type: 'string', format: '', description: '', priority: 0 },
    ],
    rows: objects.map(object => ({ cells: [object.metadata.name, age(cmd, object.metadata.creationTimestamp)], object })),
  };
}

const age = (cmd: Cmd, at: string | undefined) => translateTimestampSince(cmd.host.sim.nowMs, at);

const asTable = (cmd: Cmd, o: KubeObject | KubeList | Table): Table =>
  o.kind === 'Table' ? (o as Table) : plainTable(cmd, Array.isArray((o as KubeList).items) ? (o as KubeList).items : [o as KubeObject]);

function printHuman(cmd: Cmd, infos: Info[], error: Failure | null): void {
  const errors: Failure[] = error ? [error] : [];
  const allNamespaces = bool(cmd, 'all-namespaces');
  const kinds = new Set(infos.map(i => i.mapping));
  const withKind = kinds.size > 1;
  if (flag(cmd, 'sort-by')) sortInfos(cmd, infos);
  let printer: TablePrinter | null = null;
  let last: ResourceInfo | null = null;
  let rows: string[][] = [];
  let text = '';
  let allNamespaced = !allNamespaces;
  const flush = () => {
    if (!rows.length) return;
    if (text && !bool(cmd, 'no-headers')) text += '\n';
    text += alignRows(newTableWriter(), rows);
    rows = [];
  };
  for (const info of infos) {
    allNamespaced = allNamespaced && info.mapping.namespaced;
    if (info.mapping !== last || !printer) {
      flush();
      printer = tablePrinter(cmd, info.mapping, allNamespaces && info.mapping.namespaced, withKind);
      last = info.mapping;
    }
    rows.push(...tableRows(printer, asTable(cmd, info.object as Table)));
  }
  flush();
  out(cmd, text);
  if (!text && !bool(cmd, 'ignore-not-found') && !errors.length)
    err(cmd, allNamespaced ? `No resources found in ${cmd.namespace} namespace.\n` : 'No resources found\n');
  const all = aggregate(errors);
  if (all) throw all;
}

/**
 * One answer's rows are sorted, and an error in that goes unseen with the rows. Several answers are sorted as if they were the objects,
 * which finds fields of Tables only (get.go: infos hold unstructured Tables, and the printer's error is dropped).
 */
function sortInfos(cmd: Cmd, infos: Info[]): void {
  const tables = infos.map(i => asTable(cmd, i.object as Table));
  const { sortObjects, sortTable } = lazy('sort');
  if (tables.length > 1) {
    const sorted = sortObjects(tables as unknown as KubeObject[], flag(cmd, 'sort-by')) as unknown as Table[];
    infos.splice(0, infos.length, ...sorted.map(t => infos[tables.indexOf(t)]));
  } else if (tables.length === 1 && tables[0].rows.length > 1) {
    try {
      sortTable(tables[0], flag(cmd, 'sort-by'));
    } catch (e) {
      if (!isFailure(e)) throw e;
      infos.length = 0;
    }
  }
}

function genericPrinter(cmd: Cmd): Printer {
  const p = printerOf(cmd) ?? columnsPrinterOf(cmd);
  return p ?? badFormat(flag(cmd, 'output'), ['custom-columns', 'custom-columns-file', 'wide']);
}

function printGeneric(cmd: Cmd, result: { singleItemImplied: boolean; visit: (fn: (info: Info) => void) => Failure | null }): void {
  const infos: Info[] = [];
  const error = result.visit(info => void infos.push(info));
  if (error && result.singleItemImplied) throw error;
  const errors: Failure[] = error ? [error] : [];
  if (!infos.length && bool(cmd, 'ignore-not-found')) {
    if (error) throw error;
    return;
  }
  const printer = genericPrinter(cmd);
  const objects = infos.map(i => i.object as KubeObject);
  const sort = flag(cmd, 'sort-by');
  if (result.singleItemImplied && infos.length === 1) printer(objects[0]);
  else {
    const items = sort ? lazy('sort').sortObjects(objects, sort) : objects;
    printer({ apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } });
  }
  const all = aggregate(errors);
  if (all) throw all;
}

interface Pending {
  type: WatchEventType;
  object: KubeObject | Table;
}

function* watch(cmd: Cmd, human: boolean): Co<number> {
  const options = buildOptions(cmd, human);
  options.singleResourceType = true;
  options.ignoreNotFound = false;
  const result = yield* build(cmd, options);
  if (result.error) throw result.error;
  const { infos, error } = infosOf(result);
  if (error) {
    if (isNotFound(error) && bool(cmd, 'ignore-not-found')) return 0;
    throw error;
  }
  if (infos.length !== 1) fail('watch is only supported on individual resources and resource collections - more than 1 resource was found');
  const info = infos[0];
  const events = bool(cmd, 'output-watch-events');
  const isList = !info.name;
  const print = watchPrinter(cmd, info, human, events);
  if (!bool(cmd, 'watch-only')) {
    if (human || !isList) print('ADDED', info.object as KubeObject);
    else for (const item of (info.object as KubeList).items) print('ADDED', item);
  }
  const queue: Pending[] = [];
  const waiting = new Set<() => void>();
  const stop = connect(cmd).watch(
    {
      verb: 'watch',
      group: info.mapping.group,
      version: info.mapping.version,
      resource: info.mapping.resource,
      namespace: info.namespace || undefined,
      name: info.name || undefined,
      query: { labelSelector: options.labelSelector || undefined, fieldSelector: options.fieldSelector || undefined },
      as: options.as,
      user: userOf(cmd),
    },
    (type, object) => {
      queue.push({ type, object });
      wakeAll(waiting);
    },
  );
  if (isStatus(stop)) throw statusFailure(stop);
  const patienceMs = requestTimeoutMs(cmd);
  const until = patienceMs ? cmd.host.sim.nowMs + patienceMs : Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      for (let e = queue.shift(); e; e = queue.shift()) print(e.type, e.object);
      if (cmd.host.sim.nowMs >= until || !(yield* waitOn(cmd.host.sim, [waiting], until - cmd.host.sim.nowMs))) return 0;
    }
  } finally {
    (stop as () => void)();
  }
}

/** clientcmd.ParseTimeout: plain numbers are seconds, 0 is for ever. */
function requestTimeoutMs(cmd: Cmd): number {
  const text = flag(cmd, 'request-timeout');
  return /^\d+$/.test(text) ? Number(text) * 1000 : (parseDuration(text) ?? 0);
}

function watchPrinter(cmd: Cmd, info: Info, human: boolean, events: boolean): (type: string, o: KubeObject | Table) => void {
  if (human) {
    const printer = tablePrinter(cmd, info.mapping, bool(cmd, 'all-namespaces') && info.mapping.namespaced, false);
    return (type, o) => out(cmd, printTable(printer, asTable(cmd, o), events ? type : ''));
  }
  const print = genericPrinter(cmd);
  return (type, o) => print(events ? { watchEventType: type, object: o } : o);
}

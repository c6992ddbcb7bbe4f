// Server-printed Tables: built-in kinds by their printers, custom ones by their additionalPrinterColumns, the rest by name and creation.

import { isBuiltin } from './resources.ts';
import { PRINTERS } from './tables/cells.ts';
import { columnsOf } from './tables/columns.ts';
import { customColumns } from './tables/custom.ts';
import { podRowConditions } from './tables/pod.ts';
import type { ApiServer, KubeObject, ResourceInfo, Table } from './types.ts';

export { age, humanDuration } from './tables/age.ts';

/** printFlowSchemaList: in the order in which they are asked. */
const byPrecedence = (a: KubeObject, b: KubeObject): number => a.spec.matchingPrecedence - b.spec.matchingPrecedence;

/** `kind`: of the objects, where a subresource has another than its resource. */
export function tableOf(server: ApiServer, info: ResourceInfo, objects: KubeObject[], resourceVersion: string, kind = info.kind): Table {
  const table: Table = {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'Table',
    metadata: { resourceVersion },
    columnDefinitions: isBuiltin(info) || kind !== info.kind ? (columnsOf(kind) ?? []) : [],
    rows: [],
  };
  if (!isBuiltin(info) && kind === info.kind) {
    const { columns, cells } = customColumns(server, info);
    table.columnDefinitions = columns;
    table.rows = objects.map(object => ({ cells: cells(object), object }));
    return table;
  }
  const print = PRINTERS[kind];
  if (!print) {
    table.rows = objects.map(object => ({ cells: [object.metadata.name, object.metadata.creationTimestamp ?? ''], object }));
    return table;
  }
  for (const object of info.kind === 'FlowSchema' ? [...objects].sort(byPrecedence) : objects) {
    const conditions = info.kind === 'Pod' ? podRowConditions(object) : undefined;
    table.rows.push({ cells: print(object, server), ...(conditions && { conditions }), object });
  }
  return table;
}

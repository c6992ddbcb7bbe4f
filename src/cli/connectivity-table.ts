import Table from 'cli-table3';
import type { Connectivity } from '../netpol/connectivity.ts';
import { portsText } from './commands/connectivity.ts';

/** One line for each pair of workloads between which policies forbid something; what is not listed is open. */
export function connectivityTable(c: Connectivity): string {
  const name = new Map(c.endpoints.map(e => [e.id, 'workload' in e ? e.workload : e.id]));
  const rows = new Map<string, string[]>();
  for (const row of c.connections) {
    if (row.self || !row.denied.length) continue;
    const [from, to] = [name.get(row.from) as string, name.get(row.to) as string];
    const by = [...new Set(row.denied.flatMap(d => d.policies))].join(', ');
    const line = [from, to, portsText(row.allowed), `${[...new Set(row.denied.map(d => d.at))].join(', ')}: ${by}`];
    rows.set(line.join('\0'), line);
  }
  if (!rows.size) return 'No policy forbids anything: every pod reaches every pod and everything outside.\n';
  const table = new Table({ head: ['from', 'to', 'allowed', 'denied at: by'], style: { head: [], border: [] } });
  for (const line of rows.values()) table.push(line);
  return `${table.toString()}\n`;
}

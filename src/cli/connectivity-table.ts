import Table from 'cli-table3';
import { type Connectivity, eachConnection } from '../netpol/connectivity.ts';
import type { ConnectionVerdict } from '../netpol/evaluate.ts';
import { portsText } from './commands/connectivity.ts';

/** One line for each pair of workloads between which policies forbid something; what is not listed is open. */
export function connectivityTable(c: Connectivity): string {
  const names = c.endpoints.map(e => ('workload' in e ? e.workload : e.id));
  const rows = new Map<string, string[]>();
  const words = new Map<ConnectionVerdict, string[]>();
  const wordsOf = (v: ConnectionVerdict): string[] => {
    const by = [...new Set(v.denied.flatMap(d => d.policies))].join(', ');
    const said = [portsText(v.allowed), `${[...new Set(v.denied.map(d => d.at))].join(', ')}: ${by}`];
    words.set(v, said);
    return said;
  };
  eachConnection(c, (a, b, verdict) => {
    if (!verdict.denied.length) return;
    const line = [names[a], names[b], ...(words.get(verdict) ?? wordsOf(verdict))];
    rows.set(line.join('\0'), line);
  });
  if (!rows.size) return 'No policy forbids anything: every pod reaches every pod and everything outside.\n';
  const table = new Table({ head: ['from', 'to', 'allowed', 'denied at: by'], style: { head: [], border: [] } });
  for (const line of rows.values()) table.push(line);
  return `${table.toString()}\n`;
}

// systemctl's verbs about the whole machine: lists of units, and how it is.
import { print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import type { NodeRuntime } from '../types.ts';
import { UNITS, type Unit } from './state.ts';
import { ago, systemdTime } from './time-text.ts';

type Verb = (node: NodeRuntime, p: Process, args: string[]) => number;

/** Values of an option that may be given as two words or as one. */
const valuesOf = (args: string[], ...names: string[]): string[] =>
  args.flatMap((a, i) => {
    if (names.includes(a)) return (args[i + 1] ?? '').split(',');
    const long = names.find(n => n.startsWith('--') && a.startsWith(`${n}=`));
    return long ? a.slice(long.length + 1).split(',') : [];
  });

const subState = (u: Unit): string => (u.active ? 'running' : u.failing ? 'auto-restart' : 'dead');
const activeState = (u: Unit): string => (u.active ? 'active' : u.failing ? 'activating' : 'inactive');

const LEGEND = `LOAD   = Reflects whether the unit definition was properly loaded.
ACTIVE = The high-level unit activation state, i.e. generalization of SUB.
SUB    = The low-level unit activation state, values depend on unit type.
`;

const listUnits: Verb = (node, p, args) => {
  const types = valuesOf(args, '-t', '--type');
  const states = valuesOf(args, '--state');
  if (args.includes('--failed')) states.push('failed');
  const all = args.some(a => a === '-a' || a === '--all');
  const patterns = args.filter(a => !a.startsWith('-') && a.endsWith('.service'));
  const rows = Object.entries(node.host.units)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([name, u]) => {
      if (types.length && !types.includes('service')) return false;
      if (patterns.length && !patterns.includes(`${name}.service`)) return false;
      if (states.length) return states.some(s => [activeState(u), subState(u), 'loaded'].includes(s));
      return all || u.active || !!u.failing;
    })
    .map(([name, u]) => [`${name}.service`, u.masked ? 'masked' : 'loaded', activeState(u), subState(u), UNITS[name].description]);
  const counted = `${rows.length} loaded units listed.${all || states.length ? '' : ' Pass --all to see loaded but inactive units, too.'}\n`;
  const hint = all || states.length ? '' : "To show all installed unit files use 'systemctl list-unit-files'.\n";
  if (args.includes('--no-legend') || args.includes('--legend=false')) {
    const widths = [0, 1, 2, 3].map(i => Math.max(0, ...rows.map(r => r[i].length)));
    print(p, rows.map(r => `  ${r.map((c, i) => (i === 4 ? c : c.padEnd(widths[i]))).join(' ')}\n`).join(''));
    return 0;
  }
  const heads = ['UNIT', 'LOAD', 'ACTIVE', 'SUB', 'DESCRIPTION'];
  const widths = heads.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)));
  const line = (r: string[]) => `  ${r.map((c, i) => (i === 4 ? c : c.padEnd(widths[i]))).join(' ')}\n`;
  print(
    p,
    `${line(heads)}${rows.map(line).join('')}\n${rows.length ? LEGEND : ''}${rows.length ? counted : '0 loaded units listed.\n'}${rows.length ? hint : ''}`,
  );
  return 0;
};

const listUnitFiles: Verb = (node, p, args) => {
  const types = valuesOf(args, '-t', '--type');
  const rows = Object.entries(node.host.units)
    .filter(() => !types.length || types.includes('service'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, u]) => [`${name}.service`, u.masked ? 'masked' : u.disabled ? 'disabled' : 'enabled', 'enabled']);
  const heads = ['UNIT FILE', 'STATE', 'PRESET'];
  const widths = heads.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)));
  const line = (r: string[]) => `${r.map((c, i) => (i === 2 ? c : c.padEnd(widths[i]))).join(' ')}\n`;
  print(p, `${line(heads)}${rows.map(line).join('')}\n${rows.length} unit files listed.\n`);
  return 0;
};

/** Of timers, sockets and jobs a machine here has none. */
const none =
  (heads: string, kind: string): Verb =>
  (_node, p) => {
    print(p, `${heads}\n\n0 ${kind} listed.\nPass --all to see loaded but inactive ${kind}, too.\n`);
    return 0;
  };

const failedUnits = (node: NodeRuntime): number => Object.values(node.host.units).filter(u => u.failing).length;

export const WHOLE: Record<string, Verb> = {
  'list-units': listUnits,
  'list-unit-files': listUnitFiles,
  'list-timers': none('NEXT LEFT LAST PASSED UNIT ACTIVATES', 'timers'),
  'list-sockets': none('LISTEN UNIT ACTIVATES', 'sockets'),
  'list-jobs': (_node, p) => {
    print(p, 'No jobs running.\n');
    return 0;
  },
  'get-default': (_node, p) => {
    print(p, 'multi-user.target\n');
    return 0;
  },
  'is-system-running': (_node, p) => {
    print(p, 'running\n');
    return 0;
  },
};

/** `systemctl status` without a unit. */
export function machineStatus(node: NodeRuntime): string {
  const units = Object.entries(node.host.units);
  const boot = Math.min(...units.map(([, u]) => u.startedMs));
  const now = node.engine.server.sim.nowMs;
  const active = units.filter(([, u]) => u.active);
  const tree = active.map(([name, u], i) => {
    const [branch, stem] = i === active.length - 1 ? ['└─', '  '] : ['├─', '│ '];
    return `             ${branch}${name}.service\n             ${stem}└─${u.pid} ${u.argv?.join(' ') ?? UNITS[name].exec}\n`;
  });
  return `● ${node.spec.name}
    State: running
    Units: ${units.length} loaded (incl. loaded aliases)
     Jobs: 0 queued
   Failed: ${failedUnits(node)} units
    Since: ${systemdTime(boot)}; ${ago(now - boot)}
   CGroup: /system.slice
${tree.join('')}`;
}

// systemctl on a node (systemd 252's words): what it stops and starts is stopped and started. Memory and CPU times are not modelled.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { NodeRuntime } from '../types.ts';
import { UNITS, type Unit } from './state.ts';
import { ago, syslogTime, systemdTime, timespan } from './time-text.ts';
import { changedOnDisk, daemonReload, describeStatus, packaged, resultOf, startUnit, stopUnit } from './unit-control.ts';
import { commandOf, filesOf } from './unit-files.ts';

const VERBS = [
  'start',
  'stop',
  'restart',
  'try-restart',
  'reload',
  'reload-or-restart',
  'status',
  'is-active',
  'is-enabled',
  'is-failed',
  'enable',
  'disable',
  'show',
  'cat',
  'daemon-reload',
  'daemon-reexec',
  'list-units',
];
/** Options whose value is the next word. */
const VALUED = new Set(['-p', '--property', '-t', '--type', '-n', '--lines', '-o', '--output', '-s', '--signal', '--state']);

const bare = (unit: string) => unit.replace(/\.service$/, '');

export function systemctl(node: NodeRuntime): Program {
  return function* (p) {
    const args = p.argv.slice(1);
    const [verb = 'list-units', ...units] = args.filter((a, i) => !a.startsWith('-') && !VALUED.has(args[i - 1]));
    if (!VERBS.includes(verb)) {
      complain(p, `Unknown command verb ${verb}.\n`);
      return 1;
    }
    if (verb.startsWith('daemon-')) {
      daemonReload(node);
      return 0;
    }
    if (verb === 'list-units') return listUnits(node, p);
    if (!units.length && verb !== 'status') {
      complain(p, 'Too few arguments.\n');
      return 1;
    }
    if (/^(start|stop|.*restart|reload.*|status|cat)$/.test(verb)) {
      for (const unit of units.map(bare).filter(u => node.host.units[u] && changedOnDisk(node, u))) {
        complain(
          p,
          `Warning: The unit file, source configuration file or drop-ins of ${unit}.service changed on disk. Run 'systemctl daemon-reload' to reload units.\n`,
        );
      }
    }
    let code = 0;
    for (const unit of units) code = one(node, verb, bare(unit), p, args) || code;
    return code;
  };
}

function one(node: NodeRuntime, verb: string, name: string, p: Process, args: string[]): number {
  const unit = node.host.units[name];
  if (!unit) return missing(verb, name, p);
  switch (verb) {
    case 'is-active':
      print(p, `${activeState(unit)}\n`);
      return unit.active ? 0 : 3;
    case 'is-failed':
      print(p, `${activeState(unit)}\n`);
      return 1;
    case 'is-enabled':
      print(p, 'enabled\n');
      return 0;
    case 'status':
      print(p, statusText(node, name, unit, args));
      return unit.active ? 0 : 3;
    case 'show':
      print(p, properties(name, unit, args));
      return 0;
    case 'cat':
      print(
        p,
        filesOf(node.look().rootfs, name)
          .map(([path, text]) => `# ${path.replace(/^\/usr\/lib/, '/lib')}\n${text}`)
          .join('\n'),
      );
      return 0;
    case 'reload':
      complain(p, `Failed to reload ${name}.service: Job type reload is not applicable for unit ${name}.service.\n`);
      return 1;
    case 'start':
      startUnit(node, name);
      return 0;
    case 'stop':
      stopUnit(node, name);
      return 0;
    case 'disable':
    case 'enable':
      complain(p, `podnet: units stay ${verb === 'enable' ? 'enabled' : 'enabled: no machine is booted again here'}\n`);
      if (args.includes('--now')) (verb === 'enable' ? startUnit : stopUnit)(node, name);
      return 0;
    default:
      stopUnit(node, name);
      startUnit(node, name);
      return 0;
  }
}

const activeState = (unit: Unit): string => (unit.active ? 'active' : unit.failing ? 'activating' : 'inactive');

/** `systemctl show`: all of them, or those of -p, with their names or (--value) without. */
function properties(name: string, unit: Unit, args: string[]): string {
  const all: Record<string, string> = {
    Id: `${name}.service`,
    Description: UNITS[name].description,
    LoadState: 'loaded',
    ActiveState: activeState(unit),
    SubState: unit.active ? 'running' : unit.failing ? 'auto-restart' : 'dead',
    Result: unit.failing ? resultOf(unit.failing.status) : 'success',
    NRestarts: String(unit.failing?.restarts ?? 0),
    UnitFileState: 'enabled',
    MainPID: String(unit.active ? unit.pid : 0),
  };
  const asked = args.flatMap((a, i) => {
    if (a === '-p' || a === '--property') return (args[i + 1] ?? '').split(',');
    return /^(-p|--property=)(.+)$/.exec(a)?.[2].split(',') ?? [];
  });
  const names = asked.length ? asked.filter(n => n in all) : Object.keys(all);
  return names.map(n => `${args.includes('--value') ? '' : `${n}=`}${all[n]}\n`).join('');
}

function missing(verb: string, name: string, p: Process): number {
  if (verb === 'is-active' || verb === 'is-failed') {
    print(p, 'inactive\n');
    return verb === 'is-active' ? 4 : 1;
  }
  if (verb === 'status') {
    complain(p, `Unit ${name}.service could not be found.\n`);
    return 4;
  }
  if (verb === 'is-enabled') complain(p, `Failed to get unit file state for ${name}.service: No such file or directory\n`);
  else if (verb === 'cat') complain(p, `No files found for ${name}.service.\n`);
  else if (verb === 'enable' || verb === 'disable') complain(p, `Failed to ${verb} unit: Unit file ${name}.service does not exist.\n`);
  else complain(p, `Failed to ${verb} ${name}.service: Unit ${name}.service not found.\n`);
  return verb === 'is-enabled' || verb === 'cat' || verb === 'enable' || verb === 'disable' ? 1 : 5;
}

function statusText(node: NodeRuntime, name: string, unit: Unit, args: string[]): string {
  const { description, docs, exec, dropIn } = UNITS[name];
  const now = node.engine.server.sim.nowMs;
  const lines = [
    `${unit.active || unit.failing ? '●' : '○'} ${name}.service - ${description}`,
    `     Loaded: loaded (/lib/systemd/system/${name}.service; enabled; preset: enabled)`,
  ];
  if (dropIn) {
    const slash = dropIn.lastIndexOf('/');
    lines.push(`    Drop-In: ${dropIn.slice(0, slash)}`, `             └─${dropIn.slice(slash + 1)}`);
  }
  const state = unit.active
    ? 'active (running)'
    : unit.failing
      ? `activating (auto-restart) (Result: ${resultOf(unit.failing.status)})`
      : 'inactive (dead)';
  lines.push(`     Active: ${state} since ${systemdTime(unit.sinceMs)}; ${ago(now - unit.sinceMs)}`);
  if (!unit.active && !unit.failing) lines.push(`   Duration: ${timespan(unit.sinceMs - unit.startedMs)}`);
  lines.push(`       Docs: ${docs}`);
  if (unit.active) {
    const argv = unit.argv?.join(' ') ?? exec;
    lines.push(`   Main PID: ${unit.pid} (${name})`, `     CGroup: /system.slice/${name}.service`, `             └─${unit.pid} ${argv}`);
  } else {
    const ended = `(${unit.failing ? describeStatus(unit.failing.status).replace(/status=\d+\/(KILL|TERM)/, 'signal=$1') : 'code=exited, status=0/SUCCESS'})`;
    const line = unit.failing?.line ?? commandOf(node.look().rootfs, unit.loaded ?? packaged(name))?.line ?? exec;
    lines.push(`    Process: ${unit.pid} ExecStart=${line} ${ended}`, `   Main PID: ${unit.pid} ${ended}`);
  }
  const at = args.findIndex(a => a === '-n' || a === '--lines');
  const count = Number(at >= 0 ? args[at + 1] : (args.find(a => /^(-n|--lines=)\d+$/.test(a))?.replace(/^(-n|--lines=)/, '') ?? 10));
  const log = count ? node.host.journal.filter(l => l.unit === name).slice(-count) : [];
  if (log.length) lines.push('', ...log.map(l => `${syslogTime(l.atMs)} ${node.spec.name} ${l.by}: ${l.text}`));
  return `${lines.join('\n')}\n`;
}

function listUnits(node: NodeRuntime, p: Process): number {
  const rows = Object.entries(node.host.units).sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(...rows.map(([name]) => name.length + 8));
  const text = rows
    .filter(([, u]) => u.active)
    .map(([name]) => `  ${`${name}.service`.padEnd(width)} loaded active running ${UNITS[name].description}\n`);
  print(p, `  ${'UNIT'.padEnd(width)} LOAD   ACTIVE SUB     DESCRIPTION\n${text.join('')}\n`);
  print(
    p,
    `LOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n${text.length} loaded units listed.\n`,
  );
  return 0;
}

// systemctl on a node (systemd 252's words): what it stops and starts is stopped and started. Memory and CPU times are not modelled.
import { complain, kill, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { NodeRuntime } from '../types.ts';
import { UNITS, type Unit } from './state.ts';
import { machineStatus, WHOLE } from './systemctl-lists.ts';
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
  'list-unit-files',
  'list-timers',
  'list-sockets',
  'list-jobs',
  'list-dependencies',
  'mask',
  'unmask',
  'edit',
  'kill',
  'reset-failed',
  'get-default',
  'is-system-running',
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
    const whole = WHOLE[verb];
    if (whole) return whole(node, p, args);
    if (!units.length && verb === 'status') {
      print(p, machineStatus(node));
      return 0;
    }
    if (!units.length && verb !== 'reset-failed') {
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
    const codes = units.map(unit => one(node, verb, bare(unit), p, args));
    // Of several, one that is active (or enabled) is enough.
    if (/^is-/.test(verb) && codes.includes(0)) return 0;
    return codes.find(code => code !== 0) ?? 0;
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
      print(p, `${fileState(unit)}\n`);
      return fileState(unit) === 'enabled' ? 0 : 1;
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
      if (unit.masked) return refuseMasked(verb, name, p);
      startUnit(node, name);
      return 0;
    case 'stop':
      stopUnit(node, name);
      return 0;
    case 'disable':
    case 'enable':
    case 'mask':
    case 'unmask':
      return setFileState(node, verb, name, p, args);
    case 'edit':
      complain(p, 'podnet: systemctl edit needs an editor, which is not modelled: write a drop-in and run systemctl daemon-reload\n');
      return 1;
    case 'list-dependencies':
      complain(p, 'podnet: systemctl list-dependencies is not modelled\n');
      return 1;
    case 'kill': {
      const process = [...(node.built?.kernel.processes.values() ?? [])].find(q => q.pid === unit.pid && unit.active);
      if (!process) {
        complain(p, `Failed to kill unit ${name}.service: No main process to kill\n`);
        return 1;
      }
      const at = args.findIndex(x => x === '-s' || x === '--signal');
      const signal = (at >= 0 ? args[at + 1] : args.find(x => x.startsWith('--signal='))?.slice(9)) ?? 'TERM';
      kill(process, signal.replace(/^SIG/, ''));
      return 0;
    }
    case 'reset-failed':
      return 0;
    default:
      if (unit.masked) return refuseMasked(verb, name, p);
      stopUnit(node, name);
      startUnit(node, name);
      return 0;
  }
}

const WANTS = '/etc/systemd/system/multi-user.target.wants';

const fileState = (unit: Unit): string => (unit.masked ? 'masked' : unit.disabled ? 'disabled' : 'enabled');

function refuseMasked(verb: string, name: string, p: Process): number {
  complain(p, `Failed to ${verb} ${name}.service: Unit ${name}.service is masked.\n`);
  return 1;
}

/** What the next boot would do: links in /etc/systemd/system, told as systemctl makes and removes them. */
function setFileState(node: NodeRuntime, verb: string, name: string, p: Process, args: string[]): number {
  const unit = node.host.units[name];
  const file = `${name}.service`;
  const now = args.includes('--now');
  if ((verb === 'enable' || verb === 'disable') && unit.masked) {
    complain(p, `Failed to ${verb} unit: Unit file /etc/systemd/system/${file} is masked.\n`);
    return 1;
  }
  if (verb === 'enable' && unit.disabled) {
    delete unit.disabled;
    complain(p, `Created symlink ${WANTS}/${file} → /lib/systemd/system/${file}.\n`);
  } else if (verb === 'disable' && !unit.disabled) {
    unit.disabled = true;
    complain(p, `Removed "${WANTS}/${file}".\n`);
  } else if (verb === 'mask' && !unit.masked) {
    unit.masked = true;
    complain(p, `Created symlink /etc/systemd/system/${file} → /dev/null.\n`);
  } else if (verb === 'unmask' && unit.masked) {
    delete unit.masked;
    complain(p, `Removed "/etc/systemd/system/${file}".\n`);
  }
  if (now && verb === 'enable') startUnit(node, name);
  if (now && (verb === 'disable' || verb === 'mask')) stopUnit(node, name);
  return 0;
}

const activeState = (unit: Unit): string => (unit.active ? 'active' : unit.failing ? 'activating' : 'inactive');

/** `systemctl show`: all of them, or those of -p, with their names or (--value) without. */
function properties(name: string, unit: Unit, args: string[]): string {
  const all: Record<string, string> = {
    Id: `${name}.service`,
    Description: UNITS[name].description,
    LoadState: unit.masked ? 'masked' : 'loaded',
    ActiveState: activeState(unit),
    SubState: unit.active ? 'running' : unit.failing ? 'auto-restart' : 'dead',
    Result: unit.failing ? resultOf(unit.failing.status) : 'success',
    NRestarts: String(unit.failing?.restarts ?? 0),
    UnitFileState: fileState(unit),
    ActiveEnterTimestamp: unit.active ? systemdTime(unit.sinceMs) : '',
    FragmentPath: `/lib/systemd/system/${name}.service`,
    Restart: 'always',
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
  else if (/^(un)?mask$/.test(verb)) complain(p, `Unit ${name}.service does not exist, proceeding anyway.\n`);
  else if (verb === 'enable' || verb === 'disable') complain(p, `Failed to ${verb} unit: Unit file ${name}.service does not exist.\n`);
  else complain(p, `Failed to ${verb} ${name}.service: Unit ${name}.service not found.\n`);
  if (/^(un)?mask$/.test(verb)) return 0;
  return verb === 'is-enabled' || verb === 'cat' || verb === 'enable' || verb === 'disable' ? 1 : 5;
}

function statusText(node: NodeRuntime, name: string, unit: Unit, args: string[]): string {
  const { description, docs, exec, dropIn } = UNITS[name];
  const now = node.engine.server.sim.nowMs;
  const lines = [
    `${unit.active || unit.failing ? '●' : '○'} ${name}.service - ${description}`,
    unit.masked
      ? `     Loaded: masked (Reason: Unit ${name}.service is masked.)`
      : `     Loaded: loaded (/lib/systemd/system/${name}.service; ${fileState(unit)}; preset: enabled)`,
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

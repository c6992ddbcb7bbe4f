// --help of every command, as kubectl's templates lay it out (k8s.io/kubectl v0.36.3, pkg/util/templates).

import { goQuote } from '../../sim/quote.ts';
import { type Cmd, err, out } from '../command.ts';
import { exitFailure, failure } from '../failure.ts';
import { FLAGS } from '../flag-table.ts';
import { type FlagDef, flagsOf } from '../flags.ts';
import { findVerb, VERBS, type VerbRow } from '../verbs.ts';
import { HELP } from './texts.ts';

/** Sections of the root command's list (pkg/cmd/cmd.go). */
const GROUPS: [string, string[]][] = [
  ['Basic Commands (Beginner):', ['create', 'expose', 'run', 'set']],
  ['Basic Commands (Intermediate):', ['explain', 'get', 'edit', 'delete']],
  ['Deploy Commands:', ['rollout', 'scale', 'autoscale']],
  ['Cluster Management Commands:', ['certificate', 'cluster-info', 'top', 'cordon', 'uncordon', 'drain', 'taint']],
  [
    'Troubleshooting and Debugging Commands:',
    ['describe', 'logs', 'attach', 'exec', 'port-forward', 'proxy', 'cp', 'auth', 'debug', 'events'],
  ],
  ['Advanced Commands:', ['diff', 'apply', 'patch', 'replace', 'wait', 'kustomize']],
  ['Settings Commands:', ['label', 'annotate', 'completion']],
  ['Subcommands provided by plugins:', []],
  ['Other Commands:', ['api-resources', 'api-versions', 'config', 'kuberc', 'plugin', 'version']],
];

const OPTIONS_HINT = 'Use "kubectl options" for a list of global command-line options (applies to all commands).\n';

type Env = Record<string, string | undefined>;

export const ownFlags = (path: string, env: Env): FlagDef[] => {
  const rows = new Set((FLAGS[path] ?? '').split('|').map(r => r.split(/[,:]/)[0]));
  return flagsOf(path, env).filter(f => rows.has(f.name));
};

/** Where --applyset is there, --prune says how it goes with it. */
const PRUNE_WITH_SETS =
  'Automatically delete previously applied resource objects that do not appear in the provided configs. For alpha1, use with either -l or --all. For alpha2, use with --applyset.';

function flagText(f: FlagDef, usage: string): string {
  const list = f.type === 'a' || f.type === 'l' || f.type === 'm';
  const value =
    f.name === 'aggregation-rule'
      ? ''
      : list
        ? f.default.startsWith('[')
          ? f.default
          : `[${f.default}]`
        : f.type === 's'
          ? `'${f.default}'`
          : f.default;
  return `    ${f.short ? `-${f.short}, ` : ''}--${f.name}=${value}:\n\t${usage}\n`;
}

export const shortOf = (path: string): string => HELP[path]?.short ?? '';

/** For completion: which flags are not shown, and what each is for. */
export const HELP_FLAGS = (path: string): { hidden: string[]; usage: (name: string) => string } => ({
  hidden: [...(HELP[path]?.hiddenFlags ?? []), ...(HELP['']?.hiddenFlags ?? [])],
  usage: name =>
    HELP[path]?.flags[name] ?? HELP['']?.flags[name] ?? (name === 'help' ? `help for ${path.split(' ').at(-1) || 'kubectl'}` : ''),
});

export function flagBlock(path: string, env: Env): string {
  const help = HELP[path];
  const flags = ownFlags(path, env);
  const sets = flags.some(f => f.name === 'applyset');
  return flags
    .filter(f => !help.hiddenFlags?.includes(f.name))
    .map(f =>
      flagText(
        { ...f, default: f.default.replace('$HOME', env.HOME ?? '/root') },
        sets && f.name === 'prune' ? PRUNE_WITH_SETS : (help.flags[f.name] ?? ''),
      ),
    )
    .join('\n');
}

function rootHelp(): string {
  const width = 16;
  const groups = GROUPS.map(([title, names]) => `${title}\n${names.map(n => `  ${n.padEnd(width)}${HELP[n].short}\n`).join('')}`).join(
    '\n',
  );
  return `${groups}\nUsage:\n  kubectl [flags] [options]\n\nUse "kubectl <command> --help" for more information about a given command.\n${OPTIONS_HINT}`;
}

const subsOf = (path: string): string[] =>
  Object.keys(HELP).filter(p => p.startsWith(`${path} `) && !p.slice(path.length + 1).includes(' '));

/** Commands without flags of their own that say `[flags]` all the same. */
const BARE = [
  'auth',
  'config current-context',
  'config get-clusters',
  'config get-users',
  'create service',
  'plugin',
  'plugin list',
  'top',
];

/** Help without what stands above `Available Commands`: cobra's usage. */
function usageText(path: string, env: Env): string {
  const help = HELP[path];
  let text = '';
  if (help.aliases.length) text += `Aliases:\n${[path.split(' ').at(-1), ...help.aliases].join(', ')}\n\n`;
  if (help.example) text += `Examples:\n${help.example}\n\n`;
  const subs = subsOf(path);
  if (subs.length) {
    const width = Math.max(11, ...subs.map(s => s.split(' ').at(-1)?.length ?? 0)) + 3;
    text += `Available Commands:\n${subs.map(s => `  ${(s.split(' ').at(-1) as string).padEnd(width)}${HELP[s].short}\n`).join('')}\n`;
  }
  const flags = path === 'config' ? '' : flagBlock(path, env);
  if (flags) text += `Options:\n${flags}\n`;
  const usage = BARE.includes(path) && !help.usage.endsWith('[flags]') ? `${help.usage} [flags]` : help.usage;
  text += `Usage:\n  ${usage}${usage.includes('[options]') ? '' : ' [options]'}\n\n`;
  if (subs.length) text += `Use "kubectl ${path} <command> --help" for more information about a given command.\n`;
  return text + OPTIONS_HINT;
}

export function helpText(path: string, env: Env): string {
  if (!path) return `${HELP[''].long}\n\n${rootHelp()}`;
  const help = HELP[path];
  return `${help.long || help.short}\n\n${usageText(path, env)}`;
}

export function printHelp(cmd: Cmd, path: string): number {
  out(cmd, helpText(path === 'help' ? '' : path, cmd.host.env));
  return 0;
}

/** `kubectl help VERB…` */
export function helpCommand(cmd: Cmd, words: string[]): number {
  let rows: VerbRow[] = VERBS;
  const path: string[] = [];
  for (const w of words) {
    const row = findVerb(rows, w);
    if (!row) {
      if (path.length) break;
      out(cmd, '');
      err(cmd, `Unknown help topic [\`${words.join(' ')}\`]\n\n\n${rootHelp()}`);
      return 0;
    }
    path.push(row.name);
    rows = row.subs ?? [];
  }
  return printHelp(cmd, path.join(' '));
}

/** A group called without a verb of its own (cmdutil.DefaultSubCommandRun): its help, and failure. */
export function groupRun(cmd: Cmd, path: string, args: string[]): void {
  if (!path) {
    printHelp(cmd, '');
    return;
  }
  if (path === 'alpha') {
    err(cmd, 'No alpha commands are available in this version of kubectl\n');
    return;
  }
  if (args.length) throw failure(`unknown command ${goQuote(args.join(' '))}\nSee 'kubectl ${path} -h' for help and examples`);
  if (path === 'certificate') {
    printHelp(cmd, path);
    return;
  }
  (path === 'rollout' ? out : err)(cmd, helpText(path, cmd.host.env));
  throw exitFailure(1);
}

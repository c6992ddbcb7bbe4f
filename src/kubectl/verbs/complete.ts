// __complete: what the shell's completion script asks (spf13/cobra v1.10 completions.go; kubectl v0.36.3 pkg/util/completion).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { type Cmd, connect, err, kubeconfigOf, out, setNamespace } from '../command.ts';
import { isFailure } from '../failure.ts';
import { type FlagDef, flagsOf, KLOG_USAGE, parseFlags } from '../flags.ts';
import { compareKeys } from '../go-json.ts';
import { lazy } from '../lazy.ts';
import { findResource, groupResource } from '../mapping.ts';
import { attachablePod } from '../pods.ts';
import { getObject, listObjects } from '../requests.ts';
import { findVerb, VERBS, type VerbRow } from '../verbs.ts';

const DIRECTIVES: [number, string][] = [
  [1, 'ShellCompDirectiveError'],
  [2, 'ShellCompDirectiveNoSpace'],
  [4, 'ShellCompDirectiveNoFileComp'],
  [8, 'ShellCompDirectiveFilterFileExt'],
  [16, 'ShellCompDirectiveFilterDirs'],
  [32, 'ShellCompDirectiveKeepOrder'],
];
const DEFAULT = 0;
const NO_SPACE = 2;
const NO_FILES = 4;
const EXTENSIONS = 8;

interface Completion {
  /** Each perhaps with a tab and what it means. */
  words: string[];
  directive: number;
}

export function* run(cmd: Cmd): Co<number> {
  const done = yield* complete(cmd, cmd.args.slice(0, -1), cmd.args.at(-1) ?? '');
  const plain = cmd.plainCompletion ?? false;
  for (const w of done.words) {
    const text = (plain ? w.split('\t')[0] : w).split('\n')[0].trim();
    out(cmd, `${text}\n`);
  }
  out(cmd, `:${done.directive}\n`);
  const names = DIRECTIVES.filter(([bit]) => done.directive & bit).map(([, name]) => name);
  err(cmd, `Completion ended with directive: ${names.join(', ') || 'ShellCompDirectiveDefault'}\n`);
  return 0;
}

function* complete(cmd: Cmd, words: string[], last: string): Co<Completion> {
  let rows = VERBS;
  const path: string[] = [];
  let row: VerbRow | undefined;
  let rest = words;
  for (;;) {
    const at = rest.findIndex((w, i) => !w.startsWith('-') && !takesValue(rest[i - 1], flagsOf(path.join(' '), cmd.host.env)));
    const next = at >= 0 ? findVerb(rows, rest[at]) : undefined;
    if (!next) {
      if (at >= 0 && !row) {
        err(
          cmd,
          `[Debug] Cleared global flags for plugin completion\n[Debug] [Error] unable to find a command for arguments: [${words.join(' ')}]\n`,
        );
        return { words: [], directive: DEFAULT };
      }
      break;
    }
    row = next;
    path.push(next.name);
    rest = [...rest.slice(0, at), ...rest.slice(at + 1)];
    rows = next.subs ?? [];
    if (!rows.length) break;
  }
  return yield* completeCommand(cmd, { path: path.join(' '), rows: row ? (row.subs ?? []) : VERBS }, rest, last);
}

const takesValue = (word: string | undefined, defs: FlagDef[]): boolean => {
  if (word === undefined || word[0] !== '-' || word.includes('=')) return false;
  const def = word.startsWith('--')
    ? defs.find(d => d.name === word.slice(2))
    : word.length === 2
      ? defs.find(d => d.short === word[1])
      : undefined;
  return def !== undefined && def.bare === '';
};

function* completeCommand(cmd: Cmd, target: { path: string; rows: VerbRow[] }, words: string[], last: string): Co<Completion> {
  const { path, rows } = target;
  const defs = flagsOf(path, cmd.host.env);
  let given = words;
  let prefix = last;
  let wanted: FlagDef | undefined;
  if (last.startsWith('-') && last.includes('=')) {
    const name = last.slice(0, last.indexOf('='));
    wanted = name.startsWith('--') ? defs.find(d => d.name === name.slice(2)) : defs.find(d => d.short === name.at(-1));
    prefix = last.slice(last.indexOf('=') + 1);
  } else if (takesValue(words.at(-1), defs) && !words.slice(0, -1).includes('--')) {
    const flag = words.at(-1) as string;
    wanted = defs.find(d => (flag.startsWith('--') ? d.name === flag.slice(2) : d.short === flag[1]));
    given = words.slice(0, -1);
  }
  const flags = parseFlags(path, [...given, '--'], cmd.host.env);
  if (isFailure(flags)) return { words: [], directive: NO_FILES };
  const sub: Cmd = { ...cmd, path, flags, args: flags.args };
  try {
    setNamespace(sub);
    if (wanted) return yield* completeFlagValue(sub, wanted, prefix);
    const required = defs.filter(d => d.required && !flags.changed.has(d.name));
    if (last.startsWith('-') && !words.includes('--')) {
      const usable = required.length ? required : defs.filter(d => !flags.changed.has(d.name) || 'alm'.includes(d.type));
      const hits = flagNames(sub, usable, last);
      return { words: required.length && !hits.length ? flagNames(sub, defs, last) : hits, directive: NO_FILES };
    }
    return yield* completeWord(sub, rows, required, last);
  } catch (e) {
    // A server that does not answer completes nothing.
    if (!isFailure(e)) throw e;
    return { words: [], directive: NO_FILES };
  }
}

/** Those of all commands first, each set by name. */
function flagNames({ path, host }: Cmd, defs: FlagDef[], prefix: string): string[] {
  const { HELP_FLAGS, ownFlags } = lazy('help');
  const own = new Set(ownFlags(path, host.env).map(f => f.name));
  const usable = defs.filter(d => !HELP_FLAGS(path).hidden.includes(d.name));
  const sorted = [...usable].sort((a, b) => compareKeys(a.name, b.name));
  const order = [...sorted.filter(d => !own.has(d.name) && d.name !== 'help'), ...sorted.filter(d => own.has(d.name) || d.name === 'help')];
  return order.flatMap(d => {
    const usage = KLOG_USAGE[d.name] ?? HELP_FLAGS(path).usage(d.name);
    return [`--${d.name}`, ...(d.short ? [`-${d.short}`] : [])].filter(w => w.startsWith(prefix)).map(w => `${w}\t${usage}`);
  });
}

function* completeWord(cmd: Cmd, rows: VerbRow[], required: FlagDef[], prefix: string): Co<Completion> {
  const { HELP_FLAGS, shortOf } = lazy('help');
  const words: string[] = [];
  let directive = DEFAULT;
  const local = new Set(
    lazy('help')
      .ownFlags(cmd.path, cmd.host.env)
      .map(f => f.name),
  );
  if (!cmd.args.length && rows.length && ![...cmd.flags.changed].some(f => cmd.path && local.has(f))) {
    directive = NO_FILES;
    const names = rows.filter(r => !r.hidden && r.name !== 'alpha').map(r => r.name);
    if (!cmd.path) names.push('help');
    for (const name of names.sort()) {
      if (name.startsWith(prefix))
        words.push(`${name}\t${name === 'help' ? 'Help about any command' : shortOf(cmd.path ? `${cmd.path} ${name}` : name)}`);
    }
  }
  words.push(...required.filter(d => `--${d.name}`.startsWith(prefix)).map(d => `--${d.name}\t${HELP_FLAGS(cmd.path).usage(d.name)}`));
  const more = yield* argumentsOf(cmd, prefix);
  return more ? { words: [...words, ...more.words], directive: more.directive } : { words, directive };
}

const none: Completion = { words: [], directive: NO_FILES };
const only = (words: string[]): Completion => ({ words, directive: NO_FILES });

const KIND_WORDS: Record<string, string[]> = {
  'rollout history': ['deployment', 'daemonset', 'statefulset'],
  'rollout pause': ['deployment'],
  'rollout restart': ['deployment', 'daemonset', 'statefulset'],
  'rollout resume': ['deployment'],
  'rollout status': ['deployment', 'daemonset', 'statefulset'],
  'rollout undo': ['deployment', 'daemonset', 'statefulset'],
  scale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  autoscale: ['deployment', 'replicaset', 'replicationcontroller', 'statefulset'],
  expose: ['pod', 'service', 'replicationcontroller', 'deployment', 'replicaset'],
  taint: ['node'],
  'set image': ['daemonsets', 'deployments', 'pods', 'cronjobs', 'replicasets', 'replicationcontrollers', 'statefulsets'],
};
const ANY_KIND = [
  'get',
  'describe',
  'delete',
  'edit',
  'label',
  'annotate',
  'patch',
  'debug',
  'apply edit-last-applied',
  'apply view-last-applied',
];
const ONCE = ['set image', 'rollout status'];

function* argumentsOf(cmd: Cmd, prefix: string): Co<Completion | null> {
  const { path, args } = cmd;
  if (ANY_KIND.includes(path)) return typeAndName(cmd, prefix, null, true);
  if (KIND_WORDS[path]) return typeAndName(cmd, prefix, KIND_WORDS[path], !ONCE.includes(path));
  switch (path) {
    case 'exec':
    case 'attach':
      return args.length ? none : podOrType(cmd, prefix);
    case 'logs':
      if (!args.length) return podOrType(cmd, prefix);
      return args.length === 1 ? only(yield* containers(cmd, args[0], prefix)) : none;
    case 'port-forward':
      if (!args.length) return podOrType(cmd, prefix);
      return args.length === 1 ? only(yield* ports(cmd, args[0], prefix)) : none;
    case 'cordon':
    case 'uncordon':
    case 'drain':
    case 'top node':
      return args.length ? none : only(names(cmd, 'node', prefix));
    case 'top pod':
      return args.length ? none : only(names(cmd, 'pod', prefix));
    case 'create token':
      return args.length ? none : only(names(cmd, 'serviceaccount', prefix));
    case 'config use-context':
    case 'config delete-context':
    case 'config rename-context':
    case 'config set-context':
      return args.length ? none : only(ofConfig(cmd, 'contexts', prefix));
    case 'config delete-cluster':
      return args.length ? none : only(ofConfig(cmd, 'clusters', prefix));
    case 'config delete-user':
      return args.length ? none : only(ofConfig(cmd, 'users', prefix));
    case 'completion':
      return only(['bash', 'zsh', 'fish', 'powershell'].filter(w => w.startsWith(prefix)));
    case 'cp':
      return args.length ? { words: [], directive: DEFAULT } : copySource(cmd, prefix);
    default:
      return null;
  }
}

function names(cmd: Cmd, word: string, prefix: string): string[] {
  if (word.includes(',')) return word.split(',').flatMap(w => names(cmd, w, prefix));
  const mapping = findResource(connect(cmd), word);
  if (!mapping) return [];
  return listObjects(cmd, mapping, mapping.namespaced ? cmd.namespace : '')
    .map(o => o.metadata.name)
    .filter(n => n.startsWith(prefix));
}

function ofConfig(cmd: Cmd, part: 'contexts' | 'clusters' | 'users', prefix: string): string[] {
  return (kubeconfigOf(cmd)[part] ?? [])
    .map(x => x.name)
    .filter(n => n.startsWith(prefix))
    .sort();
}

function resourceTypes(cmd: Cmd, prefix: string): string[] {
  const comma = prefix.lastIndexOf(',') + 1;
  const [head, tail] = [prefix.slice(0, comma), prefix.slice(comma)];
  const all = connect(cmd)
    .resources()
    .filter(r => (r.verbs as string[]).includes('get'))
    // As api-resources -o name: by group, then by name.
    .sort((a, b) => compareKeys(a.group, b.group) || compareKeys(a.resource, b.resource))
    .map(groupResource);
  return [...new Set(all)].filter(n => n.startsWith(tail)).map(n => head + n);
}

/** resourceTypeAndNameCompletionFunc */
function typeAndName(cmd: Cmd, prefix: string, allowed: string[] | null, repeat: boolean): Completion {
  const { args } = cmd;
  const types = () => allowed?.filter(t => t.startsWith(prefix)) ?? resourceTypes(cmd, prefix);
  if (args.length && !args[0].includes('/')) {
    if (!repeat && args.length > 1) return none;
    return only(names(cmd, args[0], prefix).filter(n => !args.slice(1).includes(n)));
  }
  const slash = prefix.indexOf('/');
  if (slash < 0) {
    if (!args.length) return only(types());
    return repeat ? { words: types().map(t => `${t}/`), directive: NO_FILES | NO_SPACE } : none;
  }
  if (!repeat && args.length) return none;
  return only(ofType(cmd, prefix, slash).filter(n => !args.includes(n)));
}

const ofType = (cmd: Cmd, prefix: string, slash: number): string[] =>
  names(cmd, prefix.slice(0, slash), prefix.slice(slash + 1)).map(n => `${prefix.slice(0, slash)}/${n}`);

const WITH_PODS = ['daemonsets', 'deployments', 'pods', 'jobs', 'replicasets', 'replicationcontrollers', 'services', 'statefulsets'];

function podOrType(cmd: Cmd, prefix: string): Completion {
  const slash = prefix.indexOf('/');
  if (slash >= 0) return only(ofType(cmd, prefix, slash));
  const pods = names(cmd, 'pod', prefix);
  return {
    words: [...pods, ...WITH_PODS.filter(t => t.startsWith(prefix)).map(t => `${t}/`)],
    directive: pods.length ? NO_FILES : NO_FILES | NO_SPACE,
  };
}

function* podOf(cmd: Cmd, word: string): Co<KubeObject | null> {
  if (word.includes('/')) return yield* attachablePod(cmd, word, 100);
  const mapping = findResource(connect(cmd), 'pods');
  const pod = mapping && getObject(cmd, mapping, cmd.namespace, word);
  return !pod || isFailure(pod) ? null : pod;
}

function* containers(cmd: Cmd, word: string, prefix: string): Co<string[]> {
  const pod = yield* podOf(cmd, word);
  return [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])]
    .map((c: any) => c.name)
    .filter((n: string) => n.startsWith(prefix));
}

function* ports(cmd: Cmd, word: string, prefix: string): Co<string[]> {
  const [type, name] = word.split('/');
  let numbers: number[] = [];
  if (['service', 'services', 'svc'].includes(type) && name) {
    const mapping = findResource(connect(cmd), 'services');
    const service = mapping && getObject(cmd, mapping, cmd.namespace, name);
    if (service && !isFailure(service)) numbers = (service.spec.ports ?? []).map((p: any) => p.port);
  } else {
    const pod = yield* podOf(cmd, word);
    numbers = (pod?.spec.containers ?? []).flatMap((c: any) => (c.ports ?? []).map((p: any) => p.containerPort));
  }
  const exposed = prefix.split(':')[0];
  return numbers.map(n => `${prefix ? exposed : n}:${n}`).filter(w => w.startsWith(prefix));
}

function copySource(cmd: Cmd, prefix: string): Completion {
  if (/^[/.~]/.test(prefix)) return { words: [], directive: DEFAULT };
  if (prefix.includes(':')) return { words: [], directive: NO_SPACE };
  const slash = prefix.indexOf('/');
  const words =
    slash > 0
      ? names({ ...cmd, namespace: prefix.slice(0, slash) }, 'pod', prefix.slice(slash + 1)).map(n => `${prefix.slice(0, slash)}/${n}:`)
      : [...names(cmd, 'namespace', prefix).map(n => `${n}/`), ...names(cmd, 'pod', prefix).map(n => `${n}:`)];
  // Nothing typed yet: it may be a file here as well.
  if (!prefix) words.push('./', '/');
  return { words, directive: words.length ? NO_SPACE : DEFAULT };
}

const FORMATS = 'json yaml kyaml name go-template go-template-file template templatefile jsonpath jsonpath-as-json jsonpath-file'.split(
  ' ',
);

function* completeFlagValue(cmd: Cmd, def: FlagDef, prefix: string): Co<Completion> {
  const list = (words: string[]) => only(words.filter(w => w.startsWith(prefix)));
  switch (def.name) {
    case 'namespace':
      return only(names(cmd, 'namespace', prefix));
    case 'context':
      return only(ofConfig(cmd, 'contexts', prefix));
    case 'cluster':
      return only(ofConfig(cmd, 'clusters', prefix));
    case 'user':
      return only(ofConfig(cmd, 'users', prefix));
    case 'output':
      return list(cmd.path === 'get' ? [...FORMATS, 'custom-columns', 'custom-columns-file', 'wide'] : FORMATS);
    case 'container':
      return cmd.args.length && ['exec', 'logs', 'attach'].includes(cmd.path) ? only(yield* containers(cmd, cmd.args[0], prefix)) : none;
    case 'filename':
      return { words: ['json', 'yaml', 'yml'], directive: EXTENSIONS };
    case 'clusterrole':
      return only(names(cmd, 'clusterrole', prefix));
    case 'subresource':
      return list(['status', 'scale', 'resize']);
    default:
      return { words: [], directive: DEFAULT };
  }
}

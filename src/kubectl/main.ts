// The command itself: words → verb → flags → run → one exit.

import { writePipe } from '../sim/pipe.ts';
import { goQuote } from '../sim/quote.ts';
import type { Co } from '../sim/task.ts';
import { checkStart } from './client-config.ts';
import { type Cmd, err, flag, setNamespace } from './command.ts';
import { errorText, type Failure, failure, isFailure } from './failure.ts';
import { DEPRECATED, missingRequired, type ParsedFlags, wordsWithoutFlags } from './flags.ts';
import type { KubectlHost } from './host.ts';
import { type Invocation, resolve, verbsOf } from './invocation.ts';
import { kubeconfigPath } from './kubeconfig.ts';
import { lazy, loadPart, PART_NAMES, type PartName } from './lazy.ts';
import { holdsTypes } from './print-flags.ts';
import { VERBS, type VerbModule, type VerbRow } from './verbs.ts';

/**
 * Load what `argv` (without the program's name) needs and return the command, ready to run as a task on `host.sim`.
 * The generator's value is the exit code. Killing the task is Ctrl-C.
 */
export async function prepareKubectl(argv: string[], host: KubectlHost): Promise<Co<number>> {
  const invocation = resolve(argv, host.env);
  const verb = invocation.row;
  await Promise.all([verb?.load && !modules.has(verb) ? loadVerb(verb) : undefined, ...partsFor(invocation, host).map(loadPart)]);
  const prepare = verb && modules.get(verb)?.prepare;
  if (prepare && !isFailure(invocation.flags) && !wantsHelp(invocation)) await prepare(newCmd(host, invocation.path, invocation.flags));
  return kubectl(argv, host);
}

const modules = new Map<VerbRow, VerbModule>();

async function loadVerb(verb: VerbRow): Promise<void> {
  if (verb.load) modules.set(verb, await verb.load());
}

/** Load every verb, so that `kubectl` can be called from within a running simulation. */
export async function loadAllVerbs(): Promise<void> {
  const all = (rows: VerbRow[]): VerbRow[] => rows.flatMap(r => [r, ...all(r.subs ?? [])]);
  await Promise.all([...all(VERBS).map(loadVerb), ...PART_NAMES.map(loadPart)]);
}

/** In which order kubectl adds its commands (pkg/cmd/cmd.go). */
const ORDER =
  'create expose run set explain get edit delete rollout scale autoscale certificate cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp auth debug events diff apply patch replace wait kustomize label annotate completion alpha kuberc plugin version api-versions api-resources options config'.split(
    ' ',
  );

function unknownCommand(word: string, host: KubectlHost): Failure {
  const suggestions = verbsOf(host.env)
    .filter(
      r =>
        !r.hidden &&
        (distance(word.toLowerCase(), r.name) <= 2 || r.name.startsWith(word.toLowerCase()) || r.suggestFor?.includes(word.toLowerCase())),
    )
    .map(r => r.name)
    .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
    .concat((host.program?.commands ?? []).filter(c => distance(word.toLowerCase(), c) <= 2 || c.startsWith(word.toLowerCase())));
  const hint = suggestions.length ? `\n\nDid you mean this?\n${suggestions.map(s => `\t${s}\n`).join('')}` : '';
  return failure(`unknown command ${goQuote(word)} for ${goQuote(host.program?.name ?? 'kubectl')}${hint}`);
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++)
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    previous = current;
  }
  return previous[b.length];
}

const wantsHelp = (i: Invocation): boolean => !isFailure(i.flags) && (i.flags.values.get('help') === 'true' || i.path === 'help');

/** `config` prints its help when it is given another number of words. */
const CONFIG_ARGS: Record<string, number> = {
  'config use-context': 1,
  'config rename-context': 2,
  'config delete-cluster': 1,
  'config delete-context': 1,
  'config set-context': 1,
  'config set-cluster': 1,
  'config set-credentials': 1,
  'config set': 2,
  'config unset': 1,
};

function partsFor(i: Invocation, host: KubectlHost): PartName[] {
  const parts = new Set<PartName>(i.row?.parts ?? []);
  if (isFailure(i.flags)) return [...parts];
  const { values, changed } = i.flags;
  if (!i.row?.load || wantsHelp(i)) parts.add('help');
  const wanted = CONFIG_ARGS[i.path];
  if (wanted !== undefined && i.flags.args.length !== wanted) parts.add('help');
  const given = (name: string) => changed.has(name);
  if (given('filename') || given('kustomize') || given('patch-file')) parts.add('manifest');
  if (given('kustomize')) parts.add('kustomize');
  else if (given('filename') && host.places) parts.add('places');
  if (kubeconfigPath(host, String(values.get('kubeconfig') ?? '')) !== null) {
    parts.add('manifest');
    parts.add('yaml');
  }
  const output = String(values.get('output') ?? '');
  if (output === 'yaml') parts.add('yaml');
  if (output === 'kyaml') parts.add('kyaml');
  if ((output === 'json' || output === 'kyaml') && holdsTypes(i.path)) parts.add('typed');
  if (output.startsWith('jsonpath')) parts.add('jsonpath');
  if (/^(go-)?template/.test(output) || given('template')) parts.add('template');
  if (output.startsWith('custom-columns')) parts.add('columns');
  if (given('edit')) for (const part of ['manifest', 'yaml'] as const) parts.add(part);
  if (given('sort-by')) parts.add('sort');
  if (given('raw') && i.path !== 'config view') for (const part of ['raw', 'manifest', 'yaml'] as const) parts.add(part);
  return [...parts];
}

const namesManifest = (f: Failure): boolean => (f.errors ?? [f]).some(e => e.manifest?.text !== undefined);

/** The command itself; what it needs must have been loaded (prepareKubectl, loadAllVerbs). */
export function* kubectl(argv: string[], host: KubectlHost): Co<number> {
  try {
    return yield* runCommand(argv, host);
  } catch (e) {
    if (!isFailure(e)) throw e;
    writePipe(host.stderr, errorText(e) + (host.places && namesManifest(e) ? lazy('places').placesOf(e) : ''));
    return e.code;
  }
}

function* runCommand(argv: string[], host: KubectlHost): Co<number> {
  const i = resolve(argv, host.env);
  if (i.unknown !== null) throw unknownCommand(i.unknown, host);
  if (isFailure(i.flags)) throw i.flags;
  const cmd = newCmd(host, i.path, i.flags);
  cmd.plainCompletion = argv.includes('__completeNoDesc');
  if (i.path === 'help')
    return lazy('help').helpCommand(
      cmd,
      wordsWithoutFlags(i.words).map(w => w.word),
    );
  if (wantsHelp(i)) return lazy('help').printHelp(cmd, i.path);
  const verb = i.row;
  if (!verb?.load) {
    // A group of commands: cmdutil.DefaultSubCommandRun.
    lazy('help').groupRun(cmd, i.path, i.flags.args);
    return 0;
  }
  if (i.path !== '__complete') checkStart(cmd);
  for (const name of i.flags.changed) if (DEPRECATED[name]) err(cmd, `Flag --${name} has been deprecated, ${DEPRECATED[name]}\n`);
  const missing = missingRequired(i.flags);
  if (missing) throw missing;
  if (i.path !== '__complete' && !i.path.startsWith('config ')) setNamespace(cmd);
  const code = yield* (modules.get(verb) as VerbModule).run(cmd);
  if (cmd.warned && flag(cmd, 'warnings-as-errors') === 'true') throw failure('1 warning received');
  return code;
}

function newCmd(host: KubectlHost, path: string, flags: ParsedFlags): Cmd {
  return {
    host,
    path,
    flags,
    args: flags.args,
    namespace: 'default',
    explicitNamespace: false,
    connection: null,
    kubeconfig: null,
    warned: false,
  };
}

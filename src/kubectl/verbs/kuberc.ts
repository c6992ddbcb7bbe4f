// kubectl kuberc set and view (k8s.io/kubectl v0.36.3, pkg/cmd/kuberc).

import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import { readLine } from '../../sim/pipe.ts';
import { goQuote } from '../../sim/quote.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, flag, isSet, list, out } from '../command.ts';
import { fail, failure, throwAll } from '../failure.ts';
import { pathError } from '../files.ts';
import { type Alias, newPreference, type Option, type Preference, unmarshalPreference } from '../kuberc-decode.ts';
import { lazy } from '../lazy.ts';
import { kubercPath } from '../preferences.ts';
import { printerOf } from '../print-flags.ts';

export function* run(cmd: Cmd): Co<number> {
  const file = kubercPath(cmd.host.env, isSet(cmd, 'kuberc') ? flag(cmd, 'kuberc') : '');
  if (!file) return fail('KUBERC is disabled via KUBERC=off environment variable');
  if (cmd.path === 'kuberc view') return yield* view(cmd, file);
  validate(cmd);
  const preference = load(cmd, file.path) ?? newPreference();
  change(cmd, preference);
  save(cmd, file.path, preference);
  return 0;
}

/** null: there is no file, or nothing in it. */
function load(cmd: Cmd, path: string): Preference | null {
  const data = cmd.host.readFile(path);
  if (data === 'ENOENT') return null;
  if (typeof data === 'string') return fail(`error reading kuberc file: ${pathError(data === 'EISDIR' ? 'read' : 'open', path, data)}`);
  if (!data.length) return null;
  const read = unmarshalPreference(bytesToString(data));
  return 'error' in read ? fail(`error parsing kuberc file: ${read.error}`) : read;
}

function save(cmd: Cmd, path: string, p: Preference): void {
  const slash = path.lastIndexOf('/');
  for (let at = path.indexOf('/', 1); at > 0 && at <= slash; at = path.indexOf('/', at + 1))
    if (cmd.host.stat(path.slice(0, at)) === 'ENOENT') cmd.host.makeDir(path.slice(0, at));
  const error = cmd.host.writeFile(path, stringToBytes(lazy('yaml').toYaml(p)), 0o644);
  if (error) fail(`failed to write kuberc file: ${pathError('open', path, error)}`);
  out(cmd, `Updated ${path}\n`);
}

const RECOMMENDED = [
  ['apply', 'server-side'],
  ['delete', 'interactive'],
];

function* view(cmd: Cmd, file: { path: string; explicit: boolean }): Co<number> {
  if (cmd.host.readFile(file.path) === 'ENOENT') {
    if (file.explicit) return fail(`kuberc file not found at ${file.path}`);
    out(cmd, `kuberc file not found at ${file.path}\n`);
    out(cmd, 'Would you like to generate a default kuberc file with recommended options? (y/N): ');
    const answer = ((yield* readLine(cmd.host.sim, cmd.host.stdin)) as string | null)?.trim() ?? '';
    const defaults = RECOMMENDED.map(([command, name]) => ({ command, options: [{ name, default: 'true' }] }));
    if (answer.toLowerCase() === 'y') save(cmd, file.path, { ...newPreference(), defaults });
    return 0;
  }
  const p: Preference = load(cmd, file.path) ?? { aliases: null, defaults: null };
  const whole = JSON.parse(
    JSON.stringify({
      kind: p.kind,
      apiVersion: p.apiVersion,
      defaults: p.defaults ?? [],
      aliases: p.aliases ?? [],
      credentialPluginPolicy: p.credentialPluginPolicy || undefined,
      credentialPluginAllowlist: p.credentialPluginAllowlist?.length ? p.credentialPluginAllowlist : undefined,
    }),
  );
  if (!p.kind || !p.apiVersion) return fail('missing apiVersion or kind; try GetObjectKind().SetGroupVersionKind() if you know the type');
  // Fields stand in the order of their declaration; -o yaml sorts them.
  if (flag(cmd, 'output') === 'json') out(cmd, `${JSON.stringify(whole, null, 4).replace(/[<>&]/g, escaped)}\n`);
  else printerOf(cmd)?.(whole);
  return 0;
}

const escaped = (c: string): string => `\\u00${c.charCodeAt(0).toString(16)}`;

function validate(cmd: Cmd): void {
  const [section, name, command, policy] = ['section', 'name', 'command', 'policy'].map(f => flag(cmd, f));
  if (!['defaults', 'aliases', 'credentialplugin'].includes(section))
    fail(`--section must be "defaults", "aliases", or "credentialplugin", got: ${section}`);
  if (section === 'aliases' && !name) fail('--name is required when --section=aliases');
  if (section === 'defaults' && name) fail('--name should not be specified when --section=defaults');
  if (section === 'defaults' && (list(cmd, 'prependarg').length || list(cmd, 'appendarg').length))
    fail('--prependarg and --appendarg are only valid for --section=aliases');
  if (section !== 'credentialplugin' && !command) fail('--command is required when --section=aliases or --section=defaults');
  if (section !== 'credentialplugin') return;
  const entries = list(cmd, 'allowlist-entry').length > 0;
  if (!policy) fail('--policy is required when --section=credentialplugin');
  if (!['AllowAll', 'DenyAll', 'Allowlist'].includes(policy))
    fail(` --policy must be  "AllowAll", "DenyAll", or "Allowlist", got: ${policy}`);
  if (policy === 'Allowlist' && !entries) fail('--allowlist-entry is required when --section=credentialplugin and --policy=Allowlist');
  if (policy !== 'Allowlist' && entries) fail('--allowlist-entry may only be used when --section=credentialplugin and --policy=Allowlist');
}

function change(cmd: Cmd, p: Preference): void {
  const options = list(cmd, 'option').map((text): Option => {
    const eq = text.indexOf('=');
    if (eq < 0) fail(`invalid option format ${goQuote(text)}, expected flag=value`);
    return { name: text.slice(0, eq).replace(/^-+/, ''), default: text.slice(eq + 1) };
  });
  const section = flag(cmd, 'section');
  if (section === 'defaults') setDefaults(cmd, p, options);
  else if (section === 'aliases') setAlias(cmd, p, options);
  else {
    if (flag(cmd, 'policy') === 'Allowlist') p.credentialPluginAllowlist = allowlist(cmd);
    p.credentialPluginPolicy = flag(cmd, 'policy');
  }
}

function setDefaults(cmd: Cmd, p: Preference, options: Option[]): void {
  const command = flag(cmd, 'command');
  const found = p.defaults?.find(d => d.command === command);
  if (!found) {
    p.defaults = [...(p.defaults ?? []), { command, options: options.length ? options : null }];
    return;
  }
  if (!bool(cmd, 'overwrite')) fail(`defaults for command ${goQuote(command)} already exist, use --overwrite to replace`);
  if (options.length) found.options = options;
}

/** What no flag says stays. */
function setAlias(cmd: Cmd, p: Preference, options: Option[]): void {
  const name = flag(cmd, 'name');
  const at = p.aliases?.findIndex(a => a.name === name) ?? -1;
  const old = p.aliases?.[at];
  if (old && !bool(cmd, 'overwrite')) fail(`alias ${goQuote(name)} already exists, use --overwrite to replace`);
  const kept = <T>(now: T[], before: T[] | undefined): T[] | undefined => (now.length ? now : before);
  const alias = {
    name,
    command: flag(cmd, 'command'),
    prependArgs: kept(list(cmd, 'prependarg'), old?.prependArgs),
    appendArgs: kept(list(cmd, 'appendarg'), old?.appendArgs),
    options: kept(options, old?.options),
  };
  const written = Object.fromEntries(Object.entries(alias).filter(([, v]) => v !== undefined)) as unknown as Alias;
  if (old) (p.aliases as Alias[])[at] = written;
  else p.aliases = [...(p.aliases ?? []), written];
}

function allowlist(cmd: Cmd): { command: string }[] {
  const errors: string[] = [];
  const entries: { command: string }[] = [];
  for (const pair of list(cmd, 'allowlist-entry').flatMap(e => e.split(','))) {
    const eq = pair.indexOf('=');
    const [field, value] = [pair.slice(0, eq), pair.slice(eq + 1)];
    if (eq < 0) errors.push(`improperly formatted allowlist entry: ${goQuote(pair)}`);
    else if (field === 'name') errors.push('allowlist entry field "name" is deprecated, use "command" instead');
    else if (field !== 'command') errors.push(`unrecognized allowlist entry field: ${goQuote(field)}`);
    else if (!value.trim()) errors.push(`empty value in allowlist entry for field ${goQuote(field)}`);
    else entries.push({ command: value });
  }
  throwAll(errors.map(failure));
  return entries;
}

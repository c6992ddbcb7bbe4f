import { beforeEach, describe, expect, it } from 'vitest';
import { failure, kubectl, newCluster, stdout, type TestCluster } from './cluster.ts';

const FILE = '/home/me/.kube/kuberc';
const HEAD = 'apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n';

let c: TestCluster;
const prefer = (text: string, head = HEAD) => void c.files.set(FILE, head + text);
const REFUSED = 'error occurred while applying preferences ';

beforeEach(() => {
  c = newCluster();
  c.env.HOME = '/home/me';
});

describe('kuberc', () => {
  it('gives flags other defaults, and what is said comes first', async () => {
    prefer('defaults:\n- {command: get, options: [{name: output, default: name}]}\n');
    expect(await stdout(c, 'get ns default')).toBe('namespace/default\n');
    expect(await stdout(c, 'get ns default -o jsonpath={.kind}')).toBe('Namespace');
    expect(await stdout(c, 'get ns default -ojson')).toContain('"kind": "Namespace"');
    // A command is known by its last word alone.
    prefer(
      'defaults:\n- {command: secret generic, options: []}\n- {command: create configmap, options: [{name: dry-run, default: client}]}\n',
    );
    const ran = await kubectl(c, 'create configmap m');
    expect(ran.stdout).toBe('configmap/m created (dry run)\n');
    expect(ran.stderr).toBe('Warning: command "secret generic" not found to set kuberc override\n');
  });

  it('names commands anew, with words before and after those of the user', async () => {
    prefer(`aliases:
- {name: spaces, command: get, prependArgs: [ns], appendArgs: [default], options: [{name: output, default: name}]}
- {name: cm, command: create configmap}
defaults:
- {command: get, options: [{name: output, default: json}]}
`);
    expect(await stdout(c, 'spaces kube-system')).toBe('namespace/kube-system\nnamespace/default\n');
    expect(await stdout(c, 'spaces -o jsonpath={.metadata.name}')).toBe('default');
    expect(await stdout(c, 'cm m')).toBe('configmap/m created\n');
    expect(await failure(c, 'spice')).toMatch(/^error: unknown command "spice"/);
  });

  it('refuses what cannot be', async () => {
    const refused = async (text: string, line = 'get ns') => {
      prefer(text);
      const said = await failure(c, line);
      expect(said.startsWith(REFUSED)).toBe(true);
      return said.slice(REFUSED.length);
    };
    expect(await refused('defaults: [{command: get, options: [{name: nope, default: a}]}]')).toBe('invalid flag nope for command get\n');
    expect(await refused('defaults: [{command: get, options: [{name: -o, default: a}]}]')).toContain('in long form without dashes');
    expect(await refused('defaults: [{command: get, options: [{name: watch, default: maybe}]}]')).toBe(
      'could not apply override value maybe to flag watch in command get err: invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": invalid syntax\n',
    );
    expect(await refused('aliases: [{name: a1, command: get}]')).toContain('only include alphabetical characters');
    expect(await refused('aliases: [{name: a, command: get}, {name: a, command: get}]')).toBe('duplicate alias name a\n');
    expect(await refused('aliases: [{name: a, command: nope x}]', 'a')).toBe('command "nope x" not found to set alias "a": [nope x]\n');
    expect(await refused('aliases: [{name: a, command: get}]\ndefaults: [{command: a, options: []}]', 'a ns')).toBe(
      'alias a can not be overridden\n',
    );
    expect(await refused('credentialPluginPolicy: Allowlist')).toContain('but allowlist is unspecified');
    prefer('aliases: [{name: a, command: get}]\ndefaults: [{command: get, options: [{name: output, default: name}]}]');
    expect(await failure(c, 'get ns --kuberc=')).toBe(`${REFUSED}kuberc file is not found\n`);
  });

  it('is looked for where it is said to be', async () => {
    c.files.set('other', `${HEAD}defaults: [{command: get, options: [{name: output, default: name}]}]`);
    expect(await stdout(c, 'get ns default --kuberc other')).toBe('namespace/default\n');
    c.env.KUBERC = 'other';
    expect(await stdout(c, 'get ns default')).toBe('namespace/default\n');
    c.env.KUBERC = 'nowhere';
    expect(await failure(c, 'get ns')).toBe(`${REFUSED}kuberc error kuberc: open nowhere: no such file or directory\n`);
    c.env.KUBERC = 'off';
    expect(await stdout(c, 'get ns default')).toContain('NAME');
    expect(await failure(c, 'get ns --kuberc other')).toContain('are mutually exclusive\n');
    c.env.KUBECTL_KUBERC = 'false';
    expect(await failure(c, 'get ns --kuberc other')).toMatch(/^error: unknown flag: --kuberc\n/);
    expect(await failure(c, 'kuberc view')).toBe('error: unknown command "kuberc" for "kubectl"\n');
  });

  it('that is half wrong is warned of, or passed over', async () => {
    prefer('more: 1\ndefaults: [{command: get, options: [{name: output, default: name, x: y}]}]');
    const ran = await kubectl(c, 'get ns default');
    expect(ran.stdout).toBe('namespace/default\n');
    expect(ran.stderr).toBe(
      `kuberc: ignoring strict decoding error in ${FILE}: strict decoding error: unknown field "defaults[0].options[0].x", unknown field "more"`,
    );
    prefer('defaults: [{command: get, options: [{name: show-labels, default: true}]}]');
    expect((await kubectl(c, 'get ns default')).stderr).toContain('no preferences loaded from');
    prefer('overrides: [{command: get, flags: [{name: output, default: name}]}]', HEAD.replace('beta', 'alpha'));
    expect(await stdout(c, 'get ns default')).toBe('namespace/default\n');
  });
});

describe('kubectl kuberc', () => {
  it('sets and shows', async () => {
    expect(await stdout(c, "kuberc set --section defaults --command 'set env' --option --output=yaml")).toBe(`Updated ${FILE}\n`);
    await stdout(c, 'kuberc set --section aliases --name gn --command get --prependarg no --option output=wide');
    expect(await failure(c, 'kuberc set --section aliases --name gn --command get')).toBe(
      'error: alias "gn" already exists, use --overwrite to replace\n',
    );
    await stdout(c, 'kuberc set --section aliases --name gn --command describe --overwrite');
    expect(await failure(c, 'kuberc set --section credentialplugin --policy Allowlist --allowlist-entry a,b=c')).toBe(
      'improperly formatted allowlist entry: "a"\nunrecognized allowlist entry field: "b"\n',
    );
    await stdout(c, 'kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command=oidc');
    expect(await stdout(c, 'kuberc view')).toBe(`aliases:
- command: describe
  name: gn
  options:
  - default: wide
    name: output
  prependArgs:
  - "no"
${HEAD.split('\n')[0]}
credentialPluginAllowlist:
- command: oidc
credentialPluginPolicy: Allowlist
defaults:
- command: set env
  options:
  - default: yaml
    name: output
kind: Preference
`);
    expect(await stdout(c, 'kuberc view -o json')).toMatch(/^\{\n {4}"kind": "Preference",\n {4}"apiVersion"/);
  });

  it('offers a file to begin with', async () => {
    expect(await stdout(c, 'kuberc view')).toContain('options? (y/N): ');
    expect(c.files.has(FILE)).toBe(false);
    expect(await stdout(c, 'kuberc view', 'Y\n')).toContain(`Updated ${FILE}\n`);
    expect(c.files.get(FILE)).toContain('name: interactive');
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { failure, kubectl, newCluster, stdout, type TestCluster } from './cluster.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  securityContext: {runAsUser: 1000}
  containers: [{name: c, image: nginx, env: [{name: A, value: b}]}]
`;

let c: TestCluster;
const ephemeral = async (name: string) =>
  JSON.parse(await stdout(c, `get pod p -o 'jsonpath={.spec.ephemeralContainers[?(@.name=="${name}")]}'`));

beforeEach(async () => {
  c = newCluster();
  await stdout(c, 'create serviceaccount default');
  await stdout(c, 'apply -f -', POD);
});

describe('debug --custom', () => {
  it('lays a partial container over the profile', async () => {
    c.files.set('p.json', '{"env":[{"name":"X","value":"1"}],"securityContext":{"runAsUser":0,"capabilities":{"add":["SYS_TIME"]}}}');
    const ran = await kubectl(c, 'debug p --image=busybox -c d --profile=netadmin --custom=p.json');
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(await ephemeral('d')).toMatchObject({
      env: [{ name: 'X', value: '1' }],
      securityContext: { runAsUser: 0, capabilities: { add: ['SYS_TIME'] } },
    });
  });

  it('merges lists by their keys, into a copy as well; YAML scalars become strings', async () => {
    c.files.set('p.yaml', 'env:\n- {name: X, value: 5}\n- {name: A, value: yes}\nstdin: true\n');
    await stdout(c, 'debug p -c c --copy-to=q --custom=p.yaml -- sleep 1');
    const [copy] = JSON.parse(await stdout(c, 'get pod q -o jsonpath={.spec.containers}'));
    expect(copy.env).toEqual([
      { name: 'X', value: '5' },
      { name: 'A', value: 'true' },
    ]);
    expect([copy.image, copy.stdin, copy.command]).toEqual(['nginx', true, ['sleep', '1']]);
  });

  it('refuses what is no partial container', async () => {
    const debug = (text: string | null) => {
      if (text === null) c.files.delete('f');
      else c.files.set('f', text);
      return failure(c, 'debug p --image=busybox -c d --custom=f');
    };
    expect(await debug(null)).toBe('error: must pass a container spec json file for custom profile: open f: no such file or directory\n');
    expect(await debug('image: x')).toBe(
      'error: name, command, image, lifecycle and volume devices are not modifiable via custom profile\n',
    );
    expect(await debug('env: x')).toBe(
      'error: f does not contain a valid container spec: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Container.env of type []v1.EnvVar\n',
    );
    expect(await debug('env: [')).toContain('f does not contain a valid container spec: error converting YAML to JSON: yaml: line 1');
  });
});

it("debug warns where a profile's capabilities go to a user that cannot use them", async () => {
  const warned = async (flags: string) => (await kubectl(c, `debug p --image=busybox ${flags}`)).stderr.includes('Warning: Non-root user');
  expect(await warned('-c a --profile=netadmin')).toBe(true);
  expect(await warned('-c b --profile=restricted')).toBe(false);
  expect(await warned('-c d --profile=sysadmin --copy-to=q')).toBe(true);
});

it('debug by a name that is taken changes the old container, and not to the new command', async () => {
  await stdout(c, 'debug p --image=busybox -c d -- sleep 60');
  const said = await failure(c, 'debug p --image=busybox -c d -- true');
  expect(said).toContain('existing ephemeral containers "d" may not be changed\n@@');
  expect(said).toContain('+    "SYS_PTRACE",\n');
  expect(said).not.toContain('"true"');
});

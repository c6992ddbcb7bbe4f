// `debug --custom`: a partial container over what the built-in profile made (k8s.io/kubectl v0.36.3, pkg/cmd/debug/debug.go).

import { decodeStruct } from '../apiserver/decode.ts';
import { structOf, type TypeRef } from '../apiserver/schema.ts';
import { strategicMerge } from '../apiserver/strategic.ts';
import { bytesToString } from '../sim/bytes.ts';
import { type Cmd, err, flag } from './command.ts';
import { fail } from './failure.ts';
import { pathError } from './files.ts';
import { readYaml } from './yaml-read.ts';

/** The container of --custom FILE; null: no file, or it holds nothing. */
export function customProfile(cmd: Cmd): any {
  const path = flag(cmd, 'custom');
  if (!path) return null;
  const data = cmd.host.readFile(path);
  if (typeof data === 'string')
    return fail(`must pass a container spec json file for custom profile: ${pathError(data === 'EISDIR' ? 'read' : 'open', path, data)}`);
  const bad = (why: string) => fail(`${path} does not contain a valid container spec: ${why}`);
  const read = readYaml(bytesToString(data));
  if ('error' in read) return bad(read.error);
  if (read.value === null) return null;
  const container = structOf('core/v1.Container');
  const decoded = decodeStruct(container, withStrings({ code: 'struct', name: container.name }, read.value) as any);
  if (decoded.error) bad(`error unmarshaling JSON: while decoding JSON: ${decoded.error}`);
  return decoded.value;
}

/** sigs.k8s.io/yaml reads a number or a boolean as a string where the Go type wants one. */
function withStrings(type: Pick<TypeRef, 'code' | 'name' | 'element'>, value: unknown): unknown {
  if (type.code === 's') return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  const { element } = type;
  if (element && Array.isArray(value)) return value.map(v => withStrings(element, v));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = type.code === 'struct' ? structOf(type.name as string).byName : null;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => {
      const of = fields ? fields.get(k)?.type : element;
      return [k, of ? withStrings(of, v) : v];
    }),
  );
}

export function checkCustomProfile(profile: any): void {
  if (!profile) return;
  if (profile.name || profile.command?.length || profile.image || profile.lifecycle || profile.volumeDevices?.length)
    fail('name, command, image, lifecycle and volume devices are not modifiable via custom profile');
}

/** Merges it into the container `name` of `list`, in place. */
export function applyCustomProfile(pod: any, profile: any, name: string, list: 'containers' | 'ephemeralContainers'): void {
  const at = pod.spec[list].findIndex((c: { name: string }) => c.name === name);
  const own = { spec: { containers: [pod.spec[list][at]] } };
  const merged = strategicMerge('v1', 'Pod', own, { spec: { containers: [{ ...profile, name }] } });
  pod.spec[list][at] =
    typeof merged === 'string'
      ? fail(`error creating three way patch to add debug container: ${merged}`)
      : (merged.value as any).spec.containers[0];
}

/** What a profile grants is of little use to a container that runs as the Pod's own user. */
export function warnOfUser(cmd: Cmd, container: any, pod: any): void {
  const own = container?.securityContext;
  if (!pod.spec.securityContext?.runAsUser || !own || own.runAsUser === 0) return;
  if (!own.privileged && !own.capabilities?.add?.length) return;
  err(
    cmd,
    'Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please consider using "--custom" with a custom profile that specifies "securityContext.runAsUser: 0".\n',
  );
}

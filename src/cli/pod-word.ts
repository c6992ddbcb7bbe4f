// Which pod a word of podnet's own commands means.
import { matchRequirements, parseSelector } from '../apiserver/labels.ts';
import { bucketName, getObject, listObjects } from '../apiserver/store.ts';
import type { ApiServer } from '../apiserver/types.ts';
import { isFailure } from '../kubectl/failure.ts';
import { findResource } from '../kubectl/mapping.ts';
import { bestFirst, selectorFor } from '../kubectl/pods.ts';
import { connectionFor } from './machine.ts';

export interface PodName {
  namespace: string;
  name: string;
}

/**
 * `NAME`, `NAMESPACE/NAME`, or `TYPE/NAME` as `kubectl exec` takes it: the best of a Deployment's pods. A text says why there is none. That
 * a pod of the name exists is not asked.
 */
export function podOfWord(server: ApiServer, namespace: string, word: string): PodName | string {
  const slash = word.indexOf('/');
  if (slash < 0) return { namespace, name: word };
  const [first, name] = [word.slice(0, slash), word.slice(slash + 1)];
  const resource = findResource(connectionFor(server), first);
  if (!resource) return { namespace: first, name };
  if (resource.resource === 'pods') return { namespace, name };
  const object = getObject(server, bucketName(resource.group, resource.resource), resource.namespaced ? namespace : '', name);
  const what = resource.group ? `${resource.resource}.${resource.group}` : resource.resource;
  if (!object) return `${what} "${name}" not found`;
  try {
    const requirements = parseSelector(selectorFor(object));
    if (typeof requirements === 'string') return requirements;
    const pods = listObjects(server, 'pods', namespace).filter(p => matchRequirements(requirements, p.metadata.labels ?? {}));
    const best = pods.sort(bestFirst)[0];
    return best ? { namespace, name: best.metadata.name } : `${what} "${name}" has no pods`;
  } catch (e) {
    if (isFailure(e)) return e.message;
    throw e;
  }
}

// Which connections a workload takes: PeerAuthentication by workload, namespace and mesh (pilot/pkg/security/authn 1.28).
import { listObjects } from '../../apiserver/store.ts';
import type { ApiServer, KubeObject } from '../../apiserver/types.ts';
import { PEER_AUTHENTICATIONS, ROOT } from './names.ts';

export type MtlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

const age = (o: KubeObject) => `${o.metadata.creationTimestamp} ${o.metadata.name}`;
const oldest = (list: KubeObject[]) => [...list].sort((a, b) => (age(a) < age(b) ? -1 : 1))[0] as KubeObject | undefined;

const modeOf = (text: string | undefined, inherited: MtlsMode): MtlsMode =>
  text === 'STRICT' || text === 'PERMISSIVE' || text === 'DISABLE' ? text : inherited;

/** Of a port of a workload with these labels; `port` is the workload's own, not its Service's. */
export function mtlsMode(server: ApiServer, namespace: string, labels: Record<string, string>, port: number): MtlsMode {
  const all = listObjects(server, PEER_AUTHENTICATIONS);
  const wide = (ns: string) =>
    oldest(all.filter(o => o.metadata.namespace === ns && !Object.keys(o.spec?.selector?.matchLabels ?? {}).length));
  const mesh = modeOf(wide(ROOT)?.spec?.mtls?.mode, 'PERMISSIVE');
  const inNamespace = namespace === ROOT ? mesh : modeOf(wide(namespace)?.spec?.mtls?.mode, mesh);
  const own = oldest(
    all.filter(o => {
      const wanted = Object.entries(o.spec?.selector?.matchLabels ?? {});
      return o.metadata.namespace === namespace && wanted.length > 0 && wanted.every(([k, v]) => labels[k] === v);
    }),
  );
  const workload = modeOf(own?.spec?.mtls?.mode, inNamespace);
  return modeOf(own?.spec?.portLevelMtls?.[String(port)]?.mode, workload);
}

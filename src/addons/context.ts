// What an add-on's program is started with.
import type { ApiServer, KubeObject } from '../apiserver/types.ts';

export interface AddonContext {
  server: ApiServer;
  pod: KubeObject;
  /** An earlier process of this session ran it, and left nothing undone. */
  settled: boolean;
}

/** Who is asked by a webhook: the pod that answers, and what it knows. */
export type AdmissionContext = Omit<AddonContext, 'settled'>;

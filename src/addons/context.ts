// What an add-on's program is started with.
import type { ApiServer, KubeObject } from '../apiserver/types.ts';

export interface AddonContext {
  server: ApiServer;
  pod: KubeObject;
  /** An earlier process of this session ran it, and left nothing undone. */
  settled: boolean;
}

// calico-node on one node: confd and BIRD (routes) and Felix (policy), kept in step with the API for as long as it runs.
import { watchBucket } from '../../apiserver/store.ts';
import type { CniAgent, CniNode } from '../types.ts';
import { syncRoutes } from './routes.ts';

export function startCalicoNode(node: CniNode): CniAgent {
  const sync = () => syncRoutes(node);
  sync();
  const stops = [watchBucket(node.cluster.server, 'nodes', sync)];
  node.cluster.blocksChanged.add(sync);
  stops.push(() => node.cluster.blocksChanged.delete(sync));
  return {
    sync,
    stop: () => {
      for (const undo of stops) undo();
    },
  };
}

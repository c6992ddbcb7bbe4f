// calico-node on one node: confd and BIRD (routes) and Felix (policy), kept in step with the API for as long as it runs.
import { viewOf, watchBucket } from '../../apiserver/store.ts';
import type { ApiServer } from '../../apiserver/types.ts';
import { putOff } from '../../linux/due.ts';
import { cancel, type SimEvent, schedule } from '../../sim/sim.ts';
import type { CniAgent, CniNode } from '../types.ts';
import { checkJumps, newFelixState, syncFelix } from './felix/felix.ts';
import { MODEL_BUCKETS } from './felix/model.ts';
import { vethName } from './names.ts';
import { syncRoutes } from './routes.ts';

/** Felix throttles its data plane to so many applies; changes within the interval are written together. */
const APPLY_INTERVAL_MS = 100;
/** felix/iptables/table.go: after a write the tables are read back, first soon and then ever less often, up to the refresh interval. */
const POST_WRITE_MS = 50;
const REFRESH_MS = 180_000;

export function startCalicoNode(node: CniNode, options: { adopt?: boolean; again?: boolean } = {}): CniAgent {
  const { sim, server, blocksChanged } = node.cluster;
  const state = newFelixState();
  let pending: SimEvent | null = null;
  let check: SimEvent | null = null;
  // What Felix would write, as of when it would have; and whether it would have looked at its jumps since.
  let due: { server: ApiServer | null; jumps: boolean } = { server: null, jumps: false };
  const write = () => {
    const { server: then, jumps } = due;
    due = { server: null, jumps: false };
    if (then) syncFelix({ ...node, cluster: { ...node.cluster, server: then } }, state, vethName);
    if (jumps) checkJumps(node, state);
  };
  const apply = () => {
    syncRoutes(node);
    due.server = viewOf(server, MODEL_BUCKETS);
    putOff(node.netns, write);
  };
  const recheck = (delay: number) => {
    cancel(sim, check);
    check = schedule(
      sim,
      delay,
      () => {
        due.jumps = true;
        putOff(node.netns, write);
        recheck(Math.min(REFRESH_MS, delay * 2));
      },
      // kube-proxy writes within a second of a change: until then a cluster is not quiet.
      delay > POST_WRITE_MS * 32,
    );
  };
  const sync = () => {
    cancel(sim, pending);
    pending = null;
    apply();
    recheck(POST_WRITE_MS);
  };
  const later = () => {
    if (!pending?.run) pending = schedule(sim, APPLY_INTERVAL_MS, sync);
  };
  if (options.again) {
    // kube-proxy has written before: no jump will be out of its place, and a cluster that was quiet stays so.
    apply();
    recheck(REFRESH_MS);
  } else if (!options.adopt) sync();
  const stops = MODEL_BUCKETS.map(bucket => watchBucket(server, bucket, later));
  blocksChanged.add(later);
  // A pod's own chains are there before its first packet: the plugin waits for nothing, but nothing is sent before it returns.
  node.sandboxesChanged.add(later);
  return {
    sync,
    stop: () => {
      write();
      for (const undo of stops) undo();
      blocksChanged.delete(later);
      node.sandboxesChanged.delete(later);
      cancel(sim, pending);
      cancel(sim, check);
    },
  };
}

// plugin/health (coredns 1.14.2): /health, what it costs to ask for it, and a while of serving on when the process is told to end.
import { behindMs } from '../../linux/process.ts';
import { sleep } from '../../sim/task.ts';
import { listenAddress, serveEndpoint } from '../http.ts';
import { observationsOf, observe } from '../metrics.ts';
import { argumentError, type Instance, type Plugin, plainError, type Setup } from '../types.ts';
import { durationError, durationMs, durationText } from '../values.ts';

const DURATION = 'coredns_health_request_duration_seconds';
const POLL_MS = 1000;

function lameduckMs({ all }: Setup): number {
  let ms = 0;
  for (const d of all.flatMap(x => x.body)) {
    if (d.name !== 'lameduck') throw argumentError({ ...d, args: [] });
    if (d.args.length !== 1) throw argumentError(d);
    const got = durationMs(d.args[0]);
    if (got === null) throw plainError(`unable to parse lameduck duration value: '${d.args[0]}' : ${durationError(d.args[0])}`);
    ms = got;
  }
  return ms;
}

/** The process asks itself once a second; over its own loopback that takes no time. Counted when somebody looks. */
function countPolls({ server, metrics }: Instance, sinceMs: number): void {
  const due = Math.floor((server.sim.nowMs - sinceMs) / POLL_MS);
  observe(metrics, DURATION, 0, [], Math.max(0, due - observationsOf(metrics, DURATION)));
}

export const health: Plugin = {
  name: 'health',
  setup: s => {
    const { instance, all } = s;
    const last = all[all.length - 1];
    for (const d of all) if (d.args.length > 1) throw argumentError(d);
    const waitMs = lameduckMs(s);
    const { p, server } = instance;
    const startedAtMs = server.sim.nowMs - behindMs(p.fs);
    instance.gathers.push(() => countPolls(instance, startedAtMs));
    if (waitMs > 0) {
      instance.finals.push(function* () {
        instance.log('INFO', `plugin/health: Going into lameduck mode for ${durationText(waitMs)}`);
        yield* sleep(server.sim, waitMs);
      });
    }
    serveEndpoint(instance, listenAddress(last.args[0] ?? ':8080'), path =>
      path === '/health' ? { status: 200, body: 'OK' } : { status: 404, body: '404 page not found\n' },
    );
    return null;
  },
};

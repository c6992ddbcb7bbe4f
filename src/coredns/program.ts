// The coredns program: loads its Corefile, serves, and starts again when the file changes.
import type { ApiServer } from '../apiserver/types.ts';
import { complain, print, printLine } from '../linux/process.ts';
import type { Process, Program } from '../linux/types.ts';
import { compareBytes } from '../sim/bytes.ts';
import { type Co, killTask, type Task, type WaitQueue, waitOn, wakeAll } from '../sim/task.ts';
import { formatIp } from '../wire/ip.ts';
import { loadCorefile } from './load.ts';
import { memoryOf, remember } from './memory.ts';
import { startPlugins, startServing } from './serve.ts';
import type { Instance } from './types.ts';
import { GO_VERSION, VERSION } from './version.ts';
import { isReverse } from './zones.ts';

export function corednsProgram(server: ApiServer): Program {
  return function* coredns(p: Process): Co<number> {
    const at = p.argv.indexOf('-conf');
    const path = at > 0 ? p.argv[at + 1] : '/Corefile';
    print(p, 'maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined\n');
    const memory = memoryOf(p);
    const first = loadCorefile(server, p, path, memory);
    if (typeof first === 'string') {
      complain(p, `${first}\n`);
      return 1;
    }
    let instance = first;
    const changed: WaitQueue = new Set();
    let pending: Instance | null = null;
    const tasks: Task<unknown>[] = [];
    let died = false;
    let ending = false;
    const watch = (i: Instance) => {
      i.fatal = text => {
        i.log('FATAL', text);
        i.log = () => {};
        died = true;
        wakeAll(changed);
      };
      i.changed = () => {
        i.log('INFO', 'Reloading');
        const next = loadCorefile(server, p, path, memory);
        if (typeof next === 'string') {
          i.log('ERROR', `Restart failed: ${next}`);
          return `starting with listener file descriptors: ${next}`;
        }
        pending = next;
        wakeAll(changed);
        return null;
      };
    };
    p.onSignal.set('TERM', () => {
      print(p, `[INFO] SIGTERM: Shutting down servers then terminating\n`);
      ending = true;
      wakeAll(changed);
    });
    try {
      for (;;) {
        watch(instance);
        remember(p, memory, instance);
        const failure = startServing(instance, tasks);
        if (failure) {
          complain(p, `${failure}\n`);
          return 1;
        }
        // The servers and the version are shown at the start alone.
        if (instance === first) print(p, servers(instance));
        for (const line of instance.banners) printLine(p, () => `${line()}\n`);
        if (instance === first) print(p, `CoreDNS-${VERSION}\nlinux/amd64, ${GO_VERSION}, \n`);
        else instance.log('INFO', 'Reloading complete');
        startPlugins(instance, tasks);
        while (!pending && !died && !ending) yield* waitOn(server.sim, [changed]);
        if (ending) {
          for (const last of instance.finals) yield* last();
          return 0;
        }
        if (died || !pending) return 1;
        stop(instance, tasks);
        instance = pending;
        pending = null;
      }
    } finally {
      stop(instance, tasks);
    }
  };
}

/** RFC 1035 section 2.3.1; the root and reverse zones are spared. */
const PREFERRED = /^([A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+$/;

/** core/dnsserver/onstartup.go: each server's zones, sorted. */
function servers(instance: Instance): string {
  const groups = new Map<string, { head: string; tail: string; zones: Set<string> }>();
  for (const b of instance.blocks) {
    for (const { transport, zone, port } of b.keys) {
      for (const host of b.listen.length ? b.listen.map(formatIp) : ['']) {
        const head = transport === 'dns' ? '' : `${transport}://`;
        const tail = `:${port}${host ? ` on ${host}` : ''}`;
        const group = groups.get(head + tail) ?? { head, tail, zones: new Set() };
        group.zones.add(zone);
        groups.set(head + tail, group);
      }
    }
  }
  let out = '';
  for (const { head, tail, zones } of groups.values()) {
    for (const zone of [...zones].sort(compareBytes)) {
      if (zone !== '.' && !isReverse(zone) && !PREFERRED.test(zone))
        out += `Warning: Domain ${JSON.stringify(zone)} does not follow RFC1035 preferred syntax\n`;
      out += `${head}${zone}${tail}\n`;
    }
  }
  return out;
}

function stop(instance: Instance, tasks: Task<unknown>[]): void {
  instance.stopped = true;
  for (const t of tasks.splice(0)) killTask(t, undefined as unknown);
  for (const s of instance.stops.splice(0)) s();
}

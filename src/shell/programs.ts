// A shell over one cluster in one process: kubectl and podnet are programs like any other, everything shares one virtual clock.

import { externalPlace, nodePlace, type Place, runAt } from '../cluster/exec.ts';
import type { Engine } from '../cluster/types.ts';
import type { Connection, KubectlHost } from '../kubectl/host.ts';
import { ALL_CAPS, complain, DEFAULT_PATH, print, spawnProgram, waitFor } from '../linux/process.ts';
import type { Process, Program } from '../linux/types.ts';
import { type Filesystem, newFile, place } from '../linux/vfs.ts';
import { connectivity } from '../netpol/connectivity.ts';
import { writeConnectivity } from '../netpol/connectivity-json.ts';
import type { Pipe } from '../sim/pipe.ts';
import type { Co } from '../sim/task.ts';
import { shProgram } from '../userland/sh/shell.ts';
import { placeOnMachines, runKubectl } from './machine-kubectl.ts';

export interface ShellHost {
  /** The cluster of the current context. */
  engine: () => Engine;
  /** Its API server, for kubectl on its machines. */
  connection: () => Connection;
  /** kubectl's surroundings with a process's own streams and variables. */
  kubectlHost: (p: Process) => KubectlHost;
  /** podnet's own command that the process names; null: kubectl's, or none that makes sense here. */
  own?: (p: Process) => Co<number> | null;
}

const kubectlProgram =
  (host: ShellHost): Program =>
  p =>
    runKubectl(host.kubectlHost(p), p);

/** Commands of podnet's own that make sense inside; the rest of its words are kubectl's. */
const podnetProgram = (host: ShellHost): Program =>
  function* podnet(p: Process): Co<number> {
    const [command, ...args] = p.argv.slice(1);
    const io = { stdin: p.stdin, stdout: p.stdout, stderr: p.stderr, tty: p.tty };
    const behind = (list: string[]) => (list[0] === '--' ? list.slice(1) : list);
    switch (command) {
      case 'node': {
        const at = args[0] === undefined ? null : nodePlace(host.engine(), args[0]);
        if (!at) {
          complain(p, `podnet: there is no node "${args[0] ?? ''}"; there are ${[...host.engine().nodes.keys()].join(', ')}\n`);
          return 1;
        }
        return yield* runAt(at, behind(args.slice(1)), io);
      }
      case 'external': {
        const ip = args[0] === '--ip' ? args[1] : args[0]?.startsWith('--ip=') ? args[0].slice(5) : undefined;
        const rest = ip === undefined ? args : args.slice(args[0] === '--ip' ? 2 : 1);
        return yield* runAt(externalPlace(host.engine(), ip), behind(rest), io);
      }
      case 'iptables': {
        const names = [...host.engine().nodes.keys()];
        return yield* runAt(nodePlace(host.engine(), names[1] ?? names[0]) as Place, ['iptables', ...args], io);
      }
      case 'connectivity':
        writeConnectivity(connectivity(host.engine().server), piece => print(p, piece));
        return 0;
      case 'addon':
      case 'cluster':
      case 'env':
      case 'lab':
      case 'probe':
      case 'serve':
      case 'sh':
      case 'support':
      case 'tour':
        complain(p, `podnet: "${command}" cannot be used inside a podnet shell\n`);
        return 1;
      default:
        return yield* host.own?.(p) ?? runKubectl(host.kubectlHost(p), p);
    }
  };

/** The shell's own file system: a workstation outside the cluster, with kubectl, k and podnet on its PATH. */
export function shellPlace(host: ShellHost): Place {
  const { kernel, fs } = externalPlace(host.engine());
  const program = (run: Program) => ({ ...newFile('\u007fELF', 0o755), program: run });
  for (const name of ['kubectl', 'k']) place(fs, `/usr/local/bin/${name}`, program(kubectlProgram(host)));
  place(fs, '/usr/local/bin/podnet', program(podnetProgram(host)));
  placeOnMachines(host.engine(), host.connection());
  return { kernel, fs };
}

export interface ScriptIo {
  stdin: Pipe;
  stdout: Pipe;
  stderr: Pipe;
  tty: boolean;
  /** Told of the shell, before it has done anything. */
  started?: (p: Process) => void;
}

/** Run `sh -c SCRIPT ARGS...` there. -> its exit code */
export function* runScript(
  at: { kernel: Place['kernel']; fs: Filesystem },
  argv: string[],
  { started, ...io }: ScriptIo,
  env: Map<string, string> = new Map(),
): Co<number> {
  const shell = shProgram('bash');
  const program: Program = p => {
    started?.(p);
    return shell(p);
  };
  const p = spawnProgram(at.kernel, program, {
    netns: at.kernel.netns.get('')!,
    fs: at.fs,
    argv,
    env: new Map([['PATH', DEFAULT_PATH], ['HOME', '/root'], ...env]),
    cwd: '/root',
    caps: new Set(ALL_CAPS),
    ...io,
  });
  return yield* waitFor(p);
}

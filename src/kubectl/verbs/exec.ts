// kubectl exec (k8s.io/kubectl v0.36.3, pkg/cmd/exec/exec.go).

import type { KubeObject, Status } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build, infosOf } from '../builder.ts';
import { bool, type Cmd, connect, duration, err, flag, isStatus, list, usageError } from '../command.ts';
import { exitFailure, fail } from '../failure.ts';
import { containerFor, podForObject } from '../pods.ts';
import { pumpSession } from '../session.ts';

export function* run(cmd: Cmd): Co<number> {
  const { args } = cmd;
  const { dash } = cmd.flags;
  const files = list(cmd, 'filename');
  const name = args.length && dash !== 0 ? args[0] : '';
  if (dash < 0 && (args.length > 1 || (args.length && files.length)))
    usageError(cmd, 'exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead');
  const argv = dash < 0 ? [] : args.slice(dash);
  const timeout = duration(cmd, 'pod-running-timeout');
  if (timeout <= 0) usageError(cmd, '--pod-running-timeout must be higher than zero');
  if (!name && !files.length) fail('pod, type/name or --filename must be specified');
  if (!argv.length) fail('you must specify at least one command for the container');
  const result = yield* build(cmd, {
    ...(name ? { args: [name], defaultType: 'pods' } : {}),
    filenames: files,
    enforceNamespace: cmd.explicitNamespace,
    latest: true,
  });
  const { infos, error } = infosOf(result);
  if (error) throw error;
  if (infos.length !== 1) fail('cannot exec into multiple objects at a time');
  const pod = yield* podForObject(cmd, infos[0].object as KubeObject, timeout, 'cannot attach to');
  checkRunning(pod);
  const container = containerFor(cmd, pod, flag(cmd, 'container'), bool(cmd, 'quiet'));
  return yield* execIn(cmd, pod, container, argv, bool(cmd, 'stdin'), bool(cmd, 'tty'));
}

export function checkRunning(pod: KubeObject): void {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    fail(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`);
}

export function* execIn(cmd: Cmd, pod: KubeObject, container: string, argv: string[], stdin: boolean, tty: boolean): Co<number> {
  const { kubelet } = connect(cmd);
  if (!kubelet) return fail('unable to upgrade connection: no kubelet answers');
  let raw = tty;
  if (tty && !stdin) raw = false;
  else if (tty && !cmd.host.stdin.tty) {
    if (!bool(cmd, 'quiet')) err(cmd, 'Unable to use a TTY - input is not a terminal or the right kind of file\n');
    raw = false;
  }
  const size = raw ? cmd.host.terminalSize?.() : undefined;
  const session = kubelet.exec(pod, container, argv, { stdin, tty: raw, columns: size?.columns, rows: size?.rows });
  if (isStatus(session)) throw streamFailure(session);
  const code = yield* pumpSession(cmd, session, stdin, raw);
  if (code !== 0) throw exitFailure(code, `command terminated with exit code ${code}`);
  return 0;
}

/** What a refused stream prints: what fails in the runtime has its own words, the rest is the upgrade's failure. */
export function streamFailure(status: Status) {
  const internal = status.reason === 'InternalError' && !status.message?.startsWith('error dialing backend');
  return exitFailure(1, `error: ${internal ? '' : 'unable to upgrade connection: '}${status.message}`);
}

// kubectl exec (k8s.io/kubectl v0.36.3, pkg/cmd/exec/exec.go).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, duration, err, flag, isStatus, list, usageError } from '../command.ts';
import { exitFailure, fail, statusFailure } from '../failure.ts';
import { attachablePod, containerFor } from '../pods.ts';
import { pumpSession } from '../session.ts';

export function* run(cmd: Cmd): Co<number> {
  const { args } = cmd;
  const { dash } = cmd.flags;
  const files = list(cmd, 'filename');
  if (files.length > 1) fail('only one of -f or -k can be specified');
  if (!args.length && !files.length) usageError(cmd, 'pod, type/name or --filename must be specified');
  if (duration(cmd, 'pod-running-timeout') <= 0) fail('--pod-running-timeout must be higher than zero');
  let target = '';
  let argv: string[];
  if (files.length) argv = args;
  else {
    target = args[0];
    argv = args.slice(1);
  }
  if (dash === -1 && argv.length)
    fail("exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples");
  if (!target && !files.length) fail('pod, type/name or --filename must be specified');
  if (!argv.length) usageError(cmd, 'you must specify at least one command for the container');
  const pod = yield* attachablePod(cmd, target, duration(cmd, 'pod-running-timeout'));
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    fail(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`);
  const container = containerFor(cmd, pod, flag(cmd, 'container'), bool(cmd, 'quiet'));
  return yield* execIn(cmd, pod, container, argv, bool(cmd, 'stdin'), bool(cmd, 'tty'));
}

export function* execIn(cmd: Cmd, pod: KubeObject, container: string, argv: string[], stdin: boolean, tty: boolean): Co<number> {
  const { kubelet } = connect(cmd);
  if (!kubelet) return fail('unable to upgrade connection: no kubelet answers');
  let raw = tty;
  if (tty && !stdin) raw = false;
  else if (tty && !cmd.host.stdin.tty) {
    err(cmd, 'Unable to use a TTY - input is not a terminal or the right kind of file\n');
    raw = false;
  }
  const size = raw ? cmd.host.terminalSize?.() : undefined;
  const session = kubelet.exec(pod, container, argv, { stdin, tty: raw, columns: size?.columns, rows: size?.rows });
  if (isStatus(session)) throw streamFailure(session);
  const code = yield* pumpSession(cmd, session, stdin, raw);
  if (code !== 0) throw exitFailure(code, `command terminated with exit code ${code}`);
  return 0;
}

/** What a refused stream prints: the upgrade's error has no `from server`. */
export function streamFailure(status: Parameters<typeof statusFailure>[0]) {
  if (status.reason === 'InternalError' || status.code === 500) return exitFailure(1, `error: ${status.message}`);
  return statusFailure(status);
}

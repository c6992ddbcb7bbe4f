// kubectl attach (k8s.io/kubectl v0.36.3, pkg/cmd/attach/attach.go).

import type { KubeObject } from '../../apiserver/types.ts';
import type { Co } from '../../sim/task.ts';
import { build, oneInfo } from '../builder.ts';
import { bool, type Cmd, connect, duration, err, flag, isStatus, out } from '../command.ts';
import { fail } from '../failure.ts';
import { containerFor, findContainer, podForObject } from '../pods.ts';
import { pumpSession } from '../session.ts';
import { streamFailure } from './exec.ts';

export function* run(cmd: Cmd): Co<number> {
  const { args } = cmd;
  const timeout = duration(cmd, 'pod-running-timeout');
  if (!args.length) fail('at least 1 argument is required for attach');
  if (args.length > 2) fail(`expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(' ')}]`);
  if (timeout <= 0) fail('--pod-running-timeout must be higher than zero');
  const result = yield* build(cmd, args.length === 1 ? { args, defaultType: 'pods' } : { args: [args[1]], defaultType: args[0] });
  const pod = yield* podForObject(cmd, oneInfo(result).object as KubeObject, timeout, 'cannot attach to');
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') fail(`cannot attach a container in a completed pod; current phase is ${phase}`);
  yield* attachTo(cmd, pod, {
    container: flag(cmd, 'container'),
    stdin: bool(cmd, 'stdin'),
    tty: bool(cmd, 'tty'),
    quiet: bool(cmd, 'quiet'),
  });
  return 0;
}

export interface AttachOptions {
  container: string;
  stdin: boolean;
  tty: boolean;
  quiet: boolean;
}

/** Connect to the container's first process until it ends or the input does. */
export function* attachTo(cmd: Cmd, pod: KubeObject, o: AttachOptions): Co<void> {
  const container = containerFor(cmd, pod, o.container, o.quiet);
  const hasTty = findContainer(pod, container)?.tty === true;
  let { tty } = o;
  if (tty && !hasTty) {
    tty = false;
    if (!o.quiet) err(cmd, `error: Unable to use a TTY - container ${container} did not allocate one\n`);
  } else if (!tty && hasTty) tty = true;
  let raw = o.stdin && tty;
  if (raw && !cmd.host.stdin.tty) {
    raw = false;
    if (!o.quiet) err(cmd, 'Unable to use a TTY - input is not a terminal or the right kind of file\n');
  }
  const { kubelet } = connect(cmd);
  if (!kubelet) return void fail('no kubelet answers');
  if (!o.quiet) {
    err(
      cmd,
      'All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\n',
    );
    err(cmd, "If you don't see a command prompt, try pressing enter.\n");
  }
  const session = kubelet.attach(pod, container, { stdin: o.stdin, tty: raw });
  if (isStatus(session)) throw streamFailure(session);
  yield* pumpSession(cmd, session, o.stdin, raw);
  const message = reattachMessage(pod, container, o.quiet, o.stdin, raw);
  if (message) out(cmd, `${message}\n`);
}

/** AttachOptions.reattachMessage */
function reattachMessage(pod: KubeObject, container: string, quiet: boolean, stdin: boolean, raw: boolean): string {
  if (quiet || !stdin || !raw) return '';
  if (findContainer(pod, container) && (pod.spec.ephemeralContainers ?? []).some((c: any) => c.name === container))
    return (
      "Session ended, the ephemeral container will not be restarted but may be reattached using 'kubectl attach " +
      `${pod.metadata.name} -c ${container} -n ${pod.metadata.namespace} -i -t' if it is still running`
    );
  return `Session ended, resume using 'kubectl attach ${pod.metadata.name} -c ${container} -n ${pod.metadata.namespace} -i -t' command`;
}

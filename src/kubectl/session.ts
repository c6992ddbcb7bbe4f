// Connecting the user's streams with a program in a container.

import type { ExecSession } from '../apiserver/types.ts';
import { closePipe, type Pipe, readPipe, writePipe } from '../sim/pipe.ts';
import { type Co, killTask, startTask, waitOn } from '../sim/task.ts';
import type { Cmd } from './command.ts';

function* copy(cmd: Cmd, from: Pipe, to: Pipe, close: boolean): Co<number> {
  for (;;) {
    const chunk = (yield* readPipe(cmd.host.sim, from)) as Uint8Array;
    if (!chunk.length) break;
    if (writePipe(to, chunk)) break;
  }
  if (close) closePipe(to);
  return 0;
}

/** Until the program has ended and all it said was passed on. -> its exit code */
export function* pumpSession(cmd: Cmd, session: ExecSession, stdin: boolean, raw: boolean): Co<number> {
  const { host } = cmd;
  if (raw) host.rawTerminal?.(true);
  const outTask = startTask(host.sim, copy(cmd, session.stdout, host.stdout, false));
  const errTask = startTask(host.sim, copy(cmd, session.stderr, host.stderr, false));
  const inTask = stdin ? startTask(host.sim, copy(cmd, host.stdin, session.stdin, true)) : null;
  if (!stdin) closePipe(session.stdin);
  try {
    while (session.exitCode === null) yield* waitOn(host.sim, [session.ended]);
    while (!outTask.done) yield* waitOn(host.sim, [outTask.ended]);
    while (!errTask.done) yield* waitOn(host.sim, [errTask.ended]);
  } finally {
    if (inTask) killTask(inTask, 0);
    killTask(outTask, 0);
    killTask(errTask, 0);
    closePipe(session.stdin);
    if (raw) host.rawTerminal?.(false);
  }
  return session.exitCode ?? 0;
}

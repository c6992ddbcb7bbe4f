// exec, attach and port-forward: pipes of the simulation on one side, streams of the client's on the other.
import type { ConnectRequest } from '../../apiserver/http/message.ts';
import type { ExecSession, KubeletProxy, Status } from '../../apiserver/types.ts';
import { closePipe, type Pipe, writePipe } from '../../sim/pipe.ts';
import { onClose } from '../listen.ts';
import { closeStream, type Live, openStream } from '../live.ts';
import type { Machine } from '../machine.ts';
import type { Channel } from './channel.ts';
import { type SpdyStream, spdySession } from './spdy.ts';

/** A command that waits for nobody outside may take so long of the cluster's time at once. */
const PATIENCE_MS = 300_000;

/** What the other side of a stream is called, and its number as a channel (k8s.io/apimachinery remotecommand constants). */
const CHANNELS = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;
export type StreamName = (typeof CHANNELS)[number];
const CLOSE_CHANNEL = 255;

/** Where a command's output goes. */
export interface CommandStreams {
  write: (to: 'stdout' | 'stderr' | 'error', data: Uint8Array) => void;
  /** Everything was said. */
  finish: () => void;
}

export interface CommandInput {
  stdin: (data: Uint8Array) => void;
  stdinEnd: () => void;
  /** The client is gone. */
  gone: () => void;
}

/** Connect a command's pipes; its end is told as a Status on the error stream. */
export function runCommand(live: Live, machine: Machine, session: ExecSession, connect: ConnectRequest, to: CommandStreams): CommandInput {
  const startedMs = machine.sim.nowMs;
  // Who attaches looks on; a command that reads what somebody types waits for that.
  const waits = () => connect.subresource === 'exec' && !(connect.stdin && !session.stdin.closed && session.stdin.readers.size > 0);
  const stream = { skipsUntilMs: () => (session.exitCode !== null || !waits() ? 0 : startedMs + PATIENCE_MS) };
  openStream(live, machine, stream);
  let over = false;
  const later = (act: () => void) => void live.outbox.push(act);
  const end = () => {
    if (over) return;
    over = true;
    closePipe(session.stdin);
    closeStream(live, machine, stream);
  };
  if (!connect.stdin) closePipe(session.stdin);
  drain(session.stdout, data => later(() => !over && to.write('stdout', data)));
  if (session.stderr !== session.stdout) drain(session.stderr, data => later(() => !over && to.write('stderr', data)));
  const look = () => {
    if (session.exitCode === null) {
      session.ended.add(look);
      return;
    }
    later(() => {
      if (over) return;
      // How a container ended is not told to who was attached to it.
      const code = connect.subresource === 'attach' ? 0 : (session.exitCode ?? 0);
      to.write('error', Buffer.from(JSON.stringify(exitStatus(connect.command, code))));
      to.finish();
      end();
    });
    live.kick();
  };
  look();
  live.kick();
  const input = (act: () => void) => () => {
    act();
    live.kick();
  };
  return {
    stdin: data => {
      if (connect.stdin) writePipe(session.stdin, new Uint8Array(data));
      live.kick();
    },
    stdinEnd: input(() => connect.stdin && closePipe(session.stdin)),
    gone: input(end),
  };
}

/** Give what a pipe holds and gets. */
function drain(pipe: Pipe, take: (data: Uint8Array) => void): void {
  for (const chunk of pipe.chunks.splice(0)) take(chunk);
  pipe.sink = take;
}

/** As the kubelet words the end of a command (k8s.io/kubelet pkg/cri/streaming/remotecommand, exec.go v0.36.3). */
function exitStatus(command: string[], code: number): Partial<Status> {
  if (code === 0) return { metadata: {}, status: 'Success' };
  const message = `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${code}`;
  const causes = [{ reason: 'ExitCode', message: String(code) }];
  return { metadata: {}, status: 'Failure', message, reason: 'NonZeroExitCode', details: { causes } };
}

/** The command's streams as numbered channels of one connection: the first byte of each message. */
export function overChannels(ws: Channel, start: (to: CommandStreams) => CommandInput): void {
  const write = (name: StreamName, data: Uint8Array) => ws.write(Buffer.concat([Buffer.from([CHANNELS.indexOf(name)]), data]));
  const input = start({ write, finish: () => ws.end() });
  ws.onData = message => {
    const data = message.subarray(1);
    if (message[0] === 0) input.stdin(data);
    // v5: the client has said its last on a channel.
    else if (message[0] === CLOSE_CHANNEL && data[0] === 0) input.stdinEnd();
  };
  ws.onEnd = () => input.gone();
}

/** A failure before the command began, told where its end would be. */
export function failChannels(ws: Channel, status: Status): void {
  ws.write(Buffer.concat([Buffer.from([CHANNELS.indexOf('error')]), Buffer.from(JSON.stringify(status))]));
  ws.end();
}

/** The command's streams as those that a SPDY client opens; it starts when all are there. */
export function overSpdy(channel: Channel, connect: ConnectRequest, start: (to: CommandStreams) => CommandInput | Status): void {
  const spdy = spdySession(channel);
  const wanted: StreamName[] = ['error'];
  for (const name of ['stdin', 'stdout', 'stderr'] as const) if (connect[name] && !(name === 'stderr' && connect.tty)) wanted.push(name);
  const streams = new Map<string, SpdyStream>();
  let input: CommandInput | null = null;
  const early: Uint8Array[] = [];
  let earlyEnd = false;
  const begin = () => {
    const started = start({
      write: (name, data) => streams.get(name)?.write(data),
      finish: () => {
        for (const s of streams.values()) s.end();
      },
    });
    if ('stdin' in started) {
      input = started;
      for (const data of early) input.stdin(data);
      if (earlyEnd) input.stdinEnd();
      return;
    }
    streams.get('error')?.write(Buffer.from(JSON.stringify(started)));
    for (const s of streams.values()) s.end();
  };
  spdy.onStream = s => {
    const name = s.headers.streamtype ?? '';
    streams.set(name, s);
    if (name === 'stdin') {
      s.onData = data => (input ? input.stdin(data) : void early.push(data));
      s.onEnd = () => {
        if (input) input.stdinEnd();
        else earlyEnd = true;
      };
    }
    if (wanted.every(w => streams.has(w)) && input === null) begin();
  };
  spdy.onEnd = () => input?.gone();
}

type Forward = (port: number) => ReturnType<KubeletProxy['portForward']>;

/** One connection to a port of the pod. */
function tunnel(live: Live, machine: Machine, forward: Forward, port: number, data: Channel, error: Pick<Channel, 'write' | 'end'>): void {
  const stream = { skipsUntilMs: () => 0 };
  openStream(live, machine, stream);
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    data.end();
    error.end();
    closeStream(live, machine, stream);
  };
  const later = (act: () => void) => void live.outbox.push(act);
  const remote = forward(port);
  if ('code' in remote || !('receive' in remote)) {
    error.write(Buffer.from((remote as Status).message ?? ''));
    end();
    return;
  }
  drain(remote.receive, chunk => later(() => data.write(chunk)));
  drain(remote.error, chunk => later(() => error.write(chunk)));
  onClose(remote.error, () => onClose(remote.receive, () => later(end)));
  data.onData = chunk => {
    writePipe(remote.send, new Uint8Array(chunk));
    live.kick();
  };
  data.onEnd = () => {
    closePipe(remote.send);
    live.kick();
  };
  live.kick();
}

/** SPDY streams in pairs, one for data and one for errors (k8s.io/kubelet pkg/cri/streaming/portforward, httpstream.go v0.36.3). */
export function forwardOverSpdy(live: Live, at: () => Machine, channel: Channel, forward: Forward): void {
  const spdy = spdySession(channel);
  const waiting = new Map<string, SpdyStream>();
  spdy.onStream = s => {
    const id = s.headers.requestid ?? s.headers.port ?? '';
    const other = waiting.get(id);
    if (!other) {
      waiting.set(id, s);
      return;
    }
    waiting.delete(id);
    const [data, error] = s.headers.streamtype === 'data' ? [s, other] : [other, s];
    tunnel(live, at(), forward, Number(data.headers.port), data, error);
  };
}

/** Two channels for each port of the request, data and errors; the first message of each is the port (websocket.go). */
export function forwardOverChannels(live: Live, at: () => Machine, ws: Channel, ports: number[], forward: Forward): void {
  const channels = ports.map((port, i): Channel => {
    const send = (channel: number, data: Uint8Array) => ws.write(Buffer.concat([Buffer.from([channel]), data]));
    const number = Buffer.from([port & 0xff, port >> 8]);
    send(2 * i, number);
    send(2 * i + 1, number);
    const data: Channel = { write: d => send(2 * i, d), end: () => {}, onData: () => {}, onEnd: () => {} };
    tunnel(live, at(), forward, port, data, { write: d => send(2 * i + 1, d), end: () => {} });
    return data;
  });
  ws.onData = message => void (message[0] % 2 === 0 && channels[message[0] / 2]?.onData(message.subarray(1)));
  ws.onEnd = () => {
    for (const c of channels) c.onEnd();
  };
}

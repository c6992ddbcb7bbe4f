// `kubectl logs -f`: what is written while others run commands. Each process has a cluster of its own to run them in, so the log is read again
// whenever somebody has done something, or time has passed.
import { isStatus } from '../apiserver/status.ts';
import { getObject } from '../apiserver/store.ts';
import type { KubeletProxy, KubeObject } from '../apiserver/types.ts';
import type { Connection } from '../kubectl/host.ts';
import { bytesToString, concat, stringToBytes } from '../sim/bytes.ts';
import { closePipe, newPipe, type Pipe, writePipe } from '../sim/pipe.ts';

/** A log that this process shows. */
export interface OwnLog {
  /** Write what has come. -> false: nothing will any more */
  turn: () => boolean;
}

type LogOptions = Parameters<KubeletProxy['logs']>[2];

const textOf = (log: Pipe): string => bytesToString(concat([new Uint8Array(0), ...log.chunks]));

const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];

/** The running container's id, or null. */
function running(pod: KubeObject | undefined, container: string): string | null {
  const status = STATUSES.flatMap(list => pod?.status?.[list] ?? []).find((s: any) => s.name === container);
  return status?.state?.running ? status.containerID : null;
}

/** As `now().kubelet`, but logs are followed beyond what happens in this process. */
export function followingKubelet(now: () => Connection, logs: Set<OwnLog>): KubeletProxy | null {
  const { kubelet } = now();
  if (!kubelet) return null;
  return { ...kubelet, logs: (pod, container, o) => (o.follow ? followed(now, logs, pod, container, o) : kubelet.logs(pod, container, o)) };
}

function followed(
  now: () => Connection,
  logs: Set<OwnLog>,
  pod: KubeObject,
  container: string,
  o: LogOptions,
): ReturnType<KubeletProxy['logs']> {
  const { namespace, name, uid } = pod.metadata;
  const current = (): KubeObject | undefined => {
    const found = getObject(now().server, 'pods', namespace, name);
    return found?.metadata.uid === uid ? found : undefined;
  };
  const whole = (): string | null => {
    const { previous, timestamps } = o;
    const log = now().kubelet?.logs(current() ?? pod, container, { follow: false, previous, timestamps, connected: true });
    return !log || isStatus(log) ? null : textOf(log);
  };
  const first = now().kubelet?.logs(pod, container, { ...o, follow: false });
  if (!first || isStatus(first)) return first ?? newPipe();
  const pipe = newPipe();
  let left = o.limitBytes ?? Number.POSITIVE_INFINITY;
  const show = (text: string): void => {
    const data = stringToBytes(text);
    writePipe(pipe, data.subarray(0, Math.min(left, data.length)));
    left -= data.length;
  };
  show(textOf(first));
  const id = running(current() ?? pod, container);
  let seen = whole() ?? '';
  const turn = (): boolean => {
    const text = whole();
    const goesOn = id !== null && running(current(), container) === id;
    // Another container's log from its start is not this one's.
    if (text?.startsWith(seen)) {
      if (text.length > seen.length) show(text.slice(seen.length));
      seen = text;
    }
    if (goesOn && left > 0) return true;
    closePipe(pipe);
    return false;
  };
  if (id === null || left <= 0 || o.previous) closePipe(pipe);
  else logs.add({ turn });
  return pipe;
}

/** A turn of all that are open. */
export function showLogs(logs: Set<OwnLog>): void {
  for (const log of logs) if (!log.turn()) logs.delete(log);
}

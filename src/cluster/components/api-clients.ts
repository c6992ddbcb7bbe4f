// kube-controller-manager and kube-scheduler as processes: flags, kubeconfig, port, and the election that they have to win before they
// act, which is a matter of reaching the API server (cmd/kube-scheduler/app, cmd/kube-controller-manager/app v1.36.3).

import { load } from 'js-yaml';
import { complain, strerror } from '../../linux/process.ts';
import { close, connect, kernelSocket } from '../../linux/socket.ts';
import type { Process } from '../../linux/types.ts';
import { goQuote } from '../../sim/quote.ts';
import { type Co, sleep, waitOn } from '../../sim/task.ts';
import { kubeEndpoint } from '../../userland/servers/kube-endpoint.ts';
import { familyOf, parseIp } from '../../wire/ip.ts';
import {
  commandFailed,
  endpointOf,
  flagsOf,
  isRefusal,
  klogLine,
  missingFile,
  openError,
  type Refusal,
  refuse,
  textOf,
} from './component.ts';

const PORTS: Record<string, number> = { 'kube-controller-manager': 10257, 'kube-scheduler': 10259 };

/** The API server that a kubeconfig names; '': none. A text that is no YAML throws. */
export function serverIn(text: string): string {
  const config = load(text) as any;
  const context = config?.contexts?.find((c: any) => c?.name === config['current-context'])?.context;
  return config?.clusters?.find((c: any) => c?.name === context?.cluster)?.cluster?.server ?? '';
}

/** clientcmd.BuildConfigFromFlags. */
function server(p: Process, path: string): string | Refusal {
  const error = openError(p, path);
  if (error) return commandFailed(p, error.replace(/^open/, 'stat'));
  try {
    const found = serverIn(textOf(p, path));
    return (
      found ||
      commandFailed(p, 'invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable')
    );
  } catch (e) {
    return commandFailed(p, `error loading config file ${goQuote(path)}: yaml: ${(e as Error).message.split('\n')[0]}`);
  }
}

/** client-go's leader election tries again so often (DefaultRetryPeriod, jittered). */
const RETRY_MS = 4000;

export function* apiClient(component: string, p: Process): Co<number> {
  const flags = flagsOf(component, p);
  if (isRefusal(flags)) return refuse(p, flags);
  const url = server(p, flags.get('kubeconfig') ?? '');
  if (typeof url !== 'string') return refuse(p, url);
  const missing =
    missingFile(p, flags, ['tls-cert-file', 'tls-private-key-file']) ??
    missingFile(p, flags, ['client-ca-file'], e => `unable to load client CA provider: ${e}`) ??
    missingFile(p, flags, ['requestheader-client-ca-file'], e => `unable to load request-header-client-ca-file: ${e}`);
  if (missing) return refuse(p, missing);
  const bound = flags.get('bind-address') ?? '0.0.0.0';
  const port = Number(flags.get('secure-port') ?? PORTS[component]);
  const error = port ? kubeEndpoint(p, port, bound === '0.0.0.0' || bound === '::' ? null : parseIp(bound)) : null;
  if (error)
    return refuse(
      p,
      commandFailed(
        p,
        `failed to create listener: failed to listen on ${bound}:${port}: listen tcp ${bound}:${port}: bind: ${strerror(error).toLowerCase()}`,
      ),
    );
  yield* untilReached(p, component, url);
  for (;;) yield* waitOn(p.kernel.sim, []);
}

function* untilReached(p: Process, component: string, url: string): Co<void> {
  const at = endpointOf(url);
  const address = at && parseIp(at.host);
  // A name is resolved by whoever wrote it there: podnet takes it for the right one.
  if (!at || !address) return;
  for (;;) {
    const s = kernelSocket(p.netns, 'tcp', familyOf(address));
    const error = yield* connect(s, address, at.port, 10_000);
    close(s);
    if (!error) return;
    const why = error === 'EINPROGRESS' ? 'i/o timeout' : `connect: ${strerror(error).toLowerCase()}`;
    const lease = `${url}/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${component}?timeout=5s`;
    complain(
      p,
      klogLine(
        p,
        'E',
        'leaderelection.go:461',
        `"Error retrieving lease lock" err=${goQuote(`Get ${goQuote(lease)}: dial tcp ${at.host}:${at.port}: ${why}`)} lock="kube-system/${component}"`,
      ),
    );
    yield* sleep(p.kernel.sim, RETRY_MS);
  }
}

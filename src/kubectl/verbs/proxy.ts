// kubectl proxy (k8s.io/kubectl v0.36.3, pkg/cmd/proxy, pkg/proxy).

import { goQuote } from '../../sim/quote.ts';
import { type Co, waitOn } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, int, isSet, klogWarning, out } from '../command.ts';
import { fail } from '../failure.ts';
import type { ProxyRequest, ProxyVerdict } from '../host.ts';

interface Filter {
  acceptPaths: RegExp[];
  rejectPaths: RegExp[];
  acceptHosts: RegExp[];
  rejectMethods: RegExp[];
}

export function* run(cmd: Cmd): Co<number> {
  const { host } = cmd;
  if (isSet(cmd, 'port') && isSet(cmd, 'unix-socket')) fail('cannot set --unix-socket and --port at the same time');
  for (const name of ['unix-socket', 'www']) if (flag(cmd, name)) fail(`podnet does not model proxy --${name}: it serves the API alone`);
  const prefix = flag(cmd, 'api-prefix').endsWith('/') ? flag(cmd, 'api-prefix') : `${flag(cmd, 'api-prefix')}/`;
  const filter = bool(cmd, 'disable-filter') ? null : filterOf(cmd);
  if (!filter) klogWarning(cmd, 'proxy.go:177', 'Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious');
  connect(cmd);
  if (!host.serveApi) return fail('podnet cannot listen on ports here');
  const [address, port] = [flag(cmd, 'address'), int(cmd, 'port')];
  const shown = address.includes(':') ? `[${address}]` : address;
  const l = yield* host.serveApi(address, port, r => verdictOf(r, prefix, filter));
  if (typeof l === 'string') return fail(`listen tcp ${shown}:${port}: ${l}`);
  try {
    out(cmd, `Starting to serve on ${shown}:${l.port}\n`);
    for (;;) yield* waitOn(host.sim, [new Set()]);
  } finally {
    l.close();
  }
}

function filterOf(cmd: Cmd): Filter {
  const expressions = (name: string) =>
    flag(cmd, name)
      .split(',')
      .map(text => {
        try {
          return new RegExp(text);
        } catch {
          return fail(`error parsing regexp: ${goQuote(text)}`);
        }
      });
  return {
    acceptPaths: expressions('accept-paths'),
    rejectPaths: expressions('reject-paths'),
    acceptHosts: expressions('accept-hosts'),
    rejectMethods: expressions('reject-methods'),
  };
}

/** The server's path is what is left without the prefix; one of the API's own stays (pkg/proxy/proxy_server.go, NewServer). */
function verdictOf(r: ProxyRequest, prefix: string, f: Filter | null): ProxyVerdict {
  if (!r.target.startsWith(prefix)) return { code: 404 };
  const target = prefix.startsWith('/api') ? r.target : r.target.slice(prefix.length - 1);
  const path = target.split('?')[0];
  const any = (of: RegExp[], text: string) => of.some(x => x.test(text));
  const refused =
    f && (any(f.rejectPaths, path) || any(f.rejectMethods, r.method) || !any(f.acceptPaths, path) || !any(f.acceptHosts, r.host));
  return refused ? { code: 403 } : { target };
}

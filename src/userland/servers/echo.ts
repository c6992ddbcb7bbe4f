// Small web servers whose answer shows who answered: what tutorials put behind a Service to see balancing and source addresses.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { httpDate, rfc3339 } from '../../sim/time.ts';
import { formatIp } from '../../wire/ip.ts';
import { type Headers, header } from '../http.ts';
import { httpServer, type Reply, type Served } from '../http-server.ts';
import { splitTarget } from '../url.ts';
import type { Userland } from '../userland.ts';
import { cannotListen, GO_DEFAULT, goFlags, hostnameOf, ownAddresses, slashTime, untilSignal } from './daemon.ts';
import { canonicalHeader, goServer, jsonReply } from './go-http.ts';

/** Go's RemoteAddr. */
export const remoteOf = (req: Served): string => {
  const text = formatIp(req.remote);
  return text.includes(':') ? `[${text}]:${req.remotePort}` : `${text}:${req.remotePort}`;
};

const goLog = (p: Process, text: string) => complain(p, `${slashTime(p.kernel.sim.nowMs)} ${text}\n`);
const portOf = (listen: string) => Number(listen.slice(listen.lastIndexOf(':') + 1));
const inUse = (port: number) => `listen tcp :${port}: bind: address already in use`;

/** hashicorp/http-echo 1.0. */
export const httpEcho = (_u: Userland): Program =>
  function* (p): Co<number> {
    const { flags } = goFlags(p.argv.slice(1), ['version']);
    const text = flags.get('text') ?? p.env.get('ECHO_TEXT') ?? '';
    if (!text) {
      complain(p, 'Missing -text option!\n');
      return 127;
    }
    const listen = flags.get('listen') ?? ':5678';
    const status = Number(flags.get('status-code') ?? 200);
    const appHeaders: Headers = [
      ['X-App-Name', 'http-echo'],
      ['X-App-Version', '1.0.0'],
    ];
    function* handler(req: Served): Co<Reply> {
      if (req.target === '/health')
        return { ...jsonReply({ status: 'ok' }), headers: [...appHeaders, ['Content-Type', 'application/json; charset=utf-8']] };
      return { status, headers: appHeaders, body: `${text}\n` };
    }
    const error = goServer(p, portOf(listen), handler, {
      served: (req, reply, n) => {
        const line = `"${req.method} ${req.target} ${req.version}" ${reply.status} ${n} "${header(req.headers, 'User-Agent') ?? ''}" 21.3µs`;
        print(p, `${slashTime(p.kernel.sim.nowMs)} ${header(req.headers, 'Host') ?? ''} ${remoteOf(req)} ${line}\n`);
      },
    });
    const failed = cannotListen(p, `${slashTime(p.kernel.sim.nowMs)} [ERR] server exited with: ${inUse(portOf(listen))}\n`, error);
    if (failed !== null) return 127;
    goLog(p, `[INFO] server is listening on ${listen}`);
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

/** registry.k8s.io/echoserver: an nginx with Lua. 1.4 has another page than those since 1.5. `port`: the e2e images of ingress-nginx have 80. */
export const echoserver =
  (port: number) =>
  (u: Userland): Program =>
    function* (p): Co<number> {
      const old = /^1\.[0-4]$/.test(u.tag ?? '');
      function* handler(req: Served): Co<Reply> {
        const body = old ? oldPage(req) : newPage(p, req);
        return { status: 200, headers: [['Content-Type', 'text/plain']], body };
      }
      httpServer(p, port, handler, {
        decorate: (_r, reply, keep) => [
          ['Date', httpDate(p.kernel.sim.nowMs)],
          ...(reply.headers ?? []),
          ['Transfer-Encoding', 'chunked'],
          ['Connection', keep ? 'keep-alive' : 'close'],
          ['Server', old ? 'nginx/1.10.0' : 'echoserver'],
        ],
      });
      if (!old) print(p, 'Generating self-signed cert\nStarting nginx\n');
      return yield* untilSignal(p, { TERM: 0, QUIT: 0, INT: 0 });
    };

const sortedHeaders = (req: Served) => [...req.headers].map(([n, v]) => [n.toLowerCase(), v]).sort((a, b) => (a[0] < b[0] ? -1 : 1));

const requestUri = (req: Served) => `http://${(header(req.headers, 'Host') ?? '').replace(/:\d+$/, '')}:${req.localPort}${req.target}`;

function oldPage(req: Served): string {
  const [path, query] = req.target.split('?');
  const lines = ['CLIENT VALUES:', `client_address=${formatIp(req.remote)}`, `command=${req.method}`, `real path=${path}`];
  lines.push(`query=${query ?? 'nil'}`, `request_version=${req.version.slice(5)}`, `request_uri=${requestUri(req)}`, '');
  lines.push('SERVER VALUES:', 'server_version=nginx: 1.10.0 - lua: 10001', '', 'HEADERS RECEIVED:');
  lines.push(...sortedHeaders(req).map(([n, v]) => `${n}=${v}`), 'BODY:');
  return `${lines.join('\n')}\n${req.body.length ? bytesToString(req.body) : '-no body in request-'}`;
}

function newPage(p: Process, req: Served): string {
  const [path, query] = req.target.split('?');
  const info = ['POD_NAME', 'POD_NAMESPACE', 'POD_IP', 'NODE_NAME'].filter(n => p.env.get(n));
  const labels: Record<string, string> = { POD_NAME: 'pod name', POD_NAMESPACE: 'pod namespace', POD_IP: 'pod IP', NODE_NAME: 'node name' };
  const pod = info.length ? info.map(n => `\t${labels[n]}:\t${p.env.get(n)}`) : ['\t-no pod information available-'];
  const lines = ['', '', `Hostname: ${hostnameOf(p)}`, '', 'Pod Information:', ...pod, '', 'Server values:'];
  lines.push('\tserver_version=nginx: 1.13.3 - lua: 10008', '', 'Request Information:', `\tclient_address=${formatIp(req.remote)}`);
  lines.push(`\tmethod=${req.method}`, `\treal path=${path}`, `\tquery=${query ?? ''}`, `\trequest_version=${req.version.slice(5)}`);
  lines.push('\trequest_scheme=http', `\trequest_uri=${requestUri(req)}`, '', 'Request Headers:');
  lines.push(...sortedHeaders(req).map(([n, v]) => `\t${n}=${v}`), '', 'Request Body:');
  lines.push(req.body.length ? bytesToString(req.body) : '\t-no body in request-', '', '');
  return lines.join('\n');
}

/** jmalloc/echo-server 0.3, also packed as kicbase/echo-server. */
export const echoServer = (_u: Userland): Program =>
  function* (p): Co<number> {
    const port = Number(p.env.get('PORT') ?? 8080);
    function* handler(req: Served): Co<Reply> {
      print(p, `${remoteOf(req)} | ${req.method} ${req.target}\n`);
      const lines = [`Request served by ${hostnameOf(p)}`, '', `${req.method} ${req.target} ${req.version}`, ''];
      lines.push(`Host: ${header(req.headers, 'Host') ?? ''}`);
      const rest = req.headers.filter(([n]) => n.toLowerCase() !== 'host').sort((a, b) => (a[0] < b[0] ? -1 : 1));
      lines.push(...rest.map(([n, v]) => `${canonicalHeader(n)}: ${v}`), '');
      return { status: 200, headers: [['Content-Type', 'text/plain']], body: `${lines.join('\n')}\n${bytesToString(req.body)}` };
    }
    goServer(p, port, handler);
    print(p, `Echo server listening on port ${port}.\n`);
    return yield* untilSignal(p, GO_DEFAULT);
  };

/** gcr.io/google-samples/hello-go-gke 1.0: the backend of the documentation's two-tier example. */
export const helloGo = (_u: Userland): Program =>
  function* (p): Co<number> {
    function* handler(): Co<Reply> {
      return { status: 200, headers: [['Content-Type', 'application/json']], body: '{"message":"Hello"}\n' };
    }
    goServer(p, 80, handler);
    return yield* untilSignal(p, GO_DEFAULT);
  };

/** gcr.io/google-samples/hello-app 1.0 and 2.0. */
export const helloApp = (u: Userland): Program =>
  function* (p): Co<number> {
    const port = Number(p.env.get('PORT') ?? 8080);
    const version = u.tag === '2.0' ? '2.0.0' : '1.0.0';
    function* handler(req: Served): Co<Reply> {
      goLog(p, `Serving request: ${splitTarget(req.target).path}`);
      return { status: 200, body: `Hello, world!\nVersion: ${version}\nHostname: ${hostnameOf(p)}\n` };
    }
    goServer(p, port, handler);
    goLog(p, `Server listening on port ${port}`);
    return yield* untilSignal(p, GO_DEFAULT);
  };

/** traefik/whoami 1.11. */
export const whoami = (_u: Userland): Program =>
  function* (p): Co<number> {
    const { flags } = goFlags(p.argv.slice(1), ['verbose']);
    const port = Number(flags.get('port') ?? p.env.get('WHOAMI_PORT_NUMBER') ?? 80);
    const name = flags.get('name') ?? p.env.get('WHOAMI_NAME') ?? '';
    function* handler(req: Served): Co<Reply> {
      const { path } = splitTarget(req.target);
      const ips = ['127.0.0.1', '::1', ...ownAddresses(p).map(a => formatIp(a))];
      if (path === '/health') return { status: 200, body: '' };
      if (path === '/api') {
        const headers: Record<string, string[]> = {};
        for (const [n, v] of req.headers) if (n.toLowerCase() !== 'host') headers[canonicalHeader(n)] = [v];
        const host = header(req.headers, 'Host') ?? '';
        return jsonReply({
          hostname: hostnameOf(p),
          ip: ips,
          headers,
          url: req.target,
          host,
          method: req.method,
          remoteAddr: remoteOf(req),
        });
      }
      const lines = [
        ...(name ? [`Name: ${name}`] : []),
        `Hostname: ${hostnameOf(p)}`,
        ...ips.map(a => `IP: ${a}`),
        `RemoteAddr: ${remoteOf(req)}`,
      ];
      lines.push(`${req.method} ${req.target} ${req.version}`, `Host: ${header(req.headers, 'Host') ?? ''}`);
      const agent = header(req.headers, 'User-Agent');
      if (agent) lines.push(`User-Agent: ${agent}`);
      const rest = req.headers.filter(([n]) => !/^(?:host|user-agent)$/i.test(n)).sort((a, b) => (a[0] < b[0] ? -1 : 1));
      lines.push(...rest.map(([n, v]) => `${canonicalHeader(n)}: ${v}`), '', '');
      return { status: 200, body: lines.join('\n') };
    }
    const error = goServer(p, port, handler);
    if (error) {
      goLog(p, inUse(port));
      return 1;
    }
    print(p, `${slashTime(p.kernel.sim.nowMs)} Starting up on port ${port}\n`);
    return yield* untilSignal(p, GO_DEFAULT);
  };

/** gcr.io/google-samples/node-hello and the like: one line, by Node's http module. `line`: what it says; `usual`: its port without PORT. */
export const helloNode =
  (line: (hostname: string) => string, usual: number) =>
  (_u: Userland): Program =>
    function* (p): Co<number> {
      const port = Number(p.env.get('PORT') ?? usual);
      function* handler(): Co<Reply> {
        return { status: 200, body: line(hostnameOf(p)) };
      }
      httpServer(p, port, handler, {
        decorate: (_r, _reply, keep) => [
          ['Date', httpDate(p.kernel.sim.nowMs)],
          ['Connection', keep ? 'keep-alive' : 'close'],
        ],
      });
      return yield* untilSignal(p, { TERM: 143, INT: 130 });
    };

/** paulbouwer/hello-kubernetes 1.10: the page's facts, without its style sheet. */
export const helloKubernetes = (_u: Userland): Program =>
  function* (p): Co<number> {
    const message = p.env.get('MESSAGE') || 'Hello world!';
    function* handler(): Co<Reply> {
      const row = (name: string, value: string) => `    <tr>\n      <th>${name}:</th>\n      <td>${value}</td>\n    </tr>\n`;
      const rows =
        row('namespace', p.env.get('KUBERNETES_NAMESPACE') || '-') +
        row('pod', hostnameOf(p)) +
        row('node', p.env.get('KUBERNETES_NODE_NAME') || '-');
      const head = '<!DOCTYPE html>\n<html>\n<head>\n    <title>Hello Kubernetes!</title>\n</head>\n<body>\n';
      const body = `${head}  <div class="main">\n    <div class="content">\n      <div id="message">\n  ${message}\n</div>\n<div id="info">\n  <table>\n${rows}  </table>\n</div>\n    </div>\n  </div>\n</body>\n</html>\n`;
      return {
        status: 200,
        headers: [
          ['X-Powered-By', 'Express'],
          ['Content-Type', 'text/html; charset=utf-8'],
        ],
        body,
      };
    }
    httpServer(p, Number(p.env.get('PORT') ?? 8080), handler);
    print(p, `Listening on: http://${hostnameOf(p)}:${p.env.get('PORT') ?? 8080}\n`);
    return yield* untilSignal(p, { TERM: 143, INT: 130 });
  };

/** google-samples/whereami 1.2: what it can know without a metadata server. */
export const whereami = (_u: Userland): Program =>
  function* (p): Co<number> {
    function* handler(req: Served): Co<Reply> {
      const facts: Record<string, string> = {
        host_header: header(req.headers, 'Host') ?? '',
        node_name: p.env.get('NODE_NAME') ?? '',
        pod_ip: p.env.get('POD_IP') ?? formatIp(ownAddresses(p)[0] ?? req.local),
        pod_name: hostnameOf(p),
        pod_namespace: p.env.get('POD_NAMESPACE') ?? '',
        timestamp: rfc3339(p.kernel.sim.nowMs).slice(0, -1),
      };
      const { path } = splitTarget(req.target);
      const one = facts[path.slice(1)];
      if (path === '/healthz') return { status: 200, body: 'OK' };
      return one !== undefined && path !== '/' ? { status: 200, body: one } : jsonReply(facts, 200);
    }
    httpServer(p, Number(p.env.get('PORT') ?? 8080), handler);
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

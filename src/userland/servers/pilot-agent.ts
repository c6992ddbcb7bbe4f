// What people run in a proxy's container by hand: `pilot-agent request` and `version`. The agent itself is an add-on's program.
import { complain, print } from '../../linux/process.ts';
import type { Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { ip } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { exchange, hasFailed } from './upstream.ts';

const HELP = `Istio Pilot agent runs in the sidecar or gateway container and bootstraps Envoy.

Usage:
  pilot-agent [command]

Available Commands:
  istio-iptables      Set up iptables rules for Istio Sidecar
  proxy               XDS proxy agent
  request             Makes an HTTP request to the Envoy admin API
  version             Prints out build version information
  wait                Waits until the Envoy proxy is ready
`;

const REFUSED = 'connect: connection refused';

/** GET or POST to a port of the container's loopback; its body is printed as it is. */
export const pilotAgentTool = (u: Userland): Program =>
  function* (p): Co<number> {
    const words = p.argv.slice(1).filter(w => !w.startsWith('--'));
    const flag = p.argv.map(w => /^--debug-port=(\d+)$/.exec(w)?.[1]).find(Boolean);
    if (words[0] === 'version') {
      print(p, `version.BuildInfo{Version:"${(u.tag ?? '').replace(/-.*/, '')}", BuildStatus:"Clean"}\n`);
      return 0;
    }
    if (words[0] !== 'request' && words[0] !== 'wait') {
      print(p, HELP);
      return 0;
    }
    const waits = words[0] === 'wait';
    const [method, path] = waits ? ['GET', 'healthz/ready'] : [words[1] ?? 'GET', words[2] ?? ''];
    const port = waits ? 15021 : Number(flag ?? 15000);
    const got = yield* exchange(
      p,
      ip('127.0.0.1'),
      port,
      { method, target: `/${path.replace(/^\//, '')}`, headers: [['Host', `localhost:${port}`]], body: new Uint8Array(0) },
      { connectMs: 5000, readMs: 60_000 },
    );
    if (hasFailed(got)) {
      complain(p, `Error: command error response: ${method} "http://localhost:${port}/${path}": dial tcp 127.0.0.1:${port}: ${REFUSED}\n`);
      return 1;
    }
    if (got.head.status >= 400) {
      complain(p, `Error: received unexpected status code: ${got.head.status}\n`);
      return 1;
    }
    print(p, got.body);
    return 0;
  };

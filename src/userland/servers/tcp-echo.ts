// istio/tcp-echo-server: `tcp-echo PORTS PREFIX` sends each line back with the prefix before it (samples/tcp-echo/src/main.go 1.28).
import { print } from '../../linux/process.ts';
import { recv, type Socket, send } from '../../linux/socket.ts';
import type { Program } from '../../linux/types.ts';
import { bytesToString, stringToBytes } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { tcpServer } from '../http-server.ts';
import type { Userland } from '../userland.ts';
import { GO_DEFAULT, untilSignal } from './daemon.ts';

export const tcpEcho = (_u: Userland): Program =>
  function* (p): Co<number> {
    const [ports = '9000', prefix = 'hello'] = p.argv.slice(1);
    function* each(s: Socket): Co<void> {
      let held = '';
      for (;;) {
        const got = yield* recv(s);
        if (typeof got === 'string' || !got.length) return;
        held += bytesToString(got);
        for (let at = held.indexOf('\n'); at >= 0; at = held.indexOf('\n')) {
          const line = held.slice(0, at + 1);
          held = held.slice(at + 1);
          print(p, `request: ${line}`);
          yield* send(s, stringToBytes(`${prefix} ${line}`));
        }
      }
    }
    for (const port of ports.split(',')) {
      print(p, `listening on [::]:${port}, prefix: ${prefix}\n`);
      tcpServer(p, Number(port), each);
    }
    return yield* untilSignal(p, GO_DEFAULT);
  };

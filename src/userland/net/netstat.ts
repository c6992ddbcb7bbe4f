// netstat (net-tools 2.10 and BusyBox).
import { operState } from '../../linux/carrier.ts';
import { print } from '../../linux/process.ts';
import type { Socket } from '../../linux/socket.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';
import { letters, printRoutes, sortedLinks } from './net-tools.ts';
import { addressText, holder, isListening, ofType, queues, serviceName } from './socket-rows.ts';

const NETSTAT_STATES: Record<string, string> = {
  ESTAB: 'ESTABLISHED',
  'SYN-SENT': 'SYN_SENT',
  'SYN-RECV': 'SYN_RECV',
  'FIN-WAIT-1': 'FIN_WAIT1',
  'FIN-WAIT-2': 'FIN_WAIT2',
  'TIME-WAIT': 'TIME_WAIT',
  'CLOSE-WAIT': 'CLOSE_WAIT',
  'LAST-ACK': 'LAST_ACK',
  LISTEN: 'LISTEN',
  CLOSING: 'CLOSING',
};

const netstat = (u: Userland, busybox: boolean): Program =>
  function* netstat(p: Process): Co<number> {
    const o = letters(p.argv);
    if (o.includes('r')) {
      printRoutes(p, o.includes('n'), true, busybox);
      return 0;
    }
    if (o.includes('i')) {
      interfaces(p);
      return 0;
    }
    connections(p, o, busybox, u);
    return 0;
  };

function connections(p: Process, o: string, busybox: boolean, _u: Userland): void {
  const numeric = o.includes('n');
  const programs = o.includes('p');
  const which = o.includes('a') ? 'servers and established' : o.includes('l') ? 'only servers' : 'w/o servers';
  const types: Socket['type'][] = /[tuw]/.test(o)
    ? [
        ...(o.includes('t') ? ['tcp' as const] : []),
        ...(o.includes('u') ? ['udp' as const] : []),
        ...(o.includes('w') ? ['raw' as const] : []),
      ]
    : ['tcp', 'udp'];
  print(p, `Active Internet connections (${which})\n`);
  print(
    p,
    `Proto Recv-Q Send-Q Local Address           Foreign Address         State       ${programs ? 'PID/Program name    ' : ''}\n`.replace(
      / {7}\n$/,
      busybox ? '       \n' : '      \n',
    ),
  );
  const port = (s: Socket, n: number) => (n === 0 ? '*' : numeric ? String(n) : serviceName(n, s.type === 'udp' ? 'udp' : 'tcp'));
  for (const type of types) {
    const all = ofType(p.netns, type).filter(s => o.includes('a') || isListening(s) === o.includes('l'));
    for (const s of [...all.filter(x => x.family === 4), ...all.filter(x => x.family === 6)]) {
      const proto = `${s.type}${s.family === 6 && !busybox ? '6' : ''}`;
      const queue = s.state === 'LISTEN' ? [queues(s)[0], 0] : queues(s);
      const local = `${addressText(s, 'local', 'netstat')}:${port(s, s.localPort)}`;
      const remote = `${addressText(s, 'remote', 'netstat')}:${port(s, s.remotePort)}`;
      const state = s.type === 'tcp' ? (NETSTAT_STATES[s.state] ?? s.state) : s.remote ? 'ESTABLISHED' : '';
      let line = `${proto.padEnd(4)}  ${String(queue[0]).padStart(6)} ${String(queue[1]).padStart(6)} ${local.padEnd(23)} ${remote.padEnd(23)} ${state.padEnd(busybox ? 11 : 11)} `;
      if (programs) {
        const h = holder(s, p);
        line += h ? `${h.pid}/${h.name}`.padEnd(busybox ? 0 : 20) : '-'.padEnd(busybox ? 0 : 20);
      } else if (!busybox) line = line.slice(0, -1);
      print(p, `${line}\n`);
    }
  }
}

function interfaces(p: Process): void {
  print(p, 'Kernel Interface table\n');
  print(p, 'Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n');
  for (const l of sortedLinks(p).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const c = l.counters;
    const flags = `${l.kind === 'loopback' ? 'L' : 'BM'}${operState(l) === 'DOWN' ? '' : 'R'}${l.up ? 'U' : ''}`;
    print(
      p,
      `${l.name.padEnd(16)} ${String(l.mtu).padStart(5)} ${String(c.rxPackets).padStart(8)}      0 ${String(c.rxDropped).padStart(6)} 0      ${String(c.txPackets).padStart(8)}      0 ${String(c.txDropped).padStart(6)}      0 ${flags}\n`,
    );
  }
}

export const netstatProgram = (u: Userland): Program => netstat(u, false);

export const busyboxNetstatProgram = (u: Userland): Program => netstat(u, true);

import type { ProgramTable } from '../programs.ts';
import { arpProgram, busyboxArpProgram } from './arp.ts';
import { bridgeProgram } from './bridge.ts';
import { busyboxNc } from './busybox-nc.ts';
import { busyboxNslookup } from './busybox-nslookup.ts';
import { busyboxPing } from './busybox-ping.ts';
import { busyboxTraceroute } from './busybox-traceroute.ts';
import { busyboxWget } from './busybox-wget.ts';
import { curl } from './curl.ts';
import { dig } from './dig.ts';
import { ethtool } from './ethtool.ts';
import { getent } from './getent.ts';
import { host } from './host.ts';
import { busyboxIfconfigProgram, ifconfigProgram } from './ifconfig.ts';
import { busyboxIpProgram, ipProgram } from './ip/main.ts';
import { mtr } from './mtr.ts';
import { busyboxNetstatProgram, netstatProgram } from './netstat.ts';
import { nslookup } from './nslookup.ts';
import { openbsdNc } from './openbsd-nc.ts';
import { ping } from './ping.ts';
import { busyboxRouteProgram, routeProgram } from './route-tool.ts';
import { ssProgram } from './ss.ts';
import { busyboxSysctlProgram, sysctlProgram } from './sysctl.ts';
import { tcpdump } from './tcpdump.ts';
import { busyboxTelnet, telnet } from './telnet.ts';
import { tracepath } from './tracepath.ts';
import { traceroute } from './traceroute.ts';
import { wget } from './wget/main.ts';

/** Network tools: package, directory, programs. */
export const NET_PROGRAMS: ProgramTable = [
  [
    'busybox',
    '/bin',
    {
      nc: busyboxNc,
      nslookup: busyboxNslookup,
      ping: busyboxPing,
      ping6: busyboxPing,
      telnet: busyboxTelnet,
      traceroute: busyboxTraceroute,
      traceroute6: busyboxTraceroute,
      wget: busyboxWget,
    },
  ],
  ['iputils-ping', '/usr/bin', { ping, ping4: ping, ping6: ping }],
  ['netcat-openbsd', '/usr/bin', { nc: openbsdNc, netcat: openbsdNc, 'nc.openbsd': openbsdNc }],
  ['telnet', '/usr/bin', { telnet }],
  ['tcpdump', '/usr/bin', { tcpdump }],
  ['traceroute', '/usr/bin', { traceroute, traceroute6: traceroute }],
  ['iputils-tracepath', '/usr/bin', { tracepath, tracepath6: tracepath }],
  ['mtr-tiny', '/usr/bin', { mtr }],
  [
    'busybox',
    '/bin',
    {
      ip: busyboxIpProgram,
      ifconfig: busyboxIfconfigProgram,
      route: busyboxRouteProgram,
      arp: busyboxArpProgram,
      netstat: busyboxNetstatProgram,
      sysctl: busyboxSysctlProgram,
    },
  ],
  ['iproute2', '/usr/bin', { ip: ipProgram, ss: ssProgram }],
  ['iproute2', '/usr/sbin', { bridge: bridgeProgram }],
  ['ethtool', '/usr/sbin', { ethtool: () => ethtool }],
  ['net-tools', '/usr/bin', { netstat: netstatProgram }],
  ['net-tools', '/usr/sbin', { ifconfig: ifconfigProgram, route: routeProgram, arp: arpProgram }],
  ['procps', '/usr/sbin', { sysctl: sysctlProgram }],
  ['curl', '/usr/bin', { curl }],
  ['wget', '/usr/bin', { wget }],
  ['bind9-dnsutils', '/usr/bin', { dig, nslookup }],
  ['bind9-host', '/usr/bin', { host }],
  ['libc-bin', '/usr/bin', { getent }],
  ['alpine-base', '/usr/bin', { getent }],
];

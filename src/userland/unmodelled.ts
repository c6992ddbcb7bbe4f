// Programs that images and packages really have and podnet has not. They are found where they are and say so themselves: a name that is
// missing would say of the image what is not true.
import { complain } from '../linux/process.ts';
import type { Program } from '../linux/types.ts';
import type { ProgramTable } from './programs.ts';

/** What a shell says of a program that it may not run. */
const NOT_RUN = 126;

const unmodelled =
  (name: string): (() => Program) =>
  () =>
    function* (p) {
      complain(p, `podnet: ${name} is here, but podnet does not model it\n`);
      return NOT_RUN;
    };

/** `package directory: programs` */
const ROWS = `
apache2-utils /usr/bin: ab
arping /usr/sbin: arping
bird /usr/sbin: bird birdc birdcl
bridge-utils /usr/sbin: brctl
dhcping /usr/bin: dhcping
drill /usr/bin: drill
file /usr/bin: file
fortio /usr/bin: fortio
fping /usr/sbin: fping fping6
grpcurl /usr/bin: grpcurl
hping3 /usr/sbin: hping3
httpie /usr/bin: http https httpie
iftop /usr/sbin: iftop
iperf /usr/bin: iperf
iperf3 /usr/bin: iperf3
iptraf-ng /usr/sbin: iptraf-ng
liboping /usr/bin: oping noping
ltrace /usr/bin: ltrace
net-snmp-tools /usr/bin: snmpget snmpwalk
ngrep /usr/bin: ngrep
nmap /usr/bin: nmap ncat nping
openssh-client /usr/bin: scp sftp ssh ssh-keygen ssh-keyscan
scapy /usr/bin: scapy
socat /usr/bin: socat
speedtest-cli /usr/bin: speedtest-cli
strace /usr/bin: strace
swaks /usr/bin: swaks
tcptraceroute /usr/bin: tcptraceroute
termshark /usr/bin: termshark
tshark /usr/bin: capinfos dumpcap editcap tshark
websocat /usr/bin: websocat
`;

export const UNMODELLED_PROGRAMS: ProgramTable = ROWS.trim()
  .split('\n')
  .map(row => {
    const [, pkg, dir, names] = /^(\S+) (\S+): (.*)$/.exec(row) as RegExpExecArray;
    return [pkg, dir, Object.fromEntries(names.split(' ').map(n => [n, unmodelled(n)]))];
  });

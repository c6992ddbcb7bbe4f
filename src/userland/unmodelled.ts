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
busybox /bin: cpio dnsdomainname getopt gunzip gzip ipcalc mknod vi zcat
busybox /sbin: nameif vconfig
busybox /usr/bin: bunzip2 bzcat bzip2 cal dos2unix factor lzcat renice shred strings unix2dos unlzma unxz unzip uudecode uuencode xzcat
busybox /usr/sbin: arping brctl
coreutils /bin: dir mknod vdir
coreutils /usr/bin: b2sum base32 basenc chcon csplit dircolors factor fmt install link pathchk pinky pr ptx runcon sha224sum sha384sum shred sum
coreutils /usr/bin: tsort unexpand unlink
dhcping /usr/bin: dhcping
dpkg /usr/bin: dpkg dpkg-deb dpkg-divert dpkg-query dpkg-split dpkg-statoverride dpkg-trigger update-alternatives
drill /usr/bin: drill
file /usr/bin: file
fortio /usr/bin: fortio
fping /usr/sbin: fping fping6
grpcurl /usr/bin: grpcurl
gzip /bin: gunzip gzip zcat zcmp zdiff zegrep zfgrep zforce zgrep zless zmore znew
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
perl-base /usr/bin: perl
scapy /usr/bin: scapy
socat /usr/bin: socat
speedtest-cli /usr/bin: speedtest-cli
strace /usr/bin: strace
swaks /usr/bin: swaks
tcptraceroute /usr/bin: tcptraceroute
termshark /usr/bin: termshark
tshark /usr/bin: capinfos dumpcap editcap tshark
util-linux /bin: findmnt lsblk
util-linux /usr/bin: chrt choom fallocate flock getopt ionice ipcmk ipcrm ipcs last lscpu lsipc lslocks lslogins lsmem mcookie namei partx prlimit
util-linux /usr/bin: setpriv taskset utmpdump wdctl whereis
websocat /usr/bin: websocat
`;

export const UNMODELLED_PROGRAMS: ProgramTable = ROWS.trim()
  .split('\n')
  .map(row => {
    const [, pkg, dir, names] = /^(\S+) (\S+): (.*)$/.exec(row) as RegExpExecArray;
    return [pkg, dir, Object.fromEntries(names.split(' ').map(n => [n, unmodelled(n)]))];
  });

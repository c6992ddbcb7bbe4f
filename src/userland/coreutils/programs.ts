import { openssl } from '../openssl/main.ts';
import { busyboxProgram, type ProgramTable } from '../programs.ts';
import * as accounts from './accounts.ts';
import { apt } from './apt.ts';
import { awk } from './awk/awk.ts';
import * as binary from './bytes-tools.ts';
import * as capacity from './capacity.ts';
import { COLUMN } from './column.ts';
import * as date from './date.ts';
import * as files from './files.ts';
import { find } from './find.ts';
import { GREP } from './grep.ts';
import * as hostName from './host-name.ts';
import { JOIN } from './join.ts';
import { jq } from './jq/jq.ts';
import * as kill from './kill.ts';
import * as links from './links.ts';
import * as logins from './logins.ts';
import { LS, STAT } from './ls.ts';
import * as make from './make.ts';
import * as misc from './misc.ts';
import * as modes from './modes.ts';
import * as namespaces from './namespaces.ts';
import { NUMFMT } from './numfmt.ts';
import { apk, pip, yum } from './packages.ts';
import * as plain from './plain.ts';
import * as ps from './ps.ts';
import { SED } from './sed/sed.ts';
import * as sizes from './sizes.ts';
import { SHUF, SORT } from './sort.ts';
import * as streams from './streams.ts';
import * as system from './system.ts';
import { tar } from './tar.ts';
import * as text from './text.ts';
import { tool } from './tool.ts';
import * as tr from './tr.ts';
import * as wrappers from './wrappers.ts';

const both = (bb: boolean) => ({
  bin: {
    cat: tool(streams.CAT, bb),
    ls: tool(LS, bb),
    cp: tool(files.CP, bb),
    mv: tool(files.MV, bb),
    rm: tool(files.RM, bb),
    mkdir: tool(make.MKDIR, bb),
    rmdir: tool(files.RMDIR, bb),
    ln: tool(make.LN, bb),
    touch: tool(make.TOUCH, bb),
    chmod: tool(modes.CHMOD, bb),
    chown: tool(modes.CHOWN, bb),
    chgrp: tool(modes.CHOWN, bb),
    mktemp: tool(make.MKTEMP, bb),
    dd: tool(sizes.DD, bb),
    df: tool(capacity.DF, bb),
    stat: tool(STAT, bb),
    sync: tool(files.SYNC, bb),
    echo: plain.echo,
    true: plain.exitWith(0),
    false: plain.exitWith(1),
    date: tool(date.DATE, bb),
    sleep: tool(date.SLEEP, bb),
    uname: tool(system.UNAME, bb),
    pwd: tool(plain.PWD, bb),
    nice: tool(wrappers.WRAPPER, bb),
  },
  usrBin: {
    '[': plain.test(bb),
    test: plain.test(bb),
    basename: tool(plain.BASENAME, bb),
    dirname: tool(plain.DIRNAME, bb),
    printf: plain.printf(bb),
    env: tool(wrappers.ENV, bb),
    printenv: tool(plain.PRINTENV, bb),
    id: tool(accounts.ID, bb),
    whoami: tool(accounts.WHOAMI, bb),
    nproc: tool(system.NPROC, bb),
    tty: tool(plain.TTY, bb),
    yes: tool(plain.YES, bb),
    seq: plain.seq(bb),
    head: tool(streams.HEAD, bb),
    tail: tool(streams.TAIL, bb),
    wc: tool(text.WC, bb),
    sort: tool(SORT, bb),
    shuf: tool(SHUF, bb),
    uniq: tool(text.UNIQ, bb),
    cut: tool(text.CUT, bb),
    tr: tool(tr.TR, bb),
    tee: tool(streams.TEE, bb),
    tac: tool(text.TAC, bb),
    nl: tool(text.NL, bb),
    paste: tool(text.PASTE, bb),
    fold: tool(text.FOLD, bb),
    comm: tool(text.COMM, bb),
    split: tool(text.SPLIT_LINES, bb),
    expand: tool(text.EXPAND, bb),
    readlink: tool(links.READLINK, bb),
    realpath: tool(links.REALPATH, bb),
    mkfifo: tool(make.MKFIFO, bb),
    truncate: tool(sizes.TRUNCATE, bb),
    du: tool(sizes.DU, bb),
    timeout: tool(wrappers.TIMEOUT, bb),
    nohup: tool(wrappers.WRAPPER, bb),
    expr: misc.expr(bb),
    base64: tool(binary.BASE64, bb),
    md5sum: tool(binary.SUM, bb),
    sha1sum: tool(binary.SUM, bb),
    sha256sum: tool(binary.SUM, bb),
    sha512sum: tool(binary.SUM, bb),
    cksum: tool(binary.CKSUM, bb),
    od: tool(binary.OD, bb),
  },
});

const gnu = both(false);
const applets = both(true);

/** What every system has: coreutils, grep, sed, BusyBox' applets …: package, directory, programs. */
export const COREUTILS_PROGRAMS: ProgramTable = [
  ['coreutils', '/bin', gnu.bin],
  ['coreutils', '/usr/bin', gnu.usrBin],
  [
    'coreutils',
    '/usr/bin',
    {
      join: tool(JOIN, false),
      numfmt: tool(NUMFMT, false),
      arch: () => logins.arch,
      groups: tool(logins.GROUPS, false),
      logname: tool(logins.LOGNAME, false),
      users: tool(logins.WHO, false),
      who: tool(logins.WHO, false),
    },
  ],
  ['coreutils', '/usr/bin', { stdbuf: tool(wrappers.WRAPPER, false), which: tool(misc.WHICH, false), chroot: tool(misc.CHROOT, false) }],
  ['grep', '/bin', { grep: tool(GREP, false), egrep: tool(GREP, false), fgrep: tool(GREP, false) }],
  ['sed', '/bin', { sed: tool(SED, false) }],
  ['hostname', '/bin', { hostname: tool(hostName.HOSTNAME, false) }],
  [
    'util-linux',
    '/bin',
    {
      mount: tool(system.MOUNT, false),
      umount: tool(system.MOUNT, false),
      dmesg: tool(system.DMESG, false),
      rev: tool(text.REV, false),
      setsid: tool(wrappers.WRAPPER, false),
      column: tool(COLUMN, false),
      more: tool(streams.CAT, false),
      hexdump: tool(binary.HEXDUMP, false),
      uuidgen: tool(binary.UUIDGEN, false),
      nsenter: namespaces.nsenter(false),
      lsns: tool(namespaces.LSNS, false),
    },
  ],
  [
    'procps',
    '/bin',
    {
      ps: ps.ps(false),
      kill: kill.kill(false),
      pgrep: kill.byName(false),
      pkill: kill.byName(false),
      pidof: kill.byName(false),
      free: tool(capacity.FREE, false),
      uptime: tool(system.UPTIME, false),
      top: tool(ps.TOP, false),
      watch: tool(wrappers.WATCH, false),
      w: tool(logins.W, false),
    },
  ],
  ['ncurses', '/usr/bin', { clear: tool(plain.CLEAR, false) }],
  ['busybox', '/bin', applets.bin],
  [
    'busybox',
    '/bin',
    {
      busybox: u => busyboxProgram(u),
      grep: tool(GREP, true),
      egrep: tool(GREP, true),
      fgrep: tool(GREP, true),
      sed: tool(SED, true),
      hostname: tool(hostName.HOSTNAME, true),
      mount: tool(system.MOUNT, true),
      umount: tool(system.MOUNT, true),
      dmesg: tool(system.DMESG, true),
      ps: ps.ps(true),
      kill: kill.kill(true),
      watch: tool(wrappers.WATCH, true),
      su: tool(misc.AS_USER, true),
      tar: tar(true),
    },
  ],
  ['busybox', '/usr/bin', applets.usrBin],
  [
    'busybox',
    '/usr/bin',
    {
      rev: tool(text.REV, true),
      pgrep: kill.byName(true),
      pkill: kill.byName(true),
      pidof: kill.byName(true),
      killall: kill.byName(true),
      free: tool(capacity.FREE, true),
      uptime: tool(system.UPTIME, true),
      top: tool(ps.TOP, true),
      xargs: tool(wrappers.XARGS, true),
      time: tool(wrappers.TIME, true),
      clear: tool(plain.CLEAR, true),
      setsid: tool(wrappers.WRAPPER, true),
      which: tool(misc.WHICH, true),
      find: find(true),
      awk: awk(true),
      who: tool(logins.WHO, true),
      w: tool(logins.W, true),
      arch: () => logins.arch,
      groups: tool(logins.GROUPS, true),
      logname: tool(logins.LOGNAME, true),
      diff: tool(binary.DIFF, true),
      cmp: tool(binary.CMP, true),
      hexdump: tool(binary.HEXDUMP, true),
      xxd: tool(binary.XXD, true),
      less: tool(streams.CAT, true),
      more: tool(streams.CAT, true),
      chroot: tool(misc.CHROOT, true),
      nsenter: namespaces.nsenter(true),
    },
  ],
  ['findutils', '/usr/bin', { xargs: tool(wrappers.XARGS, false), find: find(false) }],
  ['diffutils', '/usr/bin', { diff: tool(binary.DIFF, false), cmp: tool(binary.CMP, false) }],
  ['mawk', '/usr/bin', { awk: awk(false, true), mawk: awk(false, true) }],
  ['gawk', '/usr/bin', { awk: awk(false), gawk: awk(false) }],
  ['tar', '/bin', { tar: tar(false) }],
  ['login', '/bin', { su: tool(misc.AS_USER, false) }],
  ['sudo', '/usr/bin', { sudo: tool(misc.AS_USER, false) }],
  ['jq', '/usr/bin', { jq }],
  ['apt', '/usr/bin', { apt, 'apt-get': apt }],
  ['apk', '/sbin', { apk }],
  ['yum', '/usr/bin', { yum, dnf: yum, microdnf: yum }],
  ['pip', '/usr/local/bin', { pip, pip3: pip }],
  ['gettext-base', '/usr/bin', { envsubst: tool(misc.ENVSUBST, false) }],
  ['openssl', '/usr/bin', { openssl: () => openssl }],
  ['xxd', '/usr/bin', { xxd: tool(binary.XXD, false) }],
  ['less', '/usr/bin', { less: tool(streams.CAT, false), more: tool(streams.CAT, false) }],
  [
    'dnsutils-extra',
    '/usr/bin',
    {
      less: tool(streams.CAT, false),
      openssl: () => openssl,
      xxd: tool(binary.XXD, false),
      envsubst: tool(misc.ENVSUBST, false),
    },
  ],
];

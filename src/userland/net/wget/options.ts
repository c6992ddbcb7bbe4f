// The command line of GNU Wget (src/main.c option_data and init.c commands, 1.21.3): every option that Debian's build has.
import { complain } from '../../../linux/process.ts';
import type { Process } from '../../../linux/types.ts';
import { getopt } from '../../busybox.ts';

/**
 * `long letter kind command treatment`. Kinds: `b` true or false (also --no-LONG and --LONG=on), `s` text, `n` a number, `i` a number or
 * inf, `t` a time, `y` bytes, `!` on its own. Treatments: nothing where podnet acts on it; `idle` where what it changes is not there
 * (FTP, robots, stored HSTS, .netrc); `not` where podnet would have to act and cannot.
 */
const TABLE = `
accept A s accept not
accept-regex - s acceptregex not
adjust-extension E b adjustextension
append-output a ! append
ask-password - b askpassword not
auth-no-challenge - b authnochallenge
background b b background not
backup-converted K b backupconverted not
backups - b backups not
base B s base
bind-address - s bindaddress
body-data - s bodydata
body-file - s bodyfile
ca-certificate - s cacertificate
ca-directory - s cadirectory not
cache - b cache
certificate - s certificate not
certificate-type - s certificatetype not
check-certificate - b checkcertificate
clobber - ! clobber
compression - s compression not
config - s chooseconfig not
connect-timeout - t connecttimeout
continue c b continue
convert-file-only - b convertfileonly not
convert-links k b convertlinks not
content-disposition - b contentdisposition
content-on-error - b contentonerror
cookies - b cookies idle
cut-dirs - n cutdirs
debug d b debug not
default-page - s defaultpage
delete-after - b deleteafter
directories - b dirstruct
directory-prefix P s dirprefix
dns-cache - b dnscache
dns-timeout - t dnstimeout
domains D s domains not
dont-remove-listing - ! idle idle
dot-style - s dotstyle
egd-file - s egdfile not
exclude-directories X s excludedirectories not
exclude-domains - s excludedomains not
execute e ! execute
follow-ftp - b followftp idle
follow-tags - s followtags not
force-directories x b dirstruct
force-html F b forcehtml not
ftp-password - s ftppassword idle
ftp-user - s ftpuser idle
ftps-clear-data-connection - b ftpscleardataconnection idle
ftps-fallback-to-ftp - b ftpsfallbacktoftp idle
ftps-implicit - b ftpsimplicit idle
ftps-resume-ssl - b ftpsresumessl idle
glob - b glob idle
header - s header
help h ! help
host-directories - b addhostdir
hsts - b hsts idle
hsts-file - s hstsfile not
html-extension E b adjustextension
htmlify - b htmlify idle
http-keep-alive - b httpkeepalive
http-passwd - s httppassword
http-password - s httppassword
http-user - s httpuser
https-only - b httpsonly idle
ignore-case - b ignorecase idle
ignore-length - b ignorelength
ignore-tags - s ignoretags not
include-directories I s includedirectories not
inet4-only 4 b inet4only
inet6-only 6 b inet6only
input-file i s input
iri - b iri idle
keep-session-cookies - b keepsessioncookies idle
level l i reclevel not
limit-rate - y limitrate
load-cookies - s loadcookies not
local-encoding - s localencoding not
rejected-log - s rejectedlog not
max-redirect - n maxredirect
method - s method
mirror m b mirror not
netrc - b netrc idle
no n ! no
no-clobber - b noclobber
no-config - b noconfig idle
no-parent - b noparent idle
output-document O s outputdocument
output-file o s logfile
page-requisites p b pagerequisites not
parent - ! parent idle
passive-ftp - b passiveftp idle
password - s password
pinnedpubkey - s pinnedpubkey not
post-data - s postdata
post-file - s postfile
prefer-family - s preferfamily
preserve-permissions - b preservepermissions idle
ciphers - s ciphers not
private-key - s privatekey not
private-key-type - s privatekeytype not
progress - s progress
show-progress - b showprogress
protocol-directories - b protocoldirectories
proxy - b useproxy
proxy__compat Y s useproxy
proxy-passwd - s proxypassword
proxy-password - s proxypassword
proxy-user - s proxyuser
quiet q b quiet
quota Q y quota
random-file - s randomfile idle
random-wait - b randomwait
read-timeout - t readtimeout
recursive r b recursive not
referer - s referer
regex-type - s regextype not
reject R s reject not
reject-regex - s rejectregex not
relative L b relativeonly not
remote-encoding - s remoteencoding not
remove-listing - b removelisting idle
report-speed - s reportspeed
restrict-file-names - s restrictfilenames not
retr-symlinks - b retrsymlinks idle
retry-connrefused - b retryconnrefused
retry-on-host-error - b retryonhosterror
retry-on-http-error - s retryonhttperror
save-cookies - s savecookies not
save-headers - b saveheaders
secure-protocol - s secureprotocol not
server-response S b serverresponse
span-hosts H b spanhosts not
spider - b spider
start-pos - y startpos
strict-comments - b strictcomments not
timeout T t timeout
timestamping N b timestamping
if-modified-since - b ifmodifiedsince
tries t i tries
unlink - b unlink
trust-server-names - b trustservernames
use-askpass - s useaskpass not
use-server-timestamps - b useservertimestamps
user - s user
user-agent U s useragent
verbose v b verbose
version V ! version
wait w t wait
waitretry - t waitretry
warc-cdx - b warccdx not
warc-compression - b warccompression not
warc-dedup - s warccdxdedup not
warc-digests - b warcdigests not
warc-file - s warcfile not
warc-header - s warcheader not
warc-keep-log - b warckeeplog not
warc-max-size - y warcmaxsize not
warc-tempdir - s warctempdir not
xattr - b xattr not
`;

/** Commands of a wgetrc that have no option (-e). */
const COMMANDS = 'httpproxy s,httpsproxy s,noproxy s,ftpproxy s idle,robots b idle,login s idle,passwd s idle,alwaysrest b continue';

interface Row {
  long: string;
  letter: string;
  kind: string;
  command: string;
  treatment: string;
}

let table: Row[] | null = null;

function rows(): Row[] {
  table ??= TABLE.trim()
    .split('\n')
    .map(line => {
      const [long, letter, kind, command, treatment = ''] = line.split(' ');
      return { long, letter, kind, command, treatment };
    });
  return table;
}

/** What podnet would have to act on and cannot. */
export const refusedOptions = (): string[] =>
  rows()
    .filter(r => r.treatment === 'not')
    .map(r => `--${r.long}`);

/** What was asked for: commands by their names in a wgetrc; times in seconds, sizes in bytes, 0 is without end. */
export interface Asked {
  on: Map<string, boolean>;
  text: Map<string, string>;
  amount: Map<string, number>;
  headers: string[];
  appendLog: boolean;
}

export type Parsed = { asked: Asked; urls: string[] } | { shows: 'help' | 'version' } | { wrong: string; usage: boolean; code: number };

/** A mistake in a value ends the program at once: what went before it is forgotten. */
class Mistake extends Error {}

const TRUE = /^(on|yes|1)$/i;
const FALSE = /^(off|no|0)$/i;

function atof(text: string): number | null {
  const t = text.trim();
  return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(t) ? Number(t) : null;
}

const TIMES: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const SIZES: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

function scaled(text: string, units: Record<string, number>): number | null {
  const t = text.trim();
  const unit = units[t.slice(-1).toLowerCase()];
  const n = atof(unit ? t.slice(0, -1) : t);
  return n === null ? null : n * (unit ?? 1);
}

const PROGRESS = /^(bar|dot)(:.*)?$/;
const fits = (header: string) => /^[^:\s]+:/.test(header) && !header.includes('\n');

/** One command and its value (init.c setval_internal). `name`: what complaints call it. */
function set(a: Asked, kind: string, command: string, name: string, value: string): void {
  const wrong = (text: string): never => {
    throw new Mistake(`wget: ${name}: ${text}\n`);
  };
  if (kind === 'b') {
    if (!TRUE.test(value) && !FALSE.test(value)) wrong(`Invalid boolean '${value}'; use \`on' or \`off'.`);
    a.on.set(command, TRUE.test(value));
  } else if (kind === 'n' || kind === 'i') {
    const n = kind === 'i' && value.toLowerCase() === 'inf' ? 0 : Number.parseInt(value, 10) || 0;
    if (n < 0 || n > 0x7fffffff) wrong(`Invalid number '${value}'.`);
    a.amount.set(command, n);
  } else if (kind === 't') {
    const n = scaled(value, TIMES);
    if (n === null) wrong(`Invalid time period '${value}'`);
    else if (n < 0) wrong(`Negative time period '${value}'`);
    else a.amount.set(command, n);
  } else if (kind === 'y') {
    const n = value === 'inf' ? 0 : scaled(value, SIZES);
    if (n === null || n < 0) wrong(`Invalid byte value '${value}'`);
    else a.amount.set(command, n);
  } else setText(a, command, name, value, wrong);
}

function setText(a: Asked, command: string, name: string, value: string, wrong: (text: string) => never): void {
  if (command === 'header') {
    if (value === '') a.headers = [];
    else if (!fits(value)) wrong(`Invalid header '${value}'.`);
    else a.headers.push(value);
    return;
  }
  if (command === 'useproxy') {
    set(a, 'b', command, name, value);
    return;
  }
  if (command === 'progress' && !PROGRESS.test(value)) wrong(`Invalid progress type '${value}'.`);
  if (command === 'reportspeed' && value.toLowerCase() !== 'bits') wrong(`Invalid value '${value}'.`);
  if (command === 'preferfamily' && !/^(ipv4|ipv6|none)$/i.test(value)) wrong(`Invalid value '${value}'.`);
  a.text.set(command, command === 'method' ? value.toUpperCase() : value);
}

/** -e: `name = value`, case and the signs - and _ do not count (init.c parse_line). */
function execute(a: Asked, line: string): void {
  const m = /^\s*([A-Za-z_-]+)\s*=\s*(.*?)\s*$/.exec(line);
  const name = m?.[1].replace(/[-_]/g, '').toLowerCase();
  const row = rows().find(r => r.command === name && r.kind !== '!');
  const own = COMMANDS.split(',')
    .map(c => c.split(' '))
    .find(c => c[0] === name);
  if (!m || !(row ?? own)) throw new Mistake(`wget: Invalid --execute command '${line}'\n`);
  if (row?.treatment === 'not') throw new Mistake(`wget: podnet does not model ${m[1]} (-e)\n`);
  const kind = row?.kind ?? own?.[1] ?? 's';
  set(a, kind, own?.[2] === 'continue' ? 'continue' : (name as string), m[1], m[2]);
}

const letterNo: Record<string, [string, boolean]> = {
  v: ['verbose', false],
  H: ['addhostdir', false],
  d: ['dirstruct', false],
  c: ['noclobber', true],
  p: ['noparent', true],
};

function takeOne(a: Asked, row: Row, negative: boolean, value: string | null): void {
  if (row.treatment === 'not' && !negative) throw new Mistake(`wget: podnet does not model --${row.long}\n`);
  if (row.command === 'append') {
    a.text.set('logfile', value ?? '');
    a.appendLog = true;
  } else if (row.command === 'execute') execute(a, value ?? '');
  else if (row.command === 'no') {
    for (const c of value ?? '') {
      const to = letterNo[c];
      if (!to) throw new Mistake(`wget: illegal option -- \`-n${c}'\n`);
      a.on.set(to[0], to[1]);
    }
  } else if (row.command === 'clobber') a.on.set('noclobber', !(value === null || /^(1|y|on)/i.test(value)));
  else if (row.kind === 'b') set(a, 'b', row.command, `--${row.long}`, value ?? (negative ? '0' : '1'));
  else if (row.kind !== '!') set(a, row.kind, row.command, `--${row.long}`, value ?? '');
}

const WITH_VALUE = new Set(['append', 'execute', 'no']);
const wantsValue = (r: Row) => r.kind !== 'b' && (r.kind !== '!' || WITH_VALUE.has(r.command));

/** The command line in its order: later words override earlier ones, the first mistake ends it. */
export function parseWords(words: string[]): Parsed {
  let short = '';
  const long: Record<string, string> = {};
  const byName = new Map<string, [Row, boolean]>();
  for (const r of rows()) {
    const key = `--${r.long}`;
    long[`${r.long}${wantsValue(r) ? '=' : r.kind === 'b' || r.command === 'clobber' ? '=?' : ''}`] = key;
    byName.set(key, [r, false]);
    if (r.kind === 'b' && !r.long.startsWith('no-')) {
      long[`no-${r.long}`] = `--no-${r.long}`;
      byName.set(`--no-${r.long}`, [r, true]);
    }
    if (r.letter === '-') continue;
    if (!byName.has(r.letter)) short += r.letter + (wantsValue(r) ? ':' : '');
    byName.set(r.letter, [r, false]);
  }
  const asked: Asked = { on: new Map(), text: new Map(), amount: new Map(), headers: [], appendLog: false };
  const o = getopt(words, short, long);
  if (o.error) return { wrong: `wget: ${o.error}\n`, usage: true, code: 2 };
  try {
    for (const [name, value] of o.order) {
      const [row, negative] = byName.get(name) as [Row, boolean];
      if (row.command === 'help' || row.command === 'version') return { shows: row.command };
      takeOne(asked, row, negative, value);
    }
  } catch (e) {
    if (!(e instanceof Mistake)) throw e;
    return { wrong: e.message, usage: /illegal option/.test(e.message), code: /illegal option/.test(e.message) ? 1 : 2 };
  }
  return { asked, urls: o.operands };
}

export const USAGE = 'Usage: wget [OPTION]... [URL]...\n';
export const TRY = "\nTry `wget --help' for more options.\n";

/** Words that do not go together (main.c "Sanity checks"). -> exit code, or null. What is said depends on no log yet. */
export function clashes(p: Process, a: Asked, urls: string[]): number | null {
  const on = (c: string) => a.on.get(c) ?? false;
  const has = (c: string) => a.text.has(c);
  const stop = (text: string, usage = false): number => {
    complain(p, text + (usage ? USAGE : ''));
    return 1;
  };
  if (on('verbose') && on('quiet')) return stop("Can't be verbose and quiet at the same time.\n", true);
  if (on('timestamping') && on('noclobber')) return stop("Can't timestamp and not clobber old files at the same time.\n", true);
  if (on('inet4only') && on('inet6only')) return stop('Cannot specify both --inet4-only and --inet6-only.\n', true);
  if (a.amount.has('startpos') && on('continue')) {
    complain(p, 'Specifying both --start-pos and --continue is not recommended; --continue will be disabled.\n');
    a.on.set('continue', false);
  }
  if (!urls.length && !has('input')) {
    complain(p, `wget: missing URL\n${USAGE}${TRY}`);
    return 1;
  }
  if (has('postdata') && has('postfile')) return stop('You cannot specify both --post-data and --post-file.\n');
  if ((has('postdata') || has('postfile')) && has('method'))
    return stop(
      'You cannot use --post-data or --post-file along with --method. --method expects data through --body-data and --body-file options\n',
    );
  if ((has('bodydata') || has('bodyfile')) && !has('method'))
    return stop('You must specify a method through --method=HTTPMethod to use with --body-data or --body-file.\n');
  if (has('bodydata') && has('bodyfile')) return stop('You cannot specify both --body-data and --body-file.\n');
  return null;
}

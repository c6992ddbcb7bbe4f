import type { ProgramTable } from '../programs.ts';
import { busyboxNslookup } from './busybox-nslookup.ts';
import { busyboxWget } from './busybox-wget.ts';
import { curl } from './curl.ts';
import { dig } from './dig.ts';
import { getent } from './getent.ts';
import { host } from './host.ts';
import { nslookup } from './nslookup.ts';
import { wget } from './wget.ts';

/** Network tools: package, directory, programs. */
export const NET_PROGRAMS: ProgramTable = [
  ['busybox', '/bin', { nslookup: busyboxNslookup, wget: busyboxWget }],
  ['curl', '/usr/bin', { curl }],
  ['wget', '/usr/bin', { wget }],
  ['bind9-dnsutils', '/usr/bin', { dig, nslookup }],
  ['bind9-host', '/usr/bin', { host }],
  ['libc-bin', '/usr/bin', { getent }],
  ['alpine-base', '/usr/bin', { getent }],
];

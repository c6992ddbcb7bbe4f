// getent of glibc 2.36 (nss/getent.c) and musl-utils: hosts, ahosts, services and the files that scripts ask for.
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, type Ip, parseIp, sameIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { numericHost, readHosts } from './resolv-conf.ts';
import { getaddrinfo, getnameinfo, hostsLines } from './resolver.ts';
import { SERVICES } from './services.ts';

const TRY = "Try `getent --help' or `getent --usage' for more information.\n";

export const getent = (u: Userland): Program =>
  function* getent(p: Process): Co<number> {
    const [database, ...keys] = p.argv.slice(1);
    if (!database) {
      complain(p, 'getent: wrong number of arguments\n');
      print(p, TRY);
      return 1;
    }
    switch (database) {
      case 'hosts':
        return yield* hosts(p, u, keys);
      case 'ahosts':
      case 'ahostsv4':
      case 'ahostsv6':
        return yield* ahosts(p, u, keys, database === 'ahosts' ? null : database === 'ahostsv4' ? 4 : 6);
      case 'services':
        return services(p, keys);
      case 'passwd':
      case 'group':
        return fromFile(p, `/etc/${database}`, keys);
      default:
        complain(p, `Unknown database: ${database}\n`);
        print(p, TRY);
        return 1;
    }
  };

const line = (address: Ip, names: string) => `${formatIp(address).padEnd(15)} ${names}\n`;

function* hosts(p: Process, u: Userland, keys: string[]): Co<number> {
  if (!keys.length) {
    for (const h of readHosts(p)) print(p, line(h.ip, h.names.join(' ')));
    return 0;
  }
  let code = 0;
  for (const key of keys) {
    const address = u.libc === 'glibc' ? parseIp(key) : numericHost(key);
    if (address) {
      const entry = u.libc === 'glibc' ? readHosts(p).find(h => sameIp(h.ip, address)) : undefined;
      const name = entry?.names.join(' ') ?? (yield* getnameinfo(p, address, u.libc));
      if (name === null) code = 2;
      else print(p, line(address, name));
      continue;
    }
    if (u.libc === 'glibc') {
      code = (yield* byName(p, u, key)) ? code : 2;
      continue;
    }
    const file = readHosts(p).find(h => h.names.includes(key));
    // gethostbyname2: IPv6 is asked for first, and wins when there is any.
    const six = file ? null : yield* getaddrinfo(p, key, { libc: u.libc, family: 6 });
    const r =
      six && typeof six !== 'string'
        ? six
        : yield* getaddrinfo(p, key, { libc: u.libc, family: file ? (file.ip.length === 4 ? 4 : 6) : 4 });
    if (typeof r === 'string') {
      code = 2;
      continue;
    }
    const names = file ? file.names.join(' ') : r.canonical;
    const aliases = file ? [] : (r.aliases ?? []);
    for (const a of r.addresses) print(p, line(a, [names, ...aliases].join(' ')));
  }
  return code;
}

/** hosts_keys of nss/getent.c: gethostbyname2 for IPv6, and for IPv4 when that finds nothing, by whatever source. */
function* byName(p: Process, u: Userland, key: string): Co<boolean> {
  // __nss_hostname_digits_dots: what is made of digits and dots is an address by inet_aton's rules, or nothing.
  if (/^\d[\d.]*$/.test(key)) {
    const address = numericHost(key);
    if (address) print(p, line(address, key));
    return address !== null;
  }
  // Other spellings of addresses are names to gethostbyname2, which nobody has.
  if (numericHost(key)) return false;
  for (const family of [6, 4] as const) {
    const r = yield* getaddrinfo(p, key, { libc: u.libc, family });
    if (typeof r === 'string') continue;
    const [first, ...more] = hostsLines(p, key, family, u.libc);
    const further = more.flatMap(h => (h.names[0] === first.names[0] ? h.names.slice(1) : h.names));
    const names = first ? [...first.names, ...further] : [r.canonical, ...(r.aliases ?? [])];
    for (const a of r.addresses) print(p, line(a, names.join(' ')));
    return true;
  }
  return false;
}

function* ahosts(p: Process, u: Userland, keys: string[], family: 4 | 6 | null): Co<number> {
  let code = 0;
  for (const key of keys) {
    let r = yield* getaddrinfo(p, key, { libc: u.libc, family });
    // AI_V4MAPPED: without IPv6 addresses those of IPv4 in their form.
    const mapped = typeof r === 'string' && family === 6;
    if (mapped) r = yield* getaddrinfo(p, key, { libc: u.libc, family: 4 });
    if (typeof r === 'string') {
      code = 2;
      continue;
    }
    for (const [i, a] of r.addresses.entries()) {
      const address = `${mapped ? '::ffff:' : ''}${formatIp(a)}`.padEnd(15);
      print(p, `${address} STREAM ${i === 0 ? r.canonical : ''}\n${address} DGRAM  \n${address} RAW    \n`);
    }
  }
  return code;
}

function services(p: Process, keys: string[]): number {
  const text = (name: string, port: number, proto: string) => `${name.padEnd(21)} ${port}/${proto}\n`;
  let code = 0;
  for (const key of keys.length ? keys : SERVICES.map(s => s[0])) {
    const [name, proto] = key.split('/');
    const found = SERVICES.find(s => (s[0] === name || String(s[1]) === name) && (!proto || s[2].includes(proto)));
    if (found) print(p, text(found[0], found[1], proto ?? found[2][0]));
    else code = 2;
  }
  return code;
}

function fromFile(p: Process, path: string, keys: string[]): number {
  const data = readFile(p.fs, path, p);
  const lines = typeof data === 'string' ? [] : bytesToString(data).split('\n').filter(Boolean);
  if (!keys.length) {
    for (const l of lines) print(p, `${l}\n`);
    return 0;
  }
  let code = 0;
  for (const key of keys) {
    const found = lines.find(l => l.split(':')[0] === key || l.split(':')[2] === key);
    if (found) print(p, `${found}\n`);
    else code = 2;
  }
  return code;
}

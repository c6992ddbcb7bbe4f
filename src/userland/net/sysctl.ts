// `sysctl` (procps 4.0.2; BusyBox 1.35): reading and writing kernel parameters by their dotted names.
import { complain, print, strerror } from '../../linux/process.ts';
import { hasSysctl, setSysctl, sysctl, sysctlKeys } from '../../linux/sysctl.ts';
import type { Errno, Process, Program } from '../../linux/types.ts';
import { absolute, listDir, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import type { Userland } from '../userland.ts';

interface Options {
  valuesOnly: boolean;
  namesOnly: boolean;
  quiet: boolean;
  ignore: boolean;
}

/** Slashes and dots may change places: net/ipv4/conf/eth0.5/rp_filter. */
const dotted = (key: string): string => (/^[^.]*\//.test(key) ? key.split('/').join('.') : key);

const path = (key: string): string => `/proc/sys/${key.replaceAll('.', '/')}`;

const program = (u: Userland, busybox: boolean): Program =>
  function* sysctlTool(p: Process): Co<number> {
    const o: Options = { valuesOnly: false, namesOnly: false, quiet: false, ignore: false };
    const keys: string[] = [];
    let all = false;
    let system = false;
    let file: string | null = null;
    let write = false;
    for (const word of p.argv.slice(1)) {
      if (word === '--system') system = true;
      else if (word.startsWith('--')) {
        if (word === '--all') all = true;
        else if (word === '--values') o.valuesOnly = true;
        else if (word === '--write') write = true;
        else if (word === '--quiet') o.quiet = true;
        else if (word.startsWith('--load')) file = word.split('=')[1] ?? '/etc/sysctl.conf';
      } else if (word.startsWith('-') && word.length > 1) {
        for (const x of word.slice(1)) {
          if (x === 'n') o.valuesOnly = true;
          else if (x === 'N') o.namesOnly = true;
          else if (x === 'q') o.quiet = true;
          else if (x === 'e') o.ignore = true;
          else if (x === 'w') write = true;
          else if (x === 'a' || x === 'A' || x === 'X') all = true;
          else if (x === 'p') file = '/etc/sysctl.conf';
        }
      } else if (file !== null && !keys.length && !word.includes('=')) file = word;
      else keys.push(word);
    }
    if (all) {
      for (const key of sysctlKeys(p.netns)) show(p, key, o);
      return 0;
    }
    if (system) return loadSystem(p, o, u, busybox);
    if (file !== null) return load(p, file, o, u, busybox);
    let code = 0;
    for (const word of keys) {
      const eq = word.indexOf('=');
      if (eq < 0 && write) {
        complain(
          p,
          busybox ? `sysctl: error: '${word}' must be of the form name=value\n` : `sysctl: "${word}" must be of the form name=value\n`,
        );
        code = 1;
      } else
        code =
          (eq < 0
            ? read(p, dotted(word), o, busybox)
            : assign(p, dotted(word.slice(0, eq).trim()), word.slice(eq + 1).trim(), o, busybox)) || code;
    }
    return code;
  };

function show(p: Process, key: string, o: Options): void {
  const value = sysctl(p.netns, key);
  print(p, o.valuesOnly ? `${value}\n` : o.namesOnly ? `${key}\n` : `${key} = ${value}\n`);
}

function unknown(p: Process, key: string, o: Options, busybox: boolean): number {
  if (o.ignore) return 0;
  complain(p, busybox ? `sysctl: error: '${key}' is an unknown key\n` : `sysctl: cannot stat ${path(key)}: No such file or directory\n`);
  return 1;
}

function read(p: Process, key: string, o: Options, busybox: boolean): number {
  if (hasSysctl(p.netns, key)) {
    show(p, key, o);
    return 0;
  }
  // A folder shows everything below it.
  const below = sysctlKeys(p.netns).filter(k => k.startsWith(`${key}.`));
  if (!below.length) return unknown(p, key, o, busybox);
  for (const k of below) show(p, k, o);
  return 0;
}

function assign(p: Process, key: string, value: string, o: Options, busybox: boolean): number {
  if (!hasSysctl(p.netns, key)) return unknown(p, key, o, busybox);
  const e: Errno | null = p.caps.has('SYS_ADMIN') ? setSysctl(p.netns, key, value) : 'EROFS';
  if (e) {
    const quoted = busybox ? `'${key}'` : `"${key}"`;
    if (busybox) complain(p, `sysctl: error setting key ${quoted}: ${strerror(e)}\n`);
    else if (e === 'EACCES') complain(p, `sysctl: permission denied on key ${quoted}, ignoring\n`);
    else complain(p, `sysctl: setting key ${quoted}${e === 'EROFS' ? ', ignoring' : ''}: ${strerror(e)}\n`);
    return 1;
  }
  p.netns.dirty.add('sysctl');
  if (!o.quiet) print(p, o.valuesOnly ? `${value}\n` : o.namesOnly ? `${key}\n` : `${key} = ${value}\n`);
  return 0;
}

/** Where sysctl.d(5) looks; a name that an earlier folder has stands for the later ones'. */
const FOLDERS = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/local/lib/sysctl.d', '/usr/lib/sysctl.d', '/lib/sysctl.d'];

/** All files by name, /etc/sysctl.conf last: they are named first, then applied; what cannot be is passed over. */
function loadSystem(p: Process, o: Options, u: Userland, busybox: boolean): number {
  const files = new Map<string, string>();
  for (const folder of FOLDERS) {
    const found = listDir(p.fs, folder, p);
    if (typeof found === 'string') continue;
    for (const name of found.keys()) if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${folder}/${name}`);
  }
  const paths = [...files.keys()].sort().map(name => files.get(name) as string);
  if (typeof readFile(p.fs, '/etc/sysctl.conf', p) !== 'string') paths.push('/etc/sysctl.conf');
  if (!o.quiet) for (const path of paths) print(p, `* Applying ${path} ...\n`);
  for (const path of paths) load(p, path, { ...o, ignore: true }, u, busybox);
  return 0;
}

function load(p: Process, file: string, o: Options, _u: Userland, busybox: boolean): number {
  const data = readFile(p.fs, absolute(file, p.cwd), p);
  if (typeof data === 'string') {
    complain(p, busybox ? `sysctl: can't open '${file}': ${strerror(data)}\n` : `sysctl: cannot open "${file}": ${strerror(data)}\n`);
    return 1;
  }
  let code = 0;
  for (const line of bytesToString(data).split('\n')) {
    const m = /^\s*-?([^#;=\s]+)\s*=\s*(.*)$/.exec(line);
    if (m) code = assign(p, dotted(m[1]), m[2].trim(), o, busybox) || code;
  }
  return code;
}

export const sysctlProgram = (u: Userland): Program => program(u, false);
export const busyboxSysctlProgram = (u: Userland): Program => program(u, true);

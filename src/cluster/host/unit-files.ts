// A service's unit file and its drop-ins as systemd reads them (systemd.unit(5), systemd.exec(5)): what is run, with which words.
import { type Filesystem, listDir, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';

const FOLDERS = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system'];

export const textAt = (fs: Filesystem, path: string): string | null => {
  const data = readFile(fs, path);
  return typeof data === 'string' ? null : bytesToString(data);
};

/** The unit's own file, then its drop-ins by name: path and text. A drop-in in /etc stands for one of its name further down. */
export function filesOf(fs: Filesystem, unit: string): [path: string, text: string][] {
  const out: [string, string][] = [];
  const own = FOLDERS.map(d => `${d}/${unit}.service`).find(path => textAt(fs, path) !== null);
  if (own) out.push([own, textAt(fs, own) ?? '']);
  const dropIns = new Map<string, string>();
  for (const folder of FOLDERS) {
    const found = listDir(fs, `${folder}/${unit}.service.d`);
    if (typeof found === 'string') continue;
    for (const name of found.keys())
      if (name.endsWith('.conf') && !dropIns.has(name)) dropIns.set(name, `${folder}/${unit}.service.d/${name}`);
  }
  for (const name of [...dropIns.keys()].sort()) {
    const path = dropIns.get(name) as string;
    out.push([path, textAt(fs, path) ?? '']);
  }
  return out;
}

export interface Command {
  /** As written. */
  line: string;
  argv: string[];
}

/** Words of a line, quotes taken off. */
const words = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(m => m[1]?.replace(/\\(.)/g, '$1') ?? m[2] ?? m[3]);

/** ExecStart with its variables put in: `$NAME` alone becomes as many words as it has. null: there is none. */
export function commandOf(fs: Filesystem, files: [path: string, text: string][]): Command | null {
  let line: string | null = null;
  const env = new Map<string, string>();
  const set = (pair: string) => {
    const at = pair.indexOf('=');
    if (at > 0) env.set(pair.slice(0, at), pair.slice(at + 1));
  };
  const environmentFiles: string[] = [];
  for (const [, text] of files) {
    let section = '';
    for (const raw of text.replace(/\\\n/g, ' ').split('\n')) {
      const l = raw.trim();
      if (!l || /^[#;]/.test(l)) continue;
      if (/^\[.*\]$/.test(l)) section = l;
      if (section !== '[Service]') continue;
      const m = /^(\w+)\s*=\s*(.*)$/.exec(l);
      if (m?.[1] === 'Environment') for (const w of words(m[2])) set(w);
      if (m?.[1] === 'EnvironmentFile') environmentFiles.push(m[2].replace(/^-/, ''));
      if (m?.[1] === 'ExecStart') line = m[2] || null;
    }
  }
  for (const path of environmentFiles)
    for (const l of (textAt(fs, path) ?? '').split('\n')) {
      const m = /^\s*(\w+)=(.*)$/.exec(l);
      if (m) env.set(m[1], words(m[2]).join(' '));
    }
  if (line === null) return null;
  const argv = words(line).flatMap(w => {
    const alone = /^\$(\w+)$/.exec(w) ?? /^\$\{(\w+)\}$/.exec(w);
    if (alone) return w.startsWith('${') ? [env.get(alone[1]) ?? ''] : (env.get(alone[1]) ?? '').split(/\s+/).filter(Boolean);
    return [w.replace(/\$\{(\w+)\}/g, (_, name) => env.get(name) ?? '')];
  });
  return { line, argv };
}

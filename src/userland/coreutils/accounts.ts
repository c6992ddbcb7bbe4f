// Users and groups of /etc/passwd and /etc/group: id, whoami.
import type { Process } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { error, has, out, type ToolSpec } from './tool.ts';

interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** The passwd line of a number or name. */
export function account(p: Process, who: number | string): Account | null {
  const data = readFile(p.fs, '/etc/passwd', p);
  if (typeof data === 'string') return null;
  for (const line of bytesToString(data).split('\n')) {
    const f = line.split(':');
    if (f.length > 5 && (f[0] === who || Number(f[2]) === who)) return { name: f[0], uid: Number(f[2]), gid: Number(f[3]), home: f[5] };
  }
  return null;
}

export function groupName(p: Process, gid: number): string | null {
  const data = readFile(p.fs, '/etc/group', p);
  if (typeof data === 'string') return null;
  return (
    bytesToString(data)
      .split('\n')
      .find(l => l.split(':')[2] === String(gid))
      ?.split(':')[0] ?? null
  );
}

export const ID: ToolSpec = {
  short: 'ugGnr',
  long: { user: 'u', group: 'g', groups: 'G', name: 'n', real: 'r' },
  *run(r) {
    const who = r.args[0] === undefined ? r.p.uid : r.args[0];
    const found = account(r.p, who);
    if (!found && typeof who === 'string') return error(r, r.bb ? `unknown user ${who}` : `'${who}': no such user`);
    const uid = found?.uid ?? r.p.uid;
    const gid = found?.gid ?? 0;
    const user = found?.name ?? null;
    const group = groupName(r.p, gid);
    const both = (n: number, name: string | null) => `${n}${name ? `(${name})` : ''}`;
    const extra = r.u.distro === 'alpine' && uid === 0 ? ALPINE_ROOT_GROUPS : [];
    if (has(r, 'u')) out(r, `${has(r, 'n') ? (user ?? uid) : uid}\n`);
    else if (has(r, 'g')) out(r, `${has(r, 'n') ? (group ?? gid) : gid}\n`);
    else if (has(r, 'G')) out(r, `${[has(r, 'n') ? (group ?? gid) : gid, ...extra.map(e => e[has(r, 'n') ? 1 : 0])].join(' ')}\n`);
    else
      out(
        r,
        `uid=${both(uid, user)} gid=${both(gid, group)} groups=${[both(gid, group), ...extra.map(e => `${e[0]}(${e[1]})`)].join(',')}\n`,
      );
    return 0;
  },
};

const ALPINE_ROOT_GROUPS: [number, string][] = [
  [1, 'bin'],
  [2, 'daemon'],
  [3, 'sys'],
  [4, 'adm'],
  [6, 'disk'],
  [10, 'wheel'],
  [11, 'floppy'],
  [20, 'dialout'],
  [26, 'tape'],
  [27, 'video'],
];

export const WHOAMI: ToolSpec = {
  short: '',
  *run(r) {
    const found = account(r.p, r.p.uid);
    if (!found) return r.bb ? error(r, `unknown uid ${r.p.uid}`) : error(r, `cannot find name for user ID ${r.p.uid}`);
    out(r, `${found.name}\n`);
    return 0;
  },
};

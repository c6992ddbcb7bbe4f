// The host's own names: hostname.
import type { Process } from '../../linux/types.ts';
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { formatIp } from '../../wire/ip.ts';
import { error, has, out, type ToolSpec } from './tool.ts';

/** The machine's or the container's own name. */
export function hostName(p: Process): string {
  const data = readFile(p.fs, '/etc/hostname', p);
  return typeof data === 'string' || !data.length ? (p.env.get('HOSTNAME') ?? p.kernel.hostname) : bytesToString(data).trim();
}

/** The names and addresses that /etc/hosts gives this host. */
function hostsEntry(p: Process, name: string): { ips: string[]; canonical: string | null } {
  const data = readFile(p.fs, '/etc/hosts', p);
  const ips: string[] = [];
  let canonical: string | null = null;
  if (typeof data !== 'string') {
    for (const line of bytesToString(data).split('\n')) {
      const words = line.replace(/#.*/, '').trim().split(/\s+/);
      if (words.length > 1 && words.slice(1).includes(name)) {
        ips.push(words[0]);
        canonical ??= words[1];
      }
    }
  }
  return { ips, canonical };
}

export const HOSTNAME: ToolSpec = {
  short: 'ifsdIAyF:b',
  long: { fqdn: 'f', long: 'f', short: 's', domain: 'd', 'ip-address': 'i', 'all-ip-addresses': 'I', 'all-fqdns': 'A', yp: 'y', nis: 'y' },
  *run(r) {
    const name = hostName(r.p);
    const own = hostsEntry(r.p, name);
    if (r.args.length) return error(r, r.bb ? 'sethostname: Operation not permitted' : 'you must be root to change the host name');
    if (has(r, 'I') && !r.bb) {
      const ips: string[] = [];
      for (const link of r.p.netns.links.values())
        if (link.kind !== 'loopback' && link.up) for (const a of link.addresses) if (a.scope !== 'link') ips.push(formatIp(a.ip));
      out(r, `${ips.map(i => `${i} `).join('')}\n`);
      return 0;
    }
    if (has(r, 'i')) out(r, `${own.ips.join(' ') || '127.0.0.1'}${r.bb ? '' : own.ips.length > 1 ? ' ' : ''}\n`);
    else if (has(r, 'f') || has(r, 'A')) out(r, `${own.canonical ?? name}\n`);
    else if (has(r, 'd')) out(r, `${(own.canonical ?? name).split('.').slice(1).join('.')}\n`.replace(/^\n$/, r.bb ? '\n' : ''));
    else if (has(r, 's')) out(r, `${name.split('.')[0]}\n`);
    else out(r, `${name}\n`);
    return 0;
  },
};

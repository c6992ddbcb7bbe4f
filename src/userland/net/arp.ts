// arp (net-tools 2.10 and BusyBox).
import { neighState, removeNeigh, setNeigh } from '../../linux/neigh.ts';
import { complain, print } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import { formatIp, parseIp } from '../../wire/ip.ts';
import type { Userland } from '../userland.ts';
import { letters, sortedLinks } from './net-tools.ts';

const arpTool = (_u: Userland, busybox: boolean): Program =>
  function* arp(p: Process): Co<number> {
    const o = letters(p.argv);
    const words = p.argv.slice(1).filter(a => !a.startsWith('-'));
    if (o.includes('d') || o.includes('s')) return changeArp(p, o.includes('d'), words);
    const iface = p.argv.includes('-i') ? p.argv[p.argv.indexOf('-i') + 1] : null;
    const only = words.filter(w => w !== iface)[0];
    const rows = p.netns.neigh.filter(n => {
      const dev = p.netns.links.get(n.dev)?.name;
      return (
        n.ip.length === 4 &&
        !n.proxy &&
        neighState(p.netns, n) !== 'NOARP' &&
        (!iface || dev === iface) &&
        (!only || formatIp(n.ip) === only)
      );
    });
    if (only && !rows.length) {
      print(p, `${only} (${only}) -- no entry\n`);
      return 1;
    }
    if (o.includes('a') || busybox) {
      for (const n of rows) {
        const dev = p.netns.links.get(n.dev)?.name ?? '';
        const at = n.mac ? `${n.mac} [ether] ${n.state === 'PERMANENT' ? 'PERM ' : ''}` : '<incomplete> ';
        print(p, `? (${formatIp(n.ip)}) at ${busybox ? at : at.trimEnd().concat(' ')}${busybox ? ' ' : ''}on ${dev}\n`);
      }
      return 0;
    }
    if (!rows.length) return 0;
    print(p, 'Address                  HWtype  HWaddress           Flags Mask            Iface\n');
    for (const n of rows) {
      const dev = p.netns.links.get(n.dev)?.name ?? '';
      const ip = formatIp(n.ip).padEnd(23);
      if (n.mac)
        print(
          p,
          `${ip}  ${'ether'.padEnd(8)}${n.mac.padEnd(20)}${(n.state === 'PERMANENT' ? 'CM' : 'C').padEnd(6)}                ${dev}\n`,
        );
      else print(p, `${ip}  ${''.padEnd(8)}${'(incomplete)'.padEnd(20)}                      ${dev}\n`);
    }
    return 0;
  };

function changeArp(p: Process, remove: boolean, words: string[]): number {
  const ip = parseIp(words[0] ?? '');
  if (!ip) {
    complain(p, `${words[0] ?? ''}: Unknown host\n`);
    return 255;
  }
  if (!p.caps.has('NET_ADMIN')) {
    complain(p, `${remove ? 'SIOCDARP(dontpub)' : 'SIOCSARP'}: Operation not permitted\n`);
    return 255;
  }
  const dev =
    sortedLinks(p).find(l => p.netns.neigh.some(n => n.dev === l.ifindex && formatIp(n.ip) === words[0])) ??
    sortedLinks(p).find(l => l.up && l.kind !== 'loopback');
  if (!dev) return 255;
  if (remove) {
    if (!removeNeigh(p.netns, ip, dev)) {
      complain(p, 'No ARP entry for '.concat(words[0], '\n'));
      return 255;
    }
  } else setNeigh(p.netns, ip, dev, words[1] ?? '', 'PERMANENT');
  p.netns.dirty.add('neigh');
  return 0;
}

export const arpProgram = (u: Userland): Program => arpTool(u, false);

export const busyboxArpProgram = (u: Userland): Program => arpTool(u, true);

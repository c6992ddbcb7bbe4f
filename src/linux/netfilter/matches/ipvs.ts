// ipvs (libxt_ipvs.c of iptables 1.8.9, xt_ipvs.c of Linux 6.18): what IPVS knows of a packet that it has handled.
import { formatCidr, formatIp, inCidr, network, parseCidr, parseIp } from '../../../wire/ip.ts';
import type { IpvsConnection } from '../../ipvs/types.ts';
import { type Option, type ParseContext, type Problem, protocolNumber, usage } from '../values.ts';
import { type Built, bang, type MatchRow } from './row.ts';

const NUMBERS: Record<string, number> = { TCP: 6, UDP: 17, SCTP: 132 };

interface Part {
  /** The option and its value, as both tools print them behind their own prefix. */
  text: string;
  invert: boolean;
  test: (c: IpvsConnection) => boolean;
}

function partOf(o: Option, family: 4 | 6): Part | Problem {
  const part = (text: string, test: Part['test']): Part => ({ text, invert: o.invert, test });
  switch (o.name) {
    case '--vproto': {
      const n = protocolNumber(o.value);
      if (n === null) return usage(`unknown protocol "${o.value}" specified`);
      return part(`vproto ${n}`, c => NUMBERS[c.protocol] === n);
    }
    case '--vaddr': {
      const ip = parseIp(o.value);
      const c = ip ? { ip, bits: ip.length * 8 } : parseCidr(o.value);
      if (!c || c.ip.length !== (family === 4 ? 4 : 16)) return usage(`host/network \`${o.value}' not found`);
      const net = network(c);
      return part(`vaddr ${net.bits === net.ip.length * 8 ? formatIp(net.ip) : formatCidr(net)}`, x => inCidr(net, x.virtual.ip));
    }
    case '--vport': {
      const port = Number(o.value);
      if (!/^\d+$/.test(o.value) || port > 65535) return usage(`ipvs: Bad value for "--vport" option: "${o.value}"`);
      return part(`vport ${port}`, c => c.virtual.port === port);
    }
    case '--vmethod':
      // Masquerading is the one way of forwarding that is modelled.
      return part(`vmethod ${o.value.toUpperCase()}`, () => o.value.toUpperCase() === 'MASQ');
    default:
      return part('ipvs', () => true);
  }
}

function build(options: Option[], { family }: ParseContext): Built | Problem {
  if (!options.length) return usage('IPVS: At least one option is required');
  const parts: Part[] = [];
  for (const o of options) {
    const p = partOf(o, family);
    if (!('test' in p)) return p;
    parts.push(p);
  }
  const text = (prefix: string) => parts.map(p => `${bang(p)} ${prefix}${p.text}`).join('');
  return {
    test: skb => {
      const c = skb.ipvs;
      if (!c) return parts.some(p => p.text === 'ipvs' && p.invert);
      return parts.every(p => p.test(c) !== p.invert);
    },
    save: text('--'),
    list: () => text(''),
  };
}

export const IPVS_MATCH: MatchRow = {
  name: 'ipvs',
  options: { '--ipvs': 0, '--vproto': 1, '--vaddr': 1, '--vport': 1, '--vmethod': 1 },
  build,
};

import { packetLength } from '../../../wire/packet.ts';
import { badRange, needsOption } from '../problems.ts';
import { type Option, type Problem, parseUint, usage } from '../values.ts';
import { always, type Built, bang, last, type MatchRow } from './row.ts';

export function ttlRow(module: 'ttl' | 'hl'): MatchRow {
  const label = module.toUpperCase();
  const names = [`--${module}-eq`, `--${module}-lt`, `--${module}-gt`];
  return {
    name: module,
    family: module === 'ttl' ? 4 : 6,
    options: Object.fromEntries(names.map(n => [n, 1 as const])),
    aliases: { [`--${module}`]: names[0] },
    build: options => {
      const o = options[0];
      if (!o) return usage(`${label} match: You must specify one of \`${names[0]}', \`${names[1]}', \`${names[2]}`);
      const n = parseUint(o.value, 0, 255);
      if (n === null) return badRange(module, o.name, 0, 255);
      const kind = o.name.slice(-2);
      const sign = kind === 'eq' ? (o.invert ? '!=' : '==') : kind === 'lt' ? '<' : '>';
      return {
        test: skb => (kind === 'eq' ? (skb.packet.ttl === n) !== o.invert : kind === 'lt' ? skb.packet.ttl < n : skb.packet.ttl > n),
        save: `${kind === 'eq' ? bang(o) : ''} ${o.name} ${n}`,
        list: always(` ${label} match ${label} ${sign} ${n}`),
      };
    },
  };
}

export function buildLength(options: Option[]): Built | Problem {
  const o = last(options, '--length');
  if (!o) return needsOption('length', '--length');
  const [a, b] = o.value.split(':');
  const low = a === '' ? 0 : parseUint(a, 0, 65535);
  const high = b === undefined ? low : b === '' ? 65535 : parseUint(b, 0, 65535);
  if (low === null || high === null)
    return usage(`length: bad value for option "--length" near "${low === null ? a : b}", or out of range (0-65535).\n`);
  const text = low === high ? String(low) : `${low}:${high}`;
  return {
    test: skb => {
      const n = packetLength(skb.packet);
      return (n >= low && n <= high) !== o.invert;
    },
    save: `${bang(o)} --length ${text}`,
    list: always(` length ${o.invert ? '!' : ''}${text}`),
  };
}

const DSCP_CLASSES: Record<string, number> = { CS0: 0, BE: 0, EF: 46 };
for (let i = 1; i < 8; i++) DSCP_CLASSES[`CS${i}`] = i * 8;
for (let i = 1; i < 5; i++) for (let j = 1; j < 4; j++) DSCP_CLASSES[`AF${i}${j}`] = i * 8 + j * 2;

export function parseDscp(module: string, options: Option[], value: string, byClass: string): [number, boolean] | Problem {
  const o = last(options, value) ?? last(options, byClass);
  if (!o) return usage(`${module}: option "${value}" must be specified`);
  const n = o.name === value ? parseUint(o.value, 0, 63) : (DSCP_CLASSES[o.value.toUpperCase()] ?? null);
  if (n === null) return o.name === value ? badRange(module, value, 0, 63) : usage(`Invalid DSCP value \`${o.value}'`);
  return [n, o.invert];
}

export const hex2 = (n: number) => `0x${n.toString(16).padStart(2, '0')}`;

export function buildDscp(options: Option[]): Built | Problem {
  const d = parseDscp('dscp', options, '--dscp', '--dscp-class');
  if (!Array.isArray(d)) return d;
  const [value, invert] = d;
  return {
    test: skb => (skb.packet.tos >> 2 === value) !== invert,
    save: `${invert ? ' !' : ''} --dscp ${hex2(value)}`,
    list: always(` DSCP match ${invert ? '!' : ''}${hex2(value)}`),
  };
}

export function buildTos(options: Option[]): Built | Problem {
  const o = last(options, '--tos');
  if (!o) return needsOption('tos', '--tos');
  const [a, b] = o.value.split('/');
  const value = parseUint(a, 0, 255);
  const mask = b === undefined ? 0xff : parseUint(b, 0, 255);
  if (value === null || mask === null) return usage(`tos: Bad value for "--tos" option: "${o.value}"`);
  const text = `${hex2(value)}/${hex2(mask)}`;
  return {
    test: skb => ((skb.packet.tos & mask) === value) !== o.invert,
    save: `${bang(o)} --tos ${text}`,
    list: always(` tos match${o.invert ? '!' : ''}${text}`),
  };
}

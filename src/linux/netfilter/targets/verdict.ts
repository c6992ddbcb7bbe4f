// REJECT, LOG, NFLOG, TRACE, AUDIT, NFQUEUE (libipt_REJECT.c, libip6t_REJECT.c, libxt_LOG.c, libxt_NFLOG.c, libxt_NFQUEUE.c 1.8.9).
import { last } from '../matches/row.ts';
import { badRange } from '../problems.ts';
import { logPacket, reject } from '../reject.ts';
import { kernelRefuses, type Option, type ParseContext, type Problem, parseUint, quoted, usage } from '../values.ts';
import type { BuiltTarget, TargetRow } from './row.ts';

/** Name, alias, ICMP type and code; type 0: a TCP reset. */
const REJECTS: Record<4 | 6, [string, string, number, number][]> = {
  4: [
    ['icmp-net-unreachable', 'net-unreach', 3, 0],
    ['icmp-host-unreachable', 'host-unreach', 3, 1],
    ['icmp-proto-unreachable', 'proto-unreach', 3, 2],
    ['icmp-port-unreachable', 'port-unreach', 3, 3],
    ['icmp-net-prohibited', 'net-prohib', 3, 9],
    ['icmp-host-prohibited', 'host-prohib', 3, 10],
    ['tcp-reset', 'tcp-rst', 0, 0],
    ['icmp-admin-prohibited', 'admin-prohib', 3, 13],
  ],
  6: [
    ['icmp6-no-route', 'no-route', 1, 0],
    ['icmp6-adm-prohibited', 'adm-prohibited', 1, 1],
    ['icmp6-addr-unreachable', 'addr-unreach', 1, 3],
    ['icmp6-port-unreachable', 'port-unreach', 1, 4],
    ['tcp-reset', 'tcp-reset', 0, 0],
    ['icmp6-policy-fail', 'policy-fail', 1, 5],
    ['icmp6-reject-route', 'reject-route', 1, 6],
  ],
};

function buildReject(options: Option[], c: ParseContext): BuiltTarget | Problem {
  const o = last(options, '--reject-with');
  const kinds = REJECTS[c.family];
  const wanted = o?.value ?? (c.family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable');
  const kind = kinds.find(k => k[0].startsWith(wanted) || k[1].startsWith(wanted));
  if (!kind) return usage(`unknown reject type "${wanted}"`);
  const [name, , type, code] = kind;
  if (name === 'tcp-reset' && (c.proto !== 6 || c.protoInvert)) return kernelRefuses();
  return {
    run: (skb, ctx) => {
      reject(skb, ctx, name === 'tcp-reset' ? null : { type, code });
      return 'DROP';
    },
    save: ` --reject-with ${name}`,
    list: () => ` reject-with ${name}`,
  };
}

const LEVELS = ['emerg', 'alert', 'crit', 'error', 'warn', 'notice', 'info', 'debug'];
const LEVEL_NAMES: Record<string, number> = { panic: 0, err: 3, warning: 4 };
const LOG_FLAGS: [string, number][] = [
  ['--log-tcp-sequence', 1],
  ['--log-tcp-options', 2],
  ['--log-ip-options', 4],
  ['--log-uid', 8],
  ['--log-macdecode', 32],
];

function buildLog(options: Option[]): BuiltTarget | Problem {
  const l = last(options, '--log-level');
  const level = l ? (parseUint(l.value, 0, 7) ?? LEVEL_NAMES[l.value.toLowerCase()] ?? LEVELS.indexOf(l.value.toLowerCase())) : 4;
  if (level < 0) return usage(`log level "${l?.value}" unknown\n`);
  const p = last(options, '--log-prefix');
  if (p && p.value.length > 29) return usage('Maximum prefix length 29 for --log-prefix');
  const prefix = p?.value ?? '';
  const given = LOG_FLAGS.filter(([name]) => last(options, name));
  const flags = given.reduce((n, [, bit]) => n | bit, 0);
  return {
    run: (skb, ctx) => {
      logPacket(skb, ctx, prefix);
      return 'CONTINUE';
    },
    save: `${prefix ? ` --log-prefix ${quoted(prefix)}` : ''}${level === 4 ? '' : ` --log-level ${level}`}${given.map(([name]) => ` ${name}`).join('')}`,
    list: numeric =>
      (numeric
        ? ` LOG flags ${flags} level ${level}`
        : ` LOG level ${LEVELS[level]}${given.map(([name]) => ` ${name.slice(6)}`).join('')}`) + (prefix ? ` prefix "${prefix}"` : ''),
  };
}

function buildNflog(options: Option[]): BuiltTarget | Problem {
  const group = parseUint(last(options, '--nflog-group')?.value ?? '0', 0, 65535);
  if (group === null) return badRange('NFLOG', '--nflog-group', 0, 65535);
  const prefix = last(options, '--nflog-prefix')?.value ?? '';
  const size = last(options, '--nflog-size')?.value;
  const threshold = last(options, '--nflog-threshold')?.value;
  const text = (dashes: string, quote: boolean) =>
    (prefix ? ` ${dashes}nflog-prefix ${quote ? quoted(prefix) : prefix}` : '') +
    (group ? ` ${dashes}nflog-group ${group}` : '') +
    // --nflog-range is taken, and forgotten: it never worked.
    (size ? ` ${dashes}nflog-size ${size}` : '') +
    (threshold ? ` ${dashes}nflog-threshold ${threshold}` : '');
  return {
    run: (skb, ctx) => {
      logPacket(skb, ctx, prefix);
      return 'CONTINUE';
    },
    save: text('--', true),
    list: () => text('', true),
  };
}

function buildNfqueue(options: Option[]): BuiltTarget | Problem {
  const n = parseUint(last(options, '--queue-num')?.value ?? '0', 0, 65535);
  if (n === null) return badRange('NFQUEUE', '--queue-num', 0, 65535);
  const bypass = last(options, '--queue-bypass') !== undefined;
  const fanout = last(options, '--queue-cpu-fanout') !== undefined;
  const balance = last(options, '--queue-balance');
  const range = balance ? /^(\d+):(\d+)$/.exec(balance.value) : null;
  if (balance && !range) return usage(`NFQUEUE: Bad value for "--queue-balance" option: "${balance.value}"`);
  const tail = (dashes: string) =>
    (bypass ? ` ${dashes}${dashes ? 'queue-' : ''}bypass` : '') + (fanout ? ` ${dashes}${dashes ? 'queue-' : ''}cpu-fanout` : '');
  return {
    // No program here listens on a queue: the packet is lost, or goes on with --queue-bypass.
    run: () => (bypass ? 'ACCEPT' : 'DROP'),
    save: range ? ` --queue-balance ${range[1]}:${range[2]}${tail('--')}` : ` --queue-num ${n}${tail('--')}`,
    list: () => (range ? ` NFQUEUE balance ${range[1]}:${range[2]}${tail('')}` : ` NFQUEUE num ${n}${tail('')}`),
  };
}

export const VERDICT_TARGETS: TargetRow[] = [
  {
    name: 'REJECT',
    tables: ['filter'],
    options: { '--reject-with': 1 },
    build: buildReject,
  },
  {
    name: 'LOG',
    options: { '--log-level': 1, '--log-prefix': 1, ...Object.fromEntries(LOG_FLAGS.map(([name]) => [name, 0 as const])) },
    build: buildLog,
  },
  {
    name: 'NFLOG',
    options: { '--nflog-group': 1, '--nflog-prefix': 1, '--nflog-range': 1, '--nflog-size': 1, '--nflog-threshold': 1 },
    build: buildNflog,
  },
  {
    name: 'NFQUEUE',
    options: { '--queue-num': 1, '--queue-balance': 1, '--queue-bypass': 0, '--queue-cpu-fanout': 0 },
    build: buildNfqueue,
  },
  { name: 'TRACE', tables: ['raw'], options: {}, build: () => ({ run: () => 'CONTINUE', save: '', list: () => '' }) },
  {
    name: 'AUDIT',
    options: { '--type': 1 },
    build: options => {
      const o = last(options, '--type');
      if (!o) return usage('AUDIT: option "--type" must be specified');
      return { run: () => 'CONTINUE', save: ` --type ${o.value}`, list: () => ` AUDIT ${o.value}` };
    },
  },
];

// MARK, CONNMARK, CT, NOTRACK, TCPMSS, TTL, HL, DSCP, TOS, SET, TPROXY, CHECKSUM, CLASSIFY (libxt_*.c 1.8.9).
import { formatIp, parseIp } from '../../../wire/ip.ts';
import { TCP_FLAG } from '../../../wire/packet.ts';
import type { Skb } from '../../types.ts';
import { attachTemplate, untrack } from '../conntrack.ts';
import { addPacketToSet } from '../ipset-match.ts';
import { parseDscp } from '../matches/header.ts';
import { parseDirections } from '../matches/payload.ts';
import { last } from '../matches/row.ts';
import { badNumber, badRange } from '../problems.ts';
import type { HookContext } from '../types.ts';
import { hex, kernelRefuses, type Option, type ParseContext, type Problem, parseMark, parsePort, parseUint, usage } from '../values.ts';
import type { BuiltTarget, TargetRow } from './row.ts';

const ALL = 0xffffffff;
const u = (n: number) => n >>> 0;

/** --set-xmark value/mask of the five ways to say it, or a problem. */
function markArguments(module: string, options: Option[]): [number, number] | null | Problem {
  const o = options.find(x => ['--set-xmark', '--set-mark', '--and-mark', '--or-mark', '--xor-mark'].includes(x.name));
  if (!o) return null;
  if (o.name === '--set-xmark' || o.name === '--set-mark') {
    const m = parseMark(o.value);
    if (!m) return badNumber(module, o.name);
    return o.name === '--set-mark' ? [m[0], u(m[0] | m[1])] : m;
  }
  const n = parseUint(o.value);
  if (n === null) return badNumber(module, o.name);
  return o.name === '--and-mark' ? [0, u(~n)] : o.name === '--or-mark' ? [n, n] : [n, 0];
}

/** mark_tg_print: the word for what value and mask do. */
function markList(name: string, value: number, mask: number): string {
  if (value === 0) return ` ${name} and ${hex(u(~mask))}`;
  if (value === mask) return ` ${name} or ${hex(value)}`;
  if (mask === 0) return ` ${name} xor ${hex(value)}`;
  return mask === ALL ? ` ${name} set ${hex(value)}` : ` ${name} xset ${hex(value)}/${hex(mask)}`;
}

const MARK_OPTIONS = { '--set-xmark': 1, '--set-mark': 1, '--and-mark': 1, '--or-mark': 1, '--xor-mark': 1 } as const;

function buildMark(options: Option[]): BuiltTarget | Problem {
  const m = markArguments('MARK', options);
  if (!m) return usage('MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required');
  if (!Array.isArray(m)) return m;
  const [value, mask] = m;
  return {
    run: skb => {
      skb.mark = u((skb.mark & ~mask) ^ value);
      return 'CONTINUE';
    },
    save: ` --set-xmark ${hex(value)}/${hex(mask)}`,
    list: () => markList('MARK', value, mask),
  };
}

function buildConnmark(options: Option[]): BuiltTarget | Problem {
  const m = markArguments('CONNMARK', options);
  if (m && !Array.isArray(m)) return m;
  if (m) {
    const [value, mask] = m;
    return {
      run: skb => {
        if (skb.ct && skb.ct.info !== 'UNTRACKED') skb.ct.entry.mark = u((skb.ct.entry.mark & ~mask) ^ value);
        return 'CONTINUE';
      },
      save: ` --set-xmark ${hex(value)}/${hex(mask)}`,
      list: () => markList('CONNMARK', value, mask),
    };
  }
  const mode = last(options, '--save-mark') ? 'save' : last(options, '--restore-mark') ? 'restore' : null;
  if (!mode) return usage('CONNMARK target: No operation specified');
  const both = last(options, '--mask')?.value;
  const nf = parseUint(last(options, '--nfmask')?.value ?? both ?? '0xffffffff');
  const ct = parseUint(last(options, '--ctmask')?.value ?? both ?? '0xffffffff');
  if (nf === null || ct === null) return badNumber('CONNMARK', '--nfmask');
  return {
    run: skb => {
      const entry = skb.ct && skb.ct.info !== 'UNTRACKED' ? skb.ct.entry : null;
      if (!entry) return 'CONTINUE';
      if (mode === 'save') entry.mark = u((entry.mark & ~ct) ^ (skb.mark & nf));
      else skb.mark = u((skb.mark & ~nf) ^ (entry.mark & ct));
      return 'CONTINUE';
    },
    save: ` --${mode}-mark --nfmask ${hex(nf)} --ctmask ${hex(ct)}`,
    list: () =>
      nf === ALL && ct === ALL
        ? ` CONNMARK ${mode}`
        : nf === ct
          ? ` CONNMARK ${mode} mask ${hex(nf)}`
          : mode === 'save'
            ? ` CONNMARK save nfmask ${hex(nf)} ctmask ~${hex(ct)}`
            : ` CONNMARK restore ctmask ${hex(ct)} nfmask ~${hex(nf)}`,
  };
}

function buildCt(options: Option[]): BuiltTarget | Problem {
  const notrack = last(options, '--notrack');
  const zone = last(options, '--zone');
  const helper = last(options, '--helper');
  const events = last(options, '--ctevents');
  const timeout = last(options, '--timeout');
  const z = zone ? parseUint(zone.value, 0, 65534) : 0;
  if (z === null) return usage(`CT: bad value for option "--zone", or out of range (0-65534).`);
  if (helper && !['ftp', 'tftp', 'sip', 'irc', 'h323', 'pptp', 'amanda', 'sane', 'snmp', 'netbios-ns'].includes(helper.value))
    return kernelRefuses('No such file or directory');
  const tail = (dashes: string) =>
    (notrack ? ` ${dashes}notrack` : '') +
    (helper ? ` ${dashes}helper ${helper.value}` : '') +
    (timeout ? ` ${dashes}timeout ${timeout.value}` : '') +
    (events ? ` ${dashes}ctevents ${events.value}` : '') +
    (z ? ` ${dashes}zone ${z}` : '');
  return {
    run: skb => {
      if (skb.ct) return 'CONTINUE';
      if (notrack) untrack(skb);
      else attachTemplate(skb, z);
      return 'CONTINUE';
    },
    save: tail('--'),
    list: () => ` CT${tail('')}`,
  };
}

function buildNotrack(): BuiltTarget {
  return {
    run: skb => {
      if (!skb.ct) untrack(skb);
      return 'CONTINUE';
    },
    save: '',
    list: () => ' NOTRACK',
  };
}

function clampMss(skb: Skb, ctx: HookContext, fixed: number | null): void {
  const b = skb.packet.body;
  if (b.kind !== 'tcp' || !(b.flags & TCP_FLAG.SYN) || b.mss === undefined) return;
  const room = fixed ?? Math.min(ctx.out?.mtu ?? 65535, ctx.in?.mtu ?? 65535) - (skb.packet.family === 4 ? 40 : 60);
  if (b.mss <= room) return;
  skb.packet = { ...skb.packet, body: { ...b, mss: room } };
}

function buildTcpmss(options: Option[], c: ParseContext): BuiltTarget | Problem {
  const set = last(options, '--set-mss');
  const clamp = last(options, '--clamp-mss-to-pmtu');
  if (!set && !clamp) return usage('TCPMSS target: At least one parameter is required');
  const n = set ? parseUint(set.value, 0, 65495) : null;
  if (set && n === null) return badRange('TCPMSS', '--set-mss', 0, 65495);
  if (c.proto !== 6 || c.protoInvert) return kernelRefuses();
  return {
    run: (skb, ctx) => {
      clampMss(skb, ctx, n);
      return 'CONTINUE';
    },
    save: n === null ? ' --clamp-mss-to-pmtu' : ` --set-mss ${n}`,
    list: () => (n === null ? ' TCPMSS clamp to PMTU' : ` TCPMSS set ${n}`),
  };
}

function ttlTarget(module: 'TTL' | 'HL'): TargetRow {
  const lower = module.toLowerCase();
  const names = [`--${lower}-set`, `--${lower}-dec`, `--${lower}-inc`];
  return {
    name: module,
    family: module === 'TTL' ? 4 : 6,
    tables: ['mangle'],
    options: Object.fromEntries(names.map(n => [n, 1 as const])),
    build: options => {
      const o = options[0];
      if (!o) return usage(`${module}: You must specify an action`);
      const n = parseUint(o.value, 0, 255);
      if (n === null) return badRange(module, o.name, 0, 255);
      const kind = o.name.slice(-3);
      const next = (ttl: number) => (kind === 'set' ? n : kind === 'dec' ? Math.max(0, ttl - n) : Math.min(255, ttl + n));
      return {
        run: skb => {
          skb.packet = { ...skb.packet, ttl: next(skb.packet.ttl) };
          return 'CONTINUE';
        },
        save: ` ${o.name} ${n}`,
        list: () => ` ${module} ${kind === 'set' ? 'set to' : kind === 'dec' ? 'decrement by' : 'increment by'} ${n}`,
      };
    },
  };
}

const hex2 = (n: number) => `0x${n.toString(16).padStart(2, '0')}`;

function buildDscp(options: Option[]): BuiltTarget | Problem {
  const d = parseDscp('DSCP', options, '--set-dscp', '--set-dscp-class');
  if (!Array.isArray(d)) return d;
  const [value] = d;
  return {
    run: skb => {
      skb.packet = { ...skb.packet, tos: (value << 2) | (skb.packet.tos & 3) };
      return 'CONTINUE';
    },
    save: ` --set-dscp ${hex2(value)}`,
    list: () => ` DSCP set ${hex2(value)}`,
  };
}

function buildTos(options: Option[]): BuiltTarget | Problem {
  const o = last(options, '--set-tos');
  if (!o) return usage('TOS: An action is required');
  const [a, b] = o.value.split('/');
  const value = parseUint(a, 0, 255);
  const mask = b === undefined ? 0xff : parseUint(b, 0, 255);
  if (value === null || mask === null) return usage(`TOS: Bad value for "--set-tos" option: "${o.value}"`);
  return {
    run: skb => {
      skb.packet = { ...skb.packet, tos: (skb.packet.tos & ~mask & 255) ^ value };
      return 'CONTINUE';
    },
    save: ` --set-tos ${hex2(value)}/${hex2(mask)}`,
    list: () => ` TOS set ${hex2(value)}/${hex2(mask)}`,
  };
}

function buildSetTarget(options: Option[], c: ParseContext): BuiltTarget | Problem {
  const o = options.find(x => x.name === '--add-set' || x.name === '--del-set' || x.name === '--map-set');
  if (!o) return usage("You must specify either `--add-set' or `--del-set' or `--map-set'");
  if (!c.trusted && !c.ns.netfilter.ipsets.has(o.value)) return usage(`Set ${o.value} doesn't exist.\n`);
  const dirs = parseDirections(o.value2);
  if (!Array.isArray(dirs)) return dirs;
  const exist = last(options, '--exist') !== undefined;
  if (o.name !== '--add-set' && exist) return usage("Flag `--exist' can be used with `--add-set' only");
  const timeout = last(options, '--timeout');
  const seconds = timeout ? parseUint(timeout.value) : null;
  const tail = (dashes: string) => `${exist ? ` ${dashes}exist` : ''}${timeout ? ` ${dashes}timeout ${seconds}` : ''}`;
  return {
    run: (skb, ctx) => {
      if (o.name !== '--map-set') addPacketToSet(ctx.netns, o.value, skb, dirs, o.name === '--add-set', exist, seconds, ctx);
      return 'CONTINUE';
    },
    save: ` ${o.name} ${o.value} ${o.value2}${tail('--')}`,
    list: () => ` ${o.name.slice(2)} ${o.value} ${o.value2}${tail('')}`,
    sets: [o.value],
  };
}

function buildTproxy(options: Option[], c: ParseContext): BuiltTarget | Problem {
  const port = last(options, '--on-port');
  if (!port) return usage('TPROXY: option "--on-port" must be specified');
  const n = parsePort(port.value, c.proto);
  if (n === null) return usage(`invalid port/service \`${port.value}' specified`);
  if (c.protoInvert || (c.proto !== 6 && c.proto !== 17)) return kernelRefuses();
  const on = last(options, '--on-ip');
  const ip = parseIp(on?.value ?? (c.family === 4 ? '0.0.0.0' : '::'));
  if (!ip) return usage(`TPROXY: Bad value for "--on-ip" option: "${on?.value}"`);
  const given = last(options, '--tproxy-mark');
  const m = given ? parseMark(given.value) : ([0, 0] as [number, number]);
  if (!m) return badNumber('TPROXY', '--tproxy-mark');
  return {
    run: skb => {
      skb.mark = u((skb.mark & ~m[1]) ^ m[0]);
      skb.tproxy = { ip: ip.every(b => b === 0) ? null : ip, port: n };
      return 'ACCEPT';
    },
    save: ` --on-port ${n} --on-ip ${formatIp(ip)} --tproxy-mark ${hex(m[0])}/${hex(m[1])}`,
    list: () => ` TPROXY redirect ${formatIp(ip)}:${n} mark ${hex(m[0])}/${hex(m[1])}`,
  };
}

function buildClassify(options: Option[]): BuiltTarget | Problem {
  const o = last(options, '--set-class');
  if (!o) return usage('CLASSIFY: option "--set-class" must be specified');
  const m = /^([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(o.value);
  if (!m) return usage(`Bad class value "${o.value}"`);
  const text = `${Number.parseInt(m[1], 16).toString(16)}:${Number.parseInt(m[2], 16).toString(16)}`;
  return { run: () => 'CONTINUE', save: ` --set-class ${text}`, list: () => ` CLASSIFY set ${text}` };
}

export const MARK_TARGETS: TargetRow[] = [
  { name: 'MARK', options: MARK_OPTIONS, build: buildMark },
  {
    name: 'CONNMARK',
    options: { ...MARK_OPTIONS, '--save-mark': 0, '--restore-mark': 0, '--nfmask': 1, '--ctmask': 1, '--mask': 1 },
    build: buildConnmark,
  },
  {
    name: 'CT',
    tables: ['raw'],
    options: { '--notrack': 0, '--zone': 1, '--helper': 1, '--ctevents': 1, '--timeout': 1 },
    build: buildCt,
  },
  { name: 'NOTRACK', tables: ['raw'], options: {}, build: buildNotrack },
  { name: 'TCPMSS', options: { '--set-mss': 1, '--clamp-mss-to-pmtu': 0 }, build: buildTcpmss },
  ttlTarget('TTL'),
  ttlTarget('HL'),
  { name: 'DSCP', tables: ['mangle'], options: { '--set-dscp': 1, '--set-dscp-class': 1 }, build: buildDscp },
  { name: 'TOS', tables: ['mangle'], options: { '--set-tos': 1 }, build: buildTos },
  {
    name: 'SET',
    options: { '--add-set': 2, '--del-set': 2, '--map-set': 2, '--exist': 0, '--timeout': 1 },
    build: buildSetTarget,
  },
  {
    name: 'TPROXY',
    tables: ['mangle'],
    hooks: ['PREROUTING'],
    options: { '--on-port': 1, '--on-ip': 1, '--tproxy-mark': 1 },
    build: buildTproxy,
  },
  {
    name: 'CHECKSUM',
    tables: ['mangle'],
    options: { '--checksum-fill': 0 },
    build: options =>
      options.length
        ? { run: () => 'CONTINUE', save: ' --checksum-fill', list: () => ' CHECKSUM fill' }
        : usage('CHECKSUM target: Parameter --checksum-fill is required'),
  },
  {
    name: 'CLASSIFY',
    tables: ['mangle'],
    hooks: ['FORWARD', 'OUTPUT', 'POSTROUTING'],
    options: { '--set-class': 1 },
    build: buildClassify,
  },
];

// What libxtables itself asks of the options of an extension, whatever the extension makes of them: that each is given once, whether it can be
// inverted, its range, what it needs and what it excludes (struct xt_option_entry in extensions/lib*.c, libxtables/xtoptions.c of 1.8.9).
// Extensions that read their options themselves (tcp, sctp, set, SET) are not here.
import { badRange, needsAlso, needsOption, notTogether, onlyOnce } from './problems.ts';
import { type Option, type Problem, parseUint, usage } from './values.ts';

interface OptionEntry {
  /** The same option's first name, which errors say. */
  as?: string;
  invert?: true;
  mandatory?: true;
  /** Whole numbers. */
  range?: [min: number, max: number];
  /** Characters. */
  atLeast?: number;
  not?: string[];
  also?: string[];
}

const ENTRIES: Record<string, Record<string, OptionEntry>> = {
  udp: {
    'source-port': { invert: true },
    sport: { as: 'source-port', invert: true },
    'destination-port': { invert: true },
    dport: { as: 'destination-port', invert: true },
  },
  multiport: {
    'source-ports': { invert: true, not: ['destination-ports', 'ports'] },
    sports: { as: 'source-ports', invert: true, not: ['destination-ports', 'ports'] },
    'destination-ports': { invert: true, not: ['source-ports', 'ports'] },
    dports: { as: 'destination-ports', invert: true, not: ['source-ports', 'ports'] },
    ports: { invert: true, not: ['source-ports', 'destination-ports'] },
  },
  icmp: { 'icmp-type': { invert: true, mandatory: true } },
  icmp6: { 'icmpv6-type': { invert: true, mandatory: true } },
  conntrack: {
    ctstate: { invert: true },
    ctproto: { invert: true },
    ctorigsrc: { invert: true },
    ctorigdst: { invert: true },
    ctreplsrc: { invert: true },
    ctrepldst: { invert: true },
    ctstatus: { invert: true },
    ctexpire: { invert: true },
    ctorigsrcport: { invert: true },
    ctorigdstport: { invert: true },
    ctreplsrcport: { invert: true },
    ctrepldstport: { invert: true },
    ctdir: {},
  },
  mark: { mark: { invert: true, mandatory: true } },
  connmark: { mark: { invert: true, mandatory: true } },
  connlimit: {
    'connlimit-upto': { invert: true, range: [0, 4294967295], not: ['connlimit-above'] },
    'connlimit-above': { invert: true, range: [0, 4294967295], not: ['connlimit-upto'] },
    'connlimit-mask': {},
    'connlimit-saddr': { not: ['connlimit-daddr'] },
    'connlimit-daddr': { not: ['connlimit-saddr'] },
  },
  addrtype: {
    'src-type': { invert: true },
    'dst-type': { invert: true },
    'limit-iface-in': { not: ['limit-iface-out'] },
    'limit-iface-out': { not: ['limit-iface-in'] },
  },
  comment: { comment: { mandatory: true } },
  owner: { 'uid-owner': { invert: true }, 'gid-owner': { invert: true }, 'socket-exists': { invert: true }, 'suppl-groups': {} },
  mac: { 'mac-source': { invert: true, mandatory: true } },
  iprange: { 'src-range': { invert: true }, 'dst-range': { invert: true } },
  physdev: {
    'physdev-in': { invert: true },
    'physdev-out': { invert: true },
    'physdev-is-in': { invert: true },
    'physdev-is-out': { invert: true },
    'physdev-is-bridged': { invert: true },
  },
  pkttype: { 'pkt-type': { invert: true, mandatory: true } },
  ttl: {
    'ttl-lt': { range: [0, 255], not: ['ttl-gt', 'ttl-eq'] },
    'ttl-gt': { range: [0, 255], not: ['ttl-lt', 'ttl-eq'] },
    'ttl-eq': { invert: true, range: [0, 255], not: ['ttl-lt', 'ttl-gt'] },
    ttl: { as: 'ttl-eq', range: [0, 255], not: ['ttl-lt', 'ttl-gt'] },
  },
  hl: {
    'hl-lt': { range: [0, 255], not: ['hl-gt', 'hl-eq'] },
    'hl-gt': { range: [0, 255], not: ['hl-lt', 'hl-eq'] },
    'hl-eq': { invert: true, range: [0, 255], not: ['hl-lt', 'hl-gt'] },
    hl: { as: 'hl-eq', range: [0, 255], not: ['hl-lt', 'hl-gt'] },
  },
  length: { length: { invert: true, mandatory: true } },
  dscp: { dscp: { invert: true, range: [0, 63], not: ['dscp-class'] }, 'dscp-class': { invert: true, not: ['dscp'] } },
  tos: { tos: { invert: true, mandatory: true } },
  rpfilter: { loose: {}, validmark: {}, 'accept-local': {}, invert: {} },
  socket: { transparent: {}, nowildcard: {}, 'restore-skmark': {} },
  cgroup: { path: { invert: true }, cgroup: { invert: true, range: [0, 4294967295] } },
  nfacct: { 'nfacct-name': { mandatory: true, atLeast: 1 } },
  devgroup: { 'src-group': { invert: true }, 'dst-group': { invert: true } },
  limit: { limit: {}, 'limit-burst': { range: [0, 10000] } },
  hashlimit: {
    'hashlimit-upto': { invert: true, not: ['hashlimit-above'] },
    'hashlimit-above': { invert: true, not: ['hashlimit-upto'] },
    hashlimit: { as: 'hashlimit-upto', invert: true, not: ['hashlimit-above'] },
    'hashlimit-srcmask': {},
    'hashlimit-dstmask': {},
    'hashlimit-burst': {},
    'hashlimit-htable-size': { range: [0, 4294967295] },
    'hashlimit-htable-max': { range: [0, 4294967295] },
    'hashlimit-htable-gcinterval': { range: [0, 4294967295] },
    'hashlimit-htable-expire': { range: [0, 4294967295] },
    'hashlimit-mode': {},
    'hashlimit-name': { mandatory: true, atLeast: 1 },
    'hashlimit-rate-match': {},
    'hashlimit-rate-interval': {},
  },
  statistic: {
    mode: { mandatory: true },
    probability: { invert: true, not: ['every', 'packet'] },
    every: { invert: true, range: [1, 4294967295], not: ['probability'], also: ['packet'] },
    packet: { range: [0, 4294967295], not: ['probability'], also: ['every'] },
  },
  recent: {
    set: { invert: true, not: ['rcheck', 'update', 'remove'] },
    rcheck: { invert: true, not: ['set', 'update', 'remove'] },
    update: { invert: true, not: ['set', 'rcheck', 'remove'] },
    remove: { invert: true, not: ['set', 'rcheck', 'update'] },
    seconds: { range: [1, 4294967295] },
    reap: { also: ['seconds'] },
    hitcount: { range: [0, 4294967295] },
    rttl: { not: ['set', 'remove'] },
    name: {},
    rsource: {},
    rdest: {},
    mask: {},
  },
  string: {
    from: { range: [0, 65535] },
    to: { range: [0, 65535] },
    algo: { mandatory: true },
    string: { invert: true, not: ['hex-string'] },
    'hex-string': { invert: true, not: ['string'] },
    icase: {},
  },
  u32: { u32: { invert: true, mandatory: true } },
  time: {
    datestart: {},
    datestop: {},
    timestart: {},
    timestop: {},
    contiguous: {},
    weekdays: { invert: true },
    monthdays: { invert: true },
    localtz: { not: ['utc'] },
    utc: { not: ['localtz', 'kerneltz'] },
    kerneltz: { not: ['utc'] },
  },
  REJECT: { 'reject-with': {} },
  LOG: {
    'log-level': {},
    'log-prefix': { atLeast: 1 },
    'log-tcp-sequence': {},
    'log-tcp-options': {},
    'log-ip-options': {},
    'log-uid': {},
    'log-macdecode': {},
  },
  NFLOG: {
    'nflog-group': { range: [0, 65535] },
    'nflog-prefix': { atLeast: 1 },
    'nflog-range': { range: [0, 4294967295], not: ['nflog-size'] },
    'nflog-size': { range: [0, 4294967295], not: ['nflog-range'] },
    'nflog-threshold': { range: [0, 65535] },
  },
  NFQUEUE: {
    'queue-num': { range: [0, 65535], not: ['queue-balance'] },
    'queue-balance': { not: ['queue-num'] },
    'queue-bypass': {},
    'queue-cpu-fanout': { also: ['queue-balance'] },
  },
  AUDIT: { type: { mandatory: true } },
  DNAT: { 'to-destination': { mandatory: true }, random: {}, persistent: {} },
  SNAT: { 'to-source': { mandatory: true }, random: {}, 'random-fully': {}, persistent: {} },
  REDIRECT: { 'to-ports': {}, random: {} },
  NETMAP: { to: { mandatory: true } },
  MARK: {
    'set-xmark': { not: ['set-mark', 'and-mark', 'or-mark', 'xor-mark'] },
    'set-mark': { not: ['set-xmark', 'and-mark', 'or-mark', 'xor-mark'] },
    'and-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'or-mark', 'xor-mark'] },
    'or-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'and-mark', 'xor-mark'] },
    'xor-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'and-mark', 'or-mark'] },
  },
  CONNMARK: {
    'set-xmark': { not: ['set-mark', 'and-mark', 'or-mark', 'xor-mark', 'save-mark', 'restore-mark'] },
    'set-mark': { not: ['set-xmark', 'and-mark', 'or-mark', 'xor-mark', 'save-mark', 'restore-mark'] },
    'and-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'or-mark', 'xor-mark', 'save-mark', 'restore-mark'] },
    'or-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'and-mark', 'xor-mark', 'save-mark', 'restore-mark'] },
    'xor-mark': { range: [0, 4294967295], not: ['set-xmark', 'set-mark', 'and-mark', 'or-mark', 'save-mark', 'restore-mark'] },
    'save-mark': { not: ['set-xmark', 'set-mark', 'and-mark', 'or-mark', 'xor-mark', 'restore-mark'] },
    'restore-mark': { not: ['set-xmark', 'set-mark', 'and-mark', 'or-mark', 'xor-mark', 'save-mark'] },
    'left-shift-mark': { range: [0, 32] },
    'right-shift-mark': { range: [0, 32] },
    ctmask: { range: [0, 4294967295], not: ['mask'] },
    nfmask: { range: [0, 4294967295], not: ['mask'] },
    mask: { range: [0, 4294967295], not: ['ctmask', 'nfmask'] },
  },
  CT: { notrack: {}, helper: {}, timeout: {}, ctevents: {}, expevents: {}, 'zone-orig': {}, 'zone-reply': {}, zone: {} },
  TCPMSS: { 'set-mss': { range: [0, 65515] }, 'clamp-mss-to-pmtu': {} },
  TTL: {
    'ttl-set': { range: [0, 255], not: ['ttl-dec', 'ttl-inc'] },
    'ttl-dec': { range: [1, 255], not: ['ttl-set', 'ttl-inc'] },
    'ttl-inc': { range: [1, 255], not: ['ttl-set', 'ttl-dec'] },
  },
  HL: {
    'hl-set': { range: [0, 255], not: ['hl-dec', 'hl-inc'] },
    'hl-dec': { range: [1, 255], not: ['hl-set', 'hl-inc'] },
    'hl-inc': { range: [1, 255], not: ['hl-set', 'hl-dec'] },
  },
  DSCP: { 'set-dscp': { range: [0, 63], not: ['set-dscp-class'] }, 'set-dscp-class': { not: ['set-dscp'] } },
  TOS: {
    'set-tos': { not: ['and-tos', 'or-tos', 'xor-tos'] },
    'and-tos': { range: [0, 255], not: ['set-tos', 'or-tos', 'xor-tos'] },
    'or-tos': { range: [0, 255], not: ['set-tos', 'and-tos', 'xor-tos'] },
    'xor-tos': { range: [0, 255], not: ['set-tos', 'and-tos', 'or-tos'] },
  },
  TPROXY: { 'on-port': { mandatory: true }, 'on-ip': {}, 'tproxy-mark': {} },
  CHECKSUM: { 'checksum-fill': { mandatory: true } },
  CLASSIFY: { 'set-class': { mandatory: true } },
  MASQUERADE: { 'to-ports': {}, random: {}, 'random-fully': {} },
  state: { state: { invert: true, mandatory: true } },
};

const entryOf = (extension: string, option: string): OptionEntry | undefined => ENTRIES[extension]?.[option.slice(2)];

const called = (option: string, entry: OptionEntry): string => (entry.as ? `--${entry.as}` : option);

/** xtables_option_parse: as soon as an option stands there. `before`: the extension's earlier ones. */
export function checkOption(extension: string, o: Option, before: Option[]): Problem | null {
  const entry = entryOf(extension, o.name);
  if (!entry) return null;
  const name = called(o.name, entry);
  if (before.some(b => called(b.name, entryOf(extension, b.name) ?? {}) === name)) return onlyOnce(extension, name);
  if (o.invert && !entry.invert) return usage(`${extension}: option "${name}" cannot be inverted.\n`);
  if (entry.range && parseUint(o.value, ...entry.range) === null) return badRange(extension, name, ...entry.range);
  if (entry.atLeast !== undefined && o.value.length < entry.atLeast)
    return usage(`Argument must have a minimum length of ${entry.atLeast} characters\n`);
  return null;
}

/** xtables_options_fcheck: when all options are there. */
export function checkTogether(extension: string, options: Option[]): Problem | null {
  const entries = ENTRIES[extension];
  if (!entries) return null;
  const given = new Map(options.map(o => [called(o.name, entryOf(extension, o.name) ?? {}).slice(2), o]));
  // Options are compared in the order of the extension's table.
  for (const [name, entry] of Object.entries(entries)) {
    if (entry.as) continue;
    if (!given.has(name)) {
      if (entry.mandatory) return needsOption(extension, `--${name}`);
      continue;
    }
    for (const other of Object.keys(entries)) {
      if (entry.also?.includes(other) && !given.has(other)) return needsAlso(extension, `--${name}`, `--${other}`);
      if (entry.not?.includes(other) && given.has(other)) return notTogether(extension, `--${name}`, `--${other}`);
    }
  }
  return null;
}

// istio-iptables: the rules that lead a pod's connections to its proxy (tools/istio-iptables/pkg/capture/run.go 1.28, mode REDIRECT).
import { addAddress, linkByName } from '../../linux/link.ts';
import { restore } from '../../linux/netfilter/restore.ts';
import { tablesOf } from '../../linux/netfilter/state.ts';
import type { Netns } from '../../linux/types.ts';
import { type Family, familyOf, ip, parseCidr } from '../../wire/ip.ts';

export interface Capture {
  proxyPort: string;
  inboundPort: string;
  tunnelPort: string;
  /** Comma-separated, as the flags have them. */
  uids: string;
  gids: string;
  mode: string;
  inboundPorts: string;
  inboundExclude: string;
  outboundRanges: string;
  outboundRangesExclude: string;
  outboundPorts: string;
  outboundPortsExclude: string;
  interfacesExclude: string;
}

/** [field, short flag, long flag, default] */
const FLAGS: [keyof Capture, string, string, string][] = [
  ['proxyPort', '-p', '--envoy-port', '15001'],
  ['inboundPort', '-z', '--inbound-capture-port', '15006'],
  ['tunnelPort', '-e', '--inbound-tunnel-port', '15008'],
  ['uids', '-u', '--proxy-uid', '1337'],
  ['gids', '-g', '--proxy-gid', ''],
  ['mode', '-m', '--istio-inbound-interception-mode', 'REDIRECT'],
  ['outboundRanges', '-i', '--istio-service-cidr', ''],
  ['outboundRangesExclude', '-x', '--istio-service-exclude-cidr', ''],
  ['inboundPorts', '-b', '--istio-inbound-ports', ''],
  ['inboundExclude', '-d', '--istio-local-exclude-ports', ''],
  ['outboundPorts', '-q', '--istio-outbound-ports', ''],
  ['outboundPortsExclude', '-o', '--istio-local-outbound-ports-exclude', ''],
  ['interfacesExclude', '-c', '--istio-exclude-interfaces', ''],
];

/** The flags behind the word `istio-iptables`. The proxy's groups are its users unless they are told. */
export function captureOf(words: string[]): Capture {
  const out = Object.fromEntries(FLAGS.map(([field, , , fallback]) => [field, fallback])) as unknown as Capture;
  for (let i = 0; i < words.length; i++) {
    const [name, value] = words[i].startsWith('--') && words[i].includes('=') ? words[i].split(/=(.*)/s) : [words[i], undefined];
    const flag = FLAGS.find(([, short, long]) => name === short || name === long);
    if (flag) out[flag[0]] = value ?? words[++i] ?? '';
  }
  out.gids ||= out.uids;
  return out;
}

const list = (text: string): string[] => text.split(',').filter(Boolean);

const LOOPBACK: Record<Family, { proxy: string; own: string }> = {
  4: { proxy: '127.0.0.6/32', own: '127.0.0.1/32' },
  6: { proxy: '::6/128', own: '::1/128' },
};

/** The nat table of one family, in iptables-restore's words. */
export function redirectRules(c: Capture, family: Family): string {
  const { proxy, own } = LOOPBACK[family];
  const rules: string[] = [];
  const add = (chain: string, rule: string) => rules.push(`-A ${chain} ${rule}`);
  for (const dev of list(c.interfacesExclude)) {
    add('PREROUTING', `-i ${dev} -j RETURN`);
    add('OUTPUT', `-o ${dev} -j RETURN`);
  }
  add('ISTIO_INBOUND', `-p tcp --dport ${c.tunnelPort} -j RETURN`);
  add('ISTIO_REDIRECT', `-p tcp -j REDIRECT --to-ports ${c.proxyPort}`);
  add('ISTIO_IN_REDIRECT', `-p tcp -j REDIRECT --to-ports ${c.inboundPort}`);
  if (c.inboundPorts) add('PREROUTING', '-p tcp -j ISTIO_INBOUND');
  if (c.inboundPorts === '*') {
    for (const port of list(c.inboundExclude)) add('ISTIO_INBOUND', `-p tcp --dport ${port} -j RETURN`);
    add('ISTIO_INBOUND', '-p tcp -j ISTIO_IN_REDIRECT');
  } else for (const port of list(c.inboundPorts)) add('ISTIO_INBOUND', `-p tcp --dport ${port} -j ISTIO_IN_REDIRECT`);
  add('OUTPUT', '-j ISTIO_OUTPUT');
  for (const port of list(c.outboundPortsExclude))
    for (const protocol of ['tcp', 'udp']) add('ISTIO_OUTPUT', `-p ${protocol} --dport ${port} -j RETURN`);
  add('ISTIO_OUTPUT', `-o lo -s ${proxy} -j RETURN`);
  const owners = [...list(c.uids).map(id => ['--uid-owner', id]), ...list(c.gids).map(id => ['--gid-owner', id])];
  for (const [option, id] of owners) {
    add('ISTIO_OUTPUT', `-o lo ! -d ${own} -p tcp ! --dport ${c.tunnelPort} -m owner ${option} ${id} -j ISTIO_IN_REDIRECT`);
    add('ISTIO_OUTPUT', `-o lo -m owner ! ${option} ${id} -j RETURN`);
    add('ISTIO_OUTPUT', `-m owner ${option} ${id} -j RETURN`);
  }
  add('ISTIO_OUTPUT', `-d ${own} -j RETURN`);
  const ofFamily = (text: string) => list(text).filter(net => parseCidr(net) && familyOf(ip(net.split('/')[0])) === family);
  for (const net of ofFamily(c.outboundRangesExclude)) add('ISTIO_OUTPUT', `-d ${net} -j RETURN`);
  for (const port of list(c.outboundPorts)) add('ISTIO_OUTPUT', `-p tcp --dport ${port} -j ISTIO_REDIRECT`);
  if (c.outboundRanges === '*') add('ISTIO_OUTPUT', '-j ISTIO_REDIRECT');
  else for (const net of ofFamily(c.outboundRanges)) add('ISTIO_OUTPUT', `-d ${net} -j ISTIO_REDIRECT`);
  const chains = ['ISTIO_INBOUND', 'ISTIO_REDIRECT', 'ISTIO_IN_REDIRECT', 'ISTIO_OUTPUT'].map(name => `-N ${name}`);
  return `* nat\n${[...chains, ...rules].join('\n')}\nCOMMIT\n`;
}

const hasFamily6 = (ns: Netns): boolean =>
  [...ns.links.values()].some(l => l.kind !== 'loopback' && l.addresses.some(a => a.ip.length === 16 && a.scope === 'global'));

export const captureFamilies = (ns: Netns): Family[] => (hasFamily6(ns) ? [4, 6] : [4]);

/** Write the rules unless they are there already: a container that is started again finds its pod's namespace as it left it. */
export function applyCapture(ns: Netns, c: Capture): void {
  for (const family of captureFamilies(ns)) {
    if (tablesOf(ns, family, 'nft').get('nat')?.chains.has('ISTIO_OUTPUT')) continue;
    if (family === 6) {
      const lo = linkByName(ns, 'lo');
      if (lo) addAddress(lo, ip('::6'), 128);
    }
    const text = redirectRules(c, family).replace('* nat', '*nat');
    const wrong = restore(ns, family, text, { noflush: true });
    if (wrong) throw new Error(`istio-iptables, line ${wrong.line}: ${wrong.message}`);
  }
}

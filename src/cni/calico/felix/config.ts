// FelixConfiguration: what of it acts on the rules. Defaults: felix/config/config_params.go v3.32 with the environment of calico.yaml.
import type { KubeObject } from '../../../apiserver/types.ts';
import { action, MAX_CHAIN_NAME } from './rules.ts';

export interface ProtoPort {
  protocol: string;
  port: number;
  net?: string;
}

export interface FelixConfig {
  /** Rules are written for nft, not for iptables. */
  nftables: boolean;
  /** A longer name of a chain is hashed. */
  maxChainName: number;
  accept: number;
  pass: number;
  drop: number;
  scratch0: number;
  scratch1: number;
  filterAllow: string;
  mangleAllow: string;
  filterDeny: string;
  /** The word that comments begin with: Drop or Reject. */
  denyWord: string;
  insert: boolean;
  logPrefix: string;
  natPortRange: string | null;
  natOutgoingAddress: string | null;
  natInterfaceFilter: string | null;
  /** null: loops are not prevented. */
  cidrBlock: string | null;
  /** What happens to workload traffic to the host that its policy let through; empty: it returns to INPUT. */
  endpointToHost: string | null;
  failsafeIn: ProtoPort[];
  failsafeOut: ProtoPort[];
  vxlanPort: number;
  allowVxlanFromWorkloads: boolean;
  allowIpipFromWorkloads: boolean;
  dropInvalid: boolean;
}

const FAILSAFE_TCP = [179, 2379, 2380, 5473, 6443, 6666, 6667];
const tcp = (port: number): ProtoPort => ({ protocol: 'tcp', port });
const udp = (port: number): ProtoPort => ({ protocol: 'udp', port });

function protoPorts(list: any[] | undefined, otherwise: ProtoPort[]): ProtoPort[] {
  if (!list) return otherwise;
  return list.map(p => ({ protocol: (p.protocol ?? 'tcp').toLowerCase(), port: p.port, net: p.net }));
}

/** The lowest bits of the mask, in the order in which Felix hands them out. */
function bits(mask: number, n: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < 32 && out.length < n; i++) if ((mask >>> i) & 1) out.push((1 << i) >>> 0);
  return out;
}

/** `node.NAME` overrides `default`, field by field. `dataplane`: what an nftablesMode of Auto finds. */
export function felixConfig(configurations: KubeObject[], nodeName: string, dataplane: 'iptables' | 'nftables' = 'iptables'): FelixConfig {
  const of = (name: string) => configurations.find(c => c.metadata.name === name)?.spec ?? {};
  const s = { ...of('default'), ...of(`node.${nodeName}`) };
  const is = (value: unknown, word: string) => String(value ?? '').toLowerCase() === word;
  const mode = String(s.nftablesMode ?? 'Auto').toLowerCase();
  const nftables = mode === 'auto' ? dataplane === 'nftables' : mode === 'enabled';
  const own = (name: string) => s[`${nftables ? 'nftables' : 'iptables'}${name}`];
  const [accept, pass, drop, scratch0, scratch1] = bits(Number(own('MarkMask') ?? 0xffff0000), 5);
  const reject = is(own('FilterDenyAction'), 'reject');
  const loop = String(s.serviceLoopPrevention ?? 'Drop').toLowerCase();
  const toHost = String(s.defaultEndpointToHostAction ?? 'Accept').toLowerCase();
  const range = s.natPortRange ? String(s.natPortRange).replace(':', '-') : null;
  return {
    nftables,
    maxChainName: nftables ? 256 : MAX_CHAIN_NAME,
    accept,
    pass,
    drop,
    scratch0,
    scratch1,
    filterAllow: is(own('FilterAllowAction'), 'return') ? action.return : action.accept,
    mangleAllow: is(own('MangleAllowAction'), 'return') ? action.return : action.accept,
    filterDeny: reject ? action.reject : action.drop,
    denyWord: reject ? 'Reject' : 'Drop',
    insert: !is(s.chainInsertMode, 'append'),
    logPrefix: s.logPrefix ?? 'calico-packet',
    natPortRange: range && range !== '0' ? (range.includes('-') ? range : `${range}-${range}`) : null,
    natOutgoingAddress: s.natOutgoingAddress ?? null,
    natInterfaceFilter: s.iptablesNATOutgoingInterfaceFilter ?? null,
    cidrBlock: loop === 'disabled' ? null : loop === 'reject' ? action.reject : action.drop,
    endpointToHost: toHost === 'accept' ? action.accept : toHost === 'drop' ? (reject ? action.reject : action.drop) : action.return,
    failsafeIn: protoPorts(s.failsafeInboundHostPorts, [tcp(22), udp(68), ...FAILSAFE_TCP.map(tcp)]),
    failsafeOut: protoPorts(s.failsafeOutboundHostPorts, [udp(53), udp(67), ...FAILSAFE_TCP.map(tcp)]),
    vxlanPort: s.vxlanPort ?? 4789,
    allowVxlanFromWorkloads: s.allowVXLANPacketsFromWorkloads ?? false,
    allowIpipFromWorkloads: s.allowIPIPPacketsFromWorkloads ?? false,
    dropInvalid: !(s.disableConntrackInvalidCheck ?? false),
  };
}

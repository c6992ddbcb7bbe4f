import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import type { Netns } from '../linux/types.ts';
import type { SimEvent } from '../sim/sim.ts';
import type { Family } from '../wire/ip.ts';

/** Fields of KubeProxyConfiguration v1alpha1 that act here; durations in Go's text form ("1s") or nanoseconds. */
export interface KubeProxyConfiguration {
  mode?: 'iptables' | 'ipvs' | 'nftables' | '';
  clusterCIDR?: string;
  detectLocalMode?: '' | 'ClusterCIDR' | 'NodeCIDR' | 'BridgeInterface' | 'InterfaceNamePrefix';
  detectLocal?: { bridgeInterface?: string; interfaceNamePrefix?: string };
  nodePortAddresses?: string[] | null;
  featureGates?: Record<string, boolean>;
  iptables?: {
    masqueradeBit?: number | null;
    masqueradeAll?: boolean;
    localhostNodePorts?: boolean | null;
    minSyncPeriod?: string | number;
    syncPeriod?: string | number;
  };
  nftables?: { masqueradeBit?: number | null; masqueradeAll?: boolean; minSyncPeriod?: string | number; syncPeriod?: string | number };
  ipvs?: Record<string, unknown>;
  conntrack?: { tcpBeLiberal?: boolean; maxPerCore?: number; min?: number };
  linux?: { masqueradeAll?: boolean; conntrack?: { tcpBeLiberal?: boolean } };
  minSyncPeriod?: string | number;
  healthzBindAddress?: string;
  metricsBindAddress?: string;
  [field: string]: unknown;
}

/** One kube-proxy on one node; plain data, changed by the functions of proxy.ts. */
export interface KubeProxy {
  server: ApiServer;
  nodeName: string;
  netns: Netns;
  config: KubeProxyConfiguration;
  families: Family[];
  node: KubeObject | null;
  /** When rules were last written, for healthz; null: never. */
  syncedAtMs: number | null;
  /** A sync that waits for minSyncPeriod. */
  pending: SimEvent | null;
  changed: boolean;
  stopped: boolean;
  stops: (() => void)[];
  /** State of the mode's own (what conntrack clean-up and partial syncs compare with). */
  previous: unknown;
}

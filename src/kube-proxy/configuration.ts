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

import type { ApiServer, KubeObject } from '../apiserver/types.ts';
import type { Netns } from '../linux/types.ts';
import type { SimEvent } from '../sim/sim.ts';
import type { Family } from '../wire/ip.ts';
import type { KubeProxyConfiguration } from './configuration.ts';
import type { Section } from './iptables/service-rules.ts';
import type { Claims } from './nftables/claims.ts';
import type { Container, NftSection } from './nftables/service-rules.ts';
import type { Endpoint, ServicePort } from './serviceport.ts';
import type { RuleSettings } from './settings.ts';

/** One kube-proxy on one node; plain data, changed by the functions of proxy.ts. */
export interface KubeProxy {
  server: ApiServer;
  nodeName: string;
  netns: Netns;
  config: KubeProxyConfiguration;
  node: KubeObject | null;
  /** EndpointSlices by Service (`ns/name`) and name. */
  slices: Map<string, Map<string, KubeObject>>;
  /** One per family: both always run, as the kernel has both. */
  proxiers: FamilyProxier[];
  /** When a sync was asked for that has not happened, for healthz. */
  queuedAtMs: number | null;
  startedAtMs: number;
  lastSyncAtMs: number | null;
  /** A sync that waits for minSyncPeriod. */
  pending: SimEvent | null;
  stopped: boolean;
  stops: (() => void)[];
  /** Health check node ports that listen; health.ts. */
  health: unknown;
  /** Does the syncs that are due; always the same function, so that it is put off once. */
  write: () => void;
}

/** What one family's rules are made of. */
export interface FamilyProxier {
  family: Family;
  settings: RuleSettings;
  /** By Service (`ns/name`). */
  services: Map<string, ProxiedService>;
  /** Of all Services and ports together. */
  endpointCount: number;
  /** Counts the Services that came, for `ProxiedService.order`. */
  arrivals: number;
  /** Ports with a health check node port, by Service. */
  healthChecks: Map<string, ServicePort>;
  /** Services that changed since the last sync; null: everything is to be written. */
  dirty: Set<string> | null;
  largeCluster: boolean;
  /** UDP endpoints changed: stale conntrack entries must go. */
  udpChanged: boolean;
  cleanedAtMs: number;
  syncedAtMs: number;
  /** iptables: a sync whose time has come and that nobody has looked for yet. */
  due: DueSync | null;
  /** iptables: the Services' own chains, to know without a look at every chain which of them nobody needs any more. */
  own: OwnChains;
  /** nftables: chains that nothing leads to any more, with the time that they were emptied. */
  staleChains: Map<string, number>;
  nft: NftWritten;
}

export interface OwnChains {
  /** What was last written of each Service. */
  written: Map<string, Section[]>;
  /** Chains in nat that were written once and are no longer wanted. */
  gone: Set<string>;
  /** Chains in nat after the last sync; null, or another number now: others have come or gone, and every chain is to be looked at. */
  count: number | null;
}

/** nftables: what this process has written, so that it reads the kernel's tables only before a full sync. */
export interface NftWritten {
  /** false: the kernel's are to be read first. */
  known: boolean;
  /** By Service. */
  services: Map<string, NftSection[]>;
  claims: Map<Container, Claims>;
}

/** What a sync has to write, as it was at the time of the sync; later changes belong to later ones. */
export interface DueSync {
  /** Services that have changed since, as they were then; null: not there. The others are the proxier's own. */
  before: Map<string, ProxiedService | null>;
  endpointCount: number;
  settings: RuleSettings;
  dirty: Set<string> | null;
  udpChanged: boolean;
  atMs: number;
  /** The monitor's time came after it: all is written if the canary has gone. */
  monitored: boolean;
}

export interface ProxiedService {
  /** Services stand in the rules in the order in which they came. */
  order: number;
  ports: ServicePort[];
  /** Endpoints of each port, in the order of `ports`. */
  endpoints: Endpoint[][];
  /** Built when first written and kept until the Service, its endpoints or the settings change. */
  sections: Section[] | null;
  /** The same for the nftables mode. */
  nft: NftSection[] | null;
}

// What coredns 1.14.2 counts (plugin/*/metrics.go, plugin/metrics/vars/vars.go, plugin/pkg/proxy/metrics.go). Go's own go_* and process_*
// and the API client's coredns_kubernetes_* are not counted: there is no Go runtime, and the API is read without requests.

export interface Family {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  /** In the order in which values are given. None: it is shown from the start, with 0. */
  labels: string[];
  /** Upper bounds of a histogram, without +Inf. */
  buckets?: number[];
}

const exponential = (start: number, factor: number, n: number): number[] => Array.from({ length: n }, (_, i) => start * factor ** i);

/** plugin.TimeBuckets, plugin.SlimTimeBuckets */
const TIMES = exponential(0.00025, 2, 16);
const SLIM_TIMES = exponential(0.00025, 10, 5);
const SIZES = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

const counter = (help: string, ...labels: string[]): Family => ({ type: 'counter', help, labels });
const gauge = (help: string, ...labels: string[]): Family => ({ type: 'gauge', help, labels });
const histogram = (help: string, buckets: number[], ...labels: string[]): Family => ({ type: 'histogram', help, labels, buckets });

const TEMPLATE = ['server', 'zone', 'view', 'class', 'type'];

export const FAMILIES = {
  coredns_acl_allowed_requests_total: counter('Counter of DNS requests being allowed.', 'server', 'view'),
  coredns_acl_blocked_requests_total: counter('Counter of DNS requests being blocked.', 'server', 'zone', 'view'),
  coredns_acl_dropped_requests_total: counter('Counter of DNS requests being dropped.', 'server', 'zone', 'view'),
  coredns_acl_filtered_requests_total: counter('Counter of DNS requests being filtered.', 'server', 'zone', 'view'),
  coredns_autopath_success_total: counter('Counter of requests that did autopath.', 'server'),
  coredns_build_info: gauge(
    "A metric with a constant '1' value labeled by version, revision, and goversion from which CoreDNS was built.",
    'version',
    'revision',
    'goversion',
  ),
  coredns_cache_drops_total: counter(
    'The number responses that are not cached, because the reply is malformed.',
    'server',
    'zones',
    'view',
  ),
  coredns_cache_entries: gauge('The number of elements in the cache.', 'server', 'type', 'zones', 'view'),
  coredns_cache_evictions_total: counter('The count of cache evictions.', 'server', 'type', 'zones', 'view'),
  coredns_cache_hits_total: counter('The count of cache hits.', 'server', 'type', 'zones', 'view'),
  coredns_cache_misses_total: counter(
    'The count of cache misses. Deprecated, derive misses from cache hits/requests counters.',
    'server',
    'zones',
    'view',
  ),
  coredns_cache_prefetch_total: counter('The number of times the cache has prefetched a cached item.', 'server', 'zones', 'view'),
  coredns_cache_requests_total: counter('The count of cache requests.', 'server', 'zones', 'view'),
  coredns_cache_served_stale_total: counter('The number of requests served from stale cache entries.', 'server', 'zones', 'view'),
  coredns_dns64_requests_translated_total: counter('Counter of DNS requests translated by dns64.', 'server'),
  coredns_dns_do_requests_total: counter('Counter of DNS requests with DO bit set per zone.', 'server', 'zone', 'view'),
  coredns_dns_request_duration_seconds: histogram(
    'Histogram of the time (in seconds) each request took per zone.',
    TIMES,
    'server',
    'zone',
    'view',
  ),
  coredns_dns_request_size_bytes: histogram(
    'Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.',
    SIZES,
    'server',
    'zone',
    'view',
    'proto',
  ),
  coredns_dns_requests_total: counter(
    'Counter of DNS requests made per zone, protocol and family.',
    'server',
    'zone',
    'view',
    'proto',
    'family',
    'type',
  ),
  coredns_dns_response_size_bytes: histogram('Size of the returned response in bytes.', SIZES, 'server', 'zone', 'view', 'proto'),
  coredns_dns_responses_total: counter('Counter of response status codes.', 'server', 'zone', 'view', 'rcode', 'plugin'),
  coredns_forward_healthcheck_broken_total: counter('Counter of the number of complete failures of the healthchecks.'),
  coredns_forward_max_concurrent_rejects_total: counter(
    'Counter of the number of queries rejected because the concurrent queries were at maximum.',
  ),
  coredns_health_request_duration_seconds: histogram('Histogram of the time (in seconds) each request took.', SLIM_TIMES),
  coredns_health_request_failures_total: counter('The number of times the health check failed.'),
  coredns_hosts_entries: gauge('The combined number of entries in hosts and Corefile.', 'hostsfile'),
  coredns_hosts_reload_timestamp_seconds: gauge('The timestamp of the last reload of hosts file.'),
  coredns_local_localhost_requests_total: counter('Counter of localhost.<domain> requests.'),
  coredns_panics_total: counter('A metrics that counts the number of panics.'),
  coredns_plugin_enabled: gauge(
    'A metric that indicates whether a plugin is enabled on per server and zone basis.',
    'server',
    'zone',
    'view',
    'name',
  ),
  coredns_proxy_conn_cache_hits_total: counter('Counter of connection cache hits per upstream and protocol.', 'proxy_name', 'to', 'proto'),
  coredns_proxy_conn_cache_misses_total: counter(
    'Counter of connection cache misses per upstream and protocol.',
    'proxy_name',
    'to',
    'proto',
  ),
  coredns_proxy_healthcheck_failures_total: counter('Counter of the number of failed healthchecks.', 'proxy_name', 'to'),
  coredns_proxy_request_duration_seconds: histogram('Histogram of the time each request took.', TIMES, 'proxy_name', 'to', 'rcode'),
  coredns_reload_failed_total: counter('Counter of the number of failed reload attempts.'),
  coredns_reload_version_info: gauge(
    "A metric with a constant '1' value labeled by hash, and value which type of hash generated.",
    'hash',
    'value',
  ),
  coredns_template_rr_failures_total: counter('Counter of mis-templated RRs.', ...TEMPLATE, 'section', 'template'),
  coredns_template_template_failures_total: counter('Counter of go template failures.', ...TEMPLATE, 'section', 'template'),
  coredns_template_matches_total: counter('Counter of template regex matches.', ...TEMPLATE),
} satisfies Record<string, Family>;

export type FamilyName = keyof typeof FAMILIES;

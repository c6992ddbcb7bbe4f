// The chain's order is the order of this table, whatever the Corefile's (coredns 1.14.2, plugin.cfg).
import { autopath } from './plugins/autopath.ts';
import { cache } from './plugins/cache.ts';
import { erratic } from './plugins/erratic.ts';
import { errors } from './plugins/errors.ts';
import { file } from './plugins/file.ts';
import { forward } from './plugins/forward.ts';
import { health } from './plugins/health.ts';
import { hosts } from './plugins/hosts.ts';
import { k8s_external } from './plugins/k8s_external.ts';
import { kubernetes } from './plugins/kubernetes.ts';
import { loadbalance } from './plugins/loadbalance.ts';
import { log } from './plugins/log.ts';
import { loop } from './plugins/loop.ts';
import { prometheus } from './plugins/prometheus.ts';
import { ready } from './plugins/ready.ts';
import { reload } from './plugins/reload.ts';
import { rewrite } from './plugins/rewrite.ts';
import { template } from './plugins/template.ts';
import { whoami } from './plugins/whoami.ts';
import type { Plugin } from './types.ts';

export const PLUGINS: Plugin[] = [
  reload,
  ready,
  health,
  prometheus,
  errors,
  log,
  loadbalance,
  cache,
  rewrite,
  autopath,
  template,
  hosts,
  k8s_external,
  kubernetes,
  file,
  loop,
  forward,
  erratic,
  whoami,
];

/** Directives that CoreDNS has and podnet does not act on: taken, and named once in a warning. */
export const UNMODELLED = new Set(
  'root metadata cancel tls timeouts multisocket nsid bufsize bind debug trace geoip local dns64 acl any chaos tsig header dnssec minimal route53 azure clouddns etcd secondary sign grpc nomad quic'.split(
    ' ',
  ),
);

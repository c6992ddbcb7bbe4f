// The chain's order is the order of this table, whatever the Corefile's (coredns 1.14.2, plugin.cfg).
import { acl } from './plugins/acl.ts';
import { any } from './plugins/any.ts';
import { autopath } from './plugins/autopath.ts';
import { bind } from './plugins/bind.ts';
import { bufsize } from './plugins/bufsize.ts';
import { cache } from './plugins/cache.ts';
import { chaos } from './plugins/chaos.ts';
import { dns64 } from './plugins/dns64.ts';
import { erratic } from './plugins/erratic.ts';
import { errors } from './plugins/errors.ts';
import { file } from './plugins/file.ts';
import { forward } from './plugins/forward.ts';
import { header } from './plugins/header.ts';
import { health } from './plugins/health.ts';
import { hosts } from './plugins/hosts.ts';
import { k8s_external } from './plugins/k8s_external.ts';
import { kubernetes } from './plugins/kubernetes.ts';
import { loadbalance } from './plugins/loadbalance.ts';
import { local } from './plugins/local.ts';
import { log } from './plugins/log.ts';
import { loop } from './plugins/loop.ts';
import { minimal } from './plugins/minimal.ts';
import { nsid } from './plugins/nsid.ts';
import { prometheus } from './plugins/prometheus.ts';
import { ready } from './plugins/ready.ts';
import { reload } from './plugins/reload.ts';
import { rewrite } from './plugins/rewrite.ts';
import { template } from './plugins/template.ts';
import { transfer } from './plugins/transfer.ts';
import { view } from './plugins/view.ts';
import { whoami } from './plugins/whoami.ts';
import type { Plugin } from './types.ts';

export const PLUGINS: Plugin[] = [
  reload,
  nsid,
  bufsize,
  bind,
  ready,
  health,
  prometheus,
  errors,
  log,
  local,
  dns64,
  acl,
  any,
  chaos,
  loadbalance,
  cache,
  rewrite,
  header,
  autopath,
  minimal,
  template,
  transfer,
  hosts,
  k8s_external,
  kubernetes,
  file,
  loop,
  forward,
  erratic,
  whoami,
  view,
];

export { IDLE, UNMODELLED } from './idle.ts';

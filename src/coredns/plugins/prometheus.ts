// plugin/metrics (coredns 1.14.2): counts what passes, and shows what all plugins count.
import { formatIp } from '../../wire/ip.ts';
import { listenAddress, serveEndpoint } from '../http.ts';
import { exposition, reset, setGauge } from '../metrics.ts';
import { report, sizeOfMessage } from '../report.ts';
import { argumentError, type Block, ONCE, type Plugin, plainError } from '../types.ts';
import { GO_VERSION, VERSION } from '../version.ts';
import { longestZone } from '../zones.ts';

const DEFAULT_ADDRESS = 'localhost:9153';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';

/** vars.PluginEnabled: the links of each server's chain. */
function enabled(block: Block): void {
  const { metrics } = block.instance;
  const hosts = block.listen.length ? block.listen.map(ip => (ip.length === 16 ? `[${formatIp(ip)}]` : formatIp(ip))) : [''];
  for (const { transport, zone, port } of block.keys) {
    for (const host of hosts) {
      const server = `${transport}://${host}:${port}`;
      for (const { name } of block.chain) setGauge(metrics, 'coredns_plugin_enabled', 1, server, zone, block.view?.name ?? '', name);
    }
  }
}

export const prometheus: Plugin = {
  name: 'prometheus',
  setup: ({ instance, directive, block, all }) => {
    if (all.length > 1) throw plainError(ONCE);
    if (directive.args.length > 1) throw argumentError(directive);
    const [address = DEFAULT_ADDRESS] = directive.args;
    const at = listenAddress(address);
    if (directive.body.length) throw plainError(ONCE);
    const { metrics } = instance;
    if (/\D/.test(at.port))
      instance.log('ERROR', `plugin/prometheus: Failed to start metrics handler: listen tcp: lookup tcp/${at.port}: unknown port`);
    setGauge(metrics, 'coredns_build_info', 1, VERSION, '', GO_VERSION);
    instance.stops.push(() => reset(metrics, 'coredns_plugin_enabled'));
    instance.starts.push(function* () {
      enabled(block);
    });
    serveEndpoint(instance, at, path => {
      if (path !== '/metrics') return { status: 404, body: '404 page not found\n' };
      for (const gather of instance.gathers) gather();
      return { status: 200, body: exposition(metrics), type: CONTENT_TYPE };
    });
    return function* (r, next) {
      const outcome = yield* next(r);
      const zone = longestZone(r.name, block.zones) ?? '.';
      const { reply } = outcome;
      // Upstream's tracker names the plugin behind this one, whoever wrote the answer.
      const plugin = reply ? (block.chain[block.chain.findIndex(l => l.name === 'prometheus') + 1]?.name ?? '') : '';
      const rcode = reply?.rcode ?? outcome.rcode ?? 'SERVFAIL';
      const ms = instance.server.sim.nowMs - r.startedAtMs;
      report(metrics, r, { zone, view: r.view ?? '', rcode, plugin, size: reply ? sizeOfMessage(reply) : 0, ms });
      return outcome;
    };
  },
};

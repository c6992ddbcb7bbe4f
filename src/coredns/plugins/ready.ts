// plugin/ready (coredns 1.14.2): /ready says OK once every plugin that has to catch up first has done so.
import { listenAddress, serveEndpoint } from '../http.ts';
import { argumentError, CorefileError, ONCE, type Plugin } from '../types.ts';

export const ready: Plugin = {
  name: 'ready',
  setup: ({ instance, directive, all }) => {
    if (all.length > 1) throw new CorefileError(0, ONCE);
    if (directive.args.length > 1) throw argumentError(directive);
    const at = listenAddress(directive.args[0] ?? ':8181');
    for (const d of directive.body) {
      if (d.name !== 'monitor') continue;
      if (d.args.length !== 1) throw argumentError(d);
      if (!['until-ready', 'continuously'].includes(d.args[0]))
        throw new CorefileError(d.line, `monitor type '${d.args[0]}' not supported`);
    }
    serveEndpoint(instance, at, path => {
      if (path !== '/ready') return { status: 404, body: '404 page not found\n' };
      const waiting = [...instance.unready].sort().join(',');
      if (!waiting) return { status: 200, body: 'OK' };
      instance.log('INFO', `plugin/ready: Plugins not ready: ${JSON.stringify(waiting)}`);
      return { status: 503, body: waiting };
    });
    return null;
  },
};

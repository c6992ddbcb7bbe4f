import { serveEndpoint } from '../http.ts';
import { ONCE, type Plugin, plainError } from '../types.ts';

/** coredns_dns_requests_total and coredns_dns_responses_total, by the label sets of plugin/metrics. */
export const prometheus: Plugin = {
  name: 'prometheus',
  setup: ({ instance, directive, block }) => {
    const [address] = directive.args;
    if (address !== undefined && !address.includes(':')) throw plainError(`address ${address}: missing port in address`);
    if (directive.body.length) throw plainError(ONCE);
    const named = /:([^:]*\D[^:]*)$/.exec(address ?? '')?.[1];
    if (named !== undefined)
      instance.log('ERROR', `plugin/prometheus: Failed to start metrics handler: listen tcp: lookup tcp/${named}: unknown port`);
    const requests = new Map<string, number>();
    const responses = new Map<string, number>();
    const count = (m: Map<string, number>, key: string) => m.set(key, (m.get(key) ?? 0) + 1);
    const lines = (name: string, help: string, m: Map<string, number>) =>
      m.size
        ? [`# HELP ${name} ${help}`, `# TYPE ${name} counter`, ...[...m].sort().map(([k, v]) => `${name}{${k}} ${v}`)]
            .join('\n')
            .concat('\n')
        : '';
    serveEndpoint(instance, Number(/:(\d+)$/.exec(directive.args[0] ?? '')?.[1] ?? 9153), path =>
      path === '/metrics'
        ? {
            status: 200,
            body:
              lines('coredns_dns_requests_total', 'Counter of DNS requests made per zone, protocol and family.', requests) +
              lines('coredns_dns_responses_total', 'Counter of response status codes.', responses),
          }
        : { status: 404, body: '404 page not found\n' },
    );
    return function* (r, next) {
      const outcome = yield* next(r);
      const zone = block.zones[0];
      const base = `server="dns://:${block.port}",view="",zone="${zone}"`;
      count(
        requests,
        `family="${r.client.length === 4 ? 1 : 2}",proto="${r.proto}",${base.replace(/,zone.*/, '')},type="${r.type}",zone="${zone}"`,
      );
      count(responses, `plugin="",rcode="${outcome.reply?.rcode ?? outcome.rcode ?? 'SERVFAIL'}",${base}`);
      return outcome;
    };
  },
};

import { serveEndpoint } from '../http.ts';
import { type Plugin, plainError } from '../types.ts';

const portOf = (address: string | undefined, otherwise: number) => Number(/:(\d+)$/.exec(address ?? '')?.[1] ?? otherwise);

export const ready: Plugin = {
  name: 'ready',
  setup: ({ instance, directive }) => {
    const [address] = directive.args;
    if (address !== undefined && !address.includes(':')) throw plainError(`address ${address}: missing port in address`);
    serveEndpoint(instance, portOf(directive.args[0], 8181), path => {
      if (path !== '/ready') return { status: 404, body: '404 page not found\n' };
      const waiting = [...instance.unready].sort();
      return waiting.length ? { status: 503, body: waiting.join(',') } : { status: 200, body: 'OK' };
    });
    return null;
  },
};

import { serveEndpoint } from '../http.ts';
import type { Plugin } from '../types.ts';

const portOf = (address: string | undefined, otherwise: number) => Number(/:(\d+)$/.exec(address ?? '')?.[1] ?? otherwise);

export const health: Plugin = {
  name: 'health',
  setup: ({ instance, directive }) => {
    serveEndpoint(instance, portOf(directive.args[0], 8080), path =>
      path === '/health' ? { status: 200, body: 'OK' } : { status: 404, body: '404 page not found\n' },
    );
    return null;
  },
};

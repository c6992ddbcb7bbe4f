import { serveEndpoint } from '../http.ts';
import { argumentError, type Plugin, plainError } from '../types.ts';
import { durationMs } from '../zones.ts';

const portOf = (address: string | undefined, otherwise: number) => Number(/:(\d+)$/.exec(address ?? '')?.[1] ?? otherwise);

export const health: Plugin = {
  name: 'health',
  setup: ({ instance, directive }) => {
    for (const d of directive.body) {
      if (d.name !== 'lameduck' || d.args.length !== 1) throw argumentError(d);
      if (durationMs(d.args[0]) === null)
        throw plainError(`unable to parse lameduck duration value: '${d.args[0]}' : time: invalid duration "${d.args[0]}"`);
    }
    serveEndpoint(instance, portOf(directive.args[0], 8080), path =>
      path === '/health' ? { status: 200, body: 'OK' } : { status: 404, body: '404 page not found\n' },
    );
    return null;
  },
};

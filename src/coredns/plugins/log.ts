import { encodeMessage, encodeSparingly } from '../../wire/dns-codec.ts';
import { formatIp } from '../../wire/ip.ts';
import type { Plugin } from '../types.ts';

/** The common format: `{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}`. */
export const log: Plugin = {
  name: 'log',
  setup: ({ instance }) =>
    function* (r, next) {
      const outcome = yield* next(r);
      const { query } = r;
      const { reply } = outcome;
      const address = r.client.length === 16 ? `[${formatIp(r.client)}]` : formatIp(r.client);
      const flags =
        reply &&
        [reply.response && 'qr', reply.aa && 'aa', reply.tc && 'tc', reply.rd && 'rd', reply.ra && 'ra', reply.ad && 'ad', reply.cd && 'cd']
          .filter(Boolean)
          .join(',');
      const seconds = (instance.server.sim.nowMs - r.startedAtMs) / 1000;
      instance.log(
        'INFO',
        `${address}:${r.clientPort} - ${query.id} "${r.type} ${query.questions[0].class} ${r.name} ${r.proto} ${encodeMessage(query).length} ${query.edns?.dnssecOk ?? false} ${query.edns?.udpSize ?? 512}" ${reply?.rcode ?? outcome.rcode ?? 'SERVFAIL'} ${flags || '-'} ${reply ? encodeSparingly(reply, 65535).length : 0} ${seconds.toFixed(9).replace(/0+$/, '') || '0'}s`,
      );
      return outcome;
    },
};

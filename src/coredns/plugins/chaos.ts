import { compareBytes } from '../../sim/bytes.ts';
import type { DnsRecord } from '../../wire/dns.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import type { Plugin } from '../types.ts';
import { VERSION } from '../version.ts';

const LONGEST = 255;

/** version.bind, version.server, authors.bind, hostname.bind and id.server in class CH. */
export const chaos: Plugin = {
  name: 'chaos',
  setup: ({ instance, directive, block }) => {
    block.chaos = true;
    const [version = `CoreDNS-${VERSION}`, ...given] = directive.args;
    // Upstream's own list of maintainers stands here by default; it is not part of what podnet models.
    const authors = [...new Set(given)].map(a => a.slice(0, LONGEST)).sort(compareBytes);
    return function* (r, next) {
      const q = r.query.questions[0];
      if (q.class !== 'CH' || r.type !== 'TXT') return yield* next(r);
      const texts =
        r.name === 'authors.bind.'
          ? authors
          : r.name === 'version.bind.' || r.name === 'version.server.'
            ? [version.slice(0, LONGEST)]
            : r.name === 'hostname.bind.' || r.name === 'id.server.'
              ? [(instance.p.env.get('HOSTNAME') ?? 'localhost').slice(0, LONGEST)]
              : null;
      if (!texts) return yield* next(r);
      const answers = texts.map((t): DnsRecord => ({ name: q.name, type: 'TXT', class: 'CH', ttl: 0, data: { texts: [t] } }));
      return { reply: { ...replyTo(r.query), answers } };
    };
  },
};

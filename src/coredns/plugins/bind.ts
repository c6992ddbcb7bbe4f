import { type Ip, parseIp } from '../../wire/ip.ts';
import { CorefileError, type Instance, type Plugin, plainError } from '../types.ts';

const addressesOf = (instance: Instance, name: string): Ip[] | null =>
  [...instance.p.netns.links.values()].find(l => l.name === name)?.addresses.map(a => a.ip) ?? null;

/** The addresses that a server block listens on: its own words, or those of interfaces. */
export const bind: Plugin = {
  name: 'bind',
  setup: ({ instance, block, all }) => {
    const wanted: Ip[] = [];
    for (const d of all) {
      if (!d.args.length) throw plainError('at least one address or interface name is expected');
      const except = d.body.flatMap(p => {
        if (p.name === 'except') return p.args;
        throw new CorefileError(p.line, `unknown option "${p.name}"`);
      });
      const listed = (words: string[]) =>
        words.flatMap(w => {
          const ip = parseIp(w);
          const found = ip ? [ip] : addressesOf(instance, w);
          if (!found) throw plainError(`not a valid IP address or interface name: "${w}"`);
          return found;
        });
      const not = listed(except).map(a => a.join('.'));
      wanted.push(...listed(d.args).filter(a => !not.includes(a.join('.'))));
    }
    block.listen = wanted;
    return null;
  },
};

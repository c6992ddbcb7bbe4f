// plugin/acl (coredns 1.14.2): who may ask what, by source network and type; the first policy that matches decides.
import { readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { replyTo } from '../../wire/dns-codec.ts';
import { isTypeName, typeText } from '../../wire/dns-types.ts';
import { type Cidr, inCidr, parseCidr } from '../../wire/ip.ts';
import type { Directive } from '../corefile.ts';
import { extendedError } from '../edns.ts';
import { increase } from '../metrics.ts';
import { CorefileError, type Instance, type Outcome, type Plugin, type Request } from '../types.ts';
import { longestZone, zonesOf } from '../zones.ts';

const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const;
type Action = (typeof ACTIONS)[number];

interface Policy {
  action: Action;
  /** null: every type. */
  types: Set<string> | null;
  /** null: every address. */
  nets: Cidr[] | null;
}

/** One line of the block: `allow|block|filter|drop [type T...] [net N...] [file F...]`. */
function policy(instance: Instance, d: Directive): Policy {
  const action = d.name.toLowerCase() as Action;
  if (!ACTIONS.includes(action))
    throw new CorefileError(d.line, `unexpected token "${d.name}"; expect 'allow', 'block', 'filter' or 'drop'`);
  const sections = new Map<string, string[]>();
  let section = '';
  for (const word of d.args) {
    const name = word.toLowerCase();
    if (name === 'type' || name === 'net' || name === 'file') {
      if (section && !sections.get(section)?.length) throw new CorefileError(d.line, `no token specified in "${section}" section`);
      section = name;
      sections.set(section, sections.get(section) ?? []);
    } else if (section) sections.get(section)?.push(word);
    else throw new CorefileError(d.line, `unexpected token "${word}"; expect 'type | net | file'`);
  }
  if (section && !sections.get(section)?.length) throw new CorefileError(d.line, `no token specified in "${section}" section`);
  const types = sections.get('type') ?? [];
  for (const t of types) if (t !== '*' && !isTypeName(t)) throw new CorefileError(d.line, `unexpected token "${t}"; expect legal QTYPE`);
  const nets = [...(sections.get('net') ?? []), ...(sections.get('file') ?? []).flatMap(f => netsOfFile(instance, d, f))];
  return {
    action,
    types: types.length && !types.includes('*') ? new Set(types) : null,
    nets: nets.length && !nets.includes('*') ? nets.map(n => network(d, n)) : null,
  };
}

function network(d: Directive, text: string): Cidr {
  const whole = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`;
  const c = parseCidr(whole);
  if (!c) throw new CorefileError(d.line, `illegal CIDR notation "${whole}"`);
  return c;
}

function netsOfFile({ p }: Instance, d: Directive, path: string): string[] {
  const data = readFile(p.fs, path, p);
  if (typeof data === 'string')
    throw new CorefileError(d.line, `unable to load networks from local file: open ${path}: no such file or directory`);
  return bytesToString(data)
    .split('\n')
    .map(l => l.replace(/#.*/, '').trim())
    .filter(l => l);
}

function decide(policies: Policy[], r: Request): Action | null {
  const found = policies.find(p => (p.types?.has(typeText(r.type)) ?? true) && (p.nets?.some(n => inCidr(n, r.client)) ?? true));
  return found?.action ?? null;
}

const BLOCKED = 15;
const FILTERED = 17;

const COUNTERS = {
  drop: 'coredns_acl_dropped_requests_total',
  block: 'coredns_acl_blocked_requests_total',
  filter: 'coredns_acl_filtered_requests_total',
} as const;

export const acl: Plugin = {
  name: 'acl',
  setup: ({ instance, all, block }) => {
    const rules = all.map(d => ({ zones: zonesOf(d.args, block.zones), policies: d.body.map(b => policy(instance, b)) }));
    return function* (r, next) {
      const { metrics } = instance;
      const view = r.view ?? '';
      for (const { zones, policies } of rules) {
        const zone = longestZone(r.name, zones);
        if (zone === undefined) continue;
        const action = decide(policies, r);
        if (action === 'allow') break;
        if (action) increase(metrics, COUNTERS[action], r.server, zone, view);
        if (action === 'drop') return { reply: null, drop: true };
        if (action) {
          const code = action === 'block' ? BLOCKED : FILTERED;
          const reply = { ...replyTo(r.query, action === 'block' ? 'REFUSED' : 'NOERROR'), edns: extendedError(code, '') };
          return { reply } satisfies Outcome;
        }
      }
      increase(metrics, 'coredns_acl_allowed_requests_total', r.server, view);
      return yield* next(r);
    };
  },
};

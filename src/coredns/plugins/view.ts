// plugin/view (coredns 1.14.2): a server block that takes only the queries for which its expressions hold.
import { encodeMessage } from '../../wire/dns-codec.ts';
import { typeText } from '../../wire/dns-types.ts';
import { formatIp, type Ip, inCidr, parseCidr, parseIp } from '../../wire/ip.ts';
import { sizeOf } from '../edns.ts';
import { compileExpression, type Evaluate, ExpressionError, type Functions } from '../expression.ts';
import { argumentError, CorefileError, type Plugin, plainError, type Request } from '../types.ts';

const address = (a: Ip) => (a.length === 16 ? `[${formatIp(a)}]` : formatIp(a));

/** plugin/pkg/expression DefaultEnv. */
function functions(r: Request | null, port: number): Functions {
  const q = r?.query;
  const of =
    <T extends string | number | boolean>(value: T | undefined, otherwise: T) =>
    () =>
      value ?? otherwise;
  return {
    incidr: (ip, range) => {
      const [a, c] = [parseIp(String(ip).replace(/^\[|\]$/g, '')), parseCidr(String(range))];
      return a !== null && c !== null && inCidr(c, a);
    },
    metadata: label => r?.notes.get(String(label)) ?? '',
    type: of((r && typeText(r.type)) || undefined, ''),
    name: of(r?.name, ''),
    class: of(q?.questions[0].class as string | undefined, ''),
    proto: of(r?.proto as string | undefined, ''),
    size: () => (q ? encodeMessage(q).length : 0),
    client_ip: () => (r ? address(r.client) : ''),
    port: () => String(r?.clientPort ?? ''),
    id: of(q?.id, 0),
    opcode: of(q?.opcode, 0),
    do: of(q?.edns?.dnssecOk, false),
    bufsize: () => (r ? sizeOf(r) : 0),
    server_ip: () => (r ? address(r.local) : ''),
    server_port: () => String(port),
  };
}

export const view: Plugin = {
  name: 'view',
  setup: ({ block, directive: d, all }) => {
    if (all.length > 1) throw plainError('only one view is allowed per server block');
    if (d.args.length !== 1) throw argumentError(d);
    const known = Object.keys(functions(null, 0));
    const rules: Evaluate[] = [];
    for (const p of d.body) {
      if (p.name !== 'expr') throw new CorefileError(p.line, `unknown property '${p.name}'`);
      try {
        rules.push(compileExpression(p.args.join(' '), known));
      } catch (e) {
        if (e instanceof ExpressionError) throw plainError(e.message);
        throw e;
      }
    }
    block.view = { name: d.args[0], takes: r => rules.every(rule => rule(functions(r, block.port)) === true) };
    return null;
  },
};

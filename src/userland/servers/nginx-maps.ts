// Variables that blocks make: map, geo, split_clients (src/http/modules/ngx_http_{map,geo,split_clients}_module.c), and which names are known.
import { stringToBytes } from '../../sim/bytes.ts';
import { familyOf, inCidr, parseCidr, parseIp } from '../../wire/ip.ts';
import { walk } from './nginx-conf.ts';
import type { Directive } from './nginx-directives.ts';
import { all, locationName, type Made, type Nginx, pattern, type Scope } from './nginx-scope.ts';
import { capture, expand, isBuiltIn, VARIABLE } from './nginx-variables.ts';

/** Read the blocks into `n.made`. -> what is wrong with one */
export function madeVariables(n: Nginx): string | null {
  for (const kind of ['map', 'geo', 'split_clients'] as const) {
    for (const d of all(n.http, kind)) {
      const name = d.args[d.args.length - 1];
      if (!name.startsWith('$')) return `invalid variable name "${name}" in ${d.file}:${d.line}`;
      n.made.set(name.slice(1), kind === 'map' ? mapped(d) : kind === 'geo' ? located(d) : split(d));
    }
  }
  return null;
}

function mapped(d: Directive): Made {
  const rows = (d.block ?? []).filter(r => !['hostnames', 'volatile', 'include'].includes(r.name) || r.args.length);
  const hostnames = (d.block ?? []).some(r => r.name === 'hostnames');
  const text = (r: Directive) => r.name.replace(/^\\/, '').toLowerCase();
  const usual = rows.find(r => r.name === 'default');
  const patterns = rows
    .filter(r => r.name.startsWith('~'))
    .map(r => ({ r, re: pattern(r.name.replace(/^~\*?/, ''), r.name.startsWith('~*')) }));
  const wild = (value: string) =>
    rows
      .filter(
        r =>
          (/^\*?\./.test(r.name) && value.endsWith(text(r).replace(/^\*/, ''))) ||
          (r.name.endsWith('.*') && value.startsWith(text(r).slice(0, -1))),
      )
      .sort((a, b) => b.name.length - a.name.length)[0];
  return {
    source: d.args[0],
    value: (s, source) => {
      const key = source.toLowerCase();
      const exact =
        rows.find(r => !r.name.startsWith('~') && r.name !== 'default' && text(r) === key) ?? (hostnames ? wild(key) : undefined);
      if (exact) return expand(s, exact.args[0] ?? '');
      for (const { r, re } of patterns) {
        const m = re?.exec(source);
        if (!m) continue;
        capture(s, m);
        return expand(s, r.args[0] ?? '');
      }
      return usual ? expand(s, usual.args[0] ?? '') : '';
    },
  };
}

function located(d: Directive): Made {
  const rows = (d.block ?? []).filter(r => r.args.length === 1 && !['proxy', 'delete', 'include', 'default'].includes(r.name));
  const usual = (d.block ?? []).find(r => r.name === 'default')?.args[0] ?? '';
  const nets = rows.map(r => ({
    value: r.args[0],
    net: parseCidr(r.name.includes('/') ? r.name : `${r.name}/${r.name.includes(':') ? 128 : 32}`),
  }));
  return {
    source: d.args.length > 1 ? d.args[0] : '$remote_addr',
    value: (_s, source) => {
      const client = parseIp(source);
      const fits = nets.filter(x => client && x.net && familyOf(x.net.ip) === familyOf(client) && inCidr(x.net, client));
      return fits.sort((a, b) => (b.net?.bits ?? 0) - (a.net?.bits ?? 0))[0]?.value ?? usual;
    },
  };
}

/** ngx_murmur_hash2. */
function murmur2(data: Uint8Array): number {
  const M = 0x5bd1e995;
  let h = data.length;
  let i = 0;
  for (; data.length - i >= 4; i += 4) {
    let k = data[i] | (data[i + 1] << 8) | (data[i + 2] << 16) | (data[i + 3] << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const left = data.length - i;
  if (left > 2) h ^= data[i + 2] << 16;
  if (left > 1) h ^= data[i + 1] << 8;
  if (left > 0) h = Math.imul(h ^ data[i], M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return (h ^ (h >>> 15)) >>> 0;
}

function split(d: Directive): Made {
  let sum = 0;
  const parts = (d.block ?? []).map(r => {
    sum += r.name === '*' ? 0 : Math.floor((Number.parseFloat(r.name) * 0xffffffff) / 100);
    return { until: r.name === '*' ? Number.POSITIVE_INFINITY : sum, value: r.args[0] ?? '' };
  });
  return {
    source: d.args[0],
    value: (s: Scope, source) => {
      const hash = murmur2(stringToBytes(source));
      const part = parts.find(x => hash < x.until);
      return part ? expand(s, part.value) : '';
    },
  };
}

/** Directives whose words may hold variables; of the others a dollar sign is a dollar sign. */
const WITH_VARIABLES = new Set(
  'return set if proxy_pass proxy_set_header proxy_set_body proxy_redirect proxy_method proxy_ssl_name add_header root alias try_files access_log log_format error_page auth_basic auth_request sub_filter index hash limit_req_zone limit_conn_zone'.split(
    ' ',
  ),
);

/** Those whose every word is a text with variables, and no pattern among them. */
export const holdsVariables = (d: Directive): boolean => WITH_VARIABLES.has(d.name) && !['if', 'proxy_redirect', 'set'].includes(d.name);

/** The first name that nothing gives a value to, as nginx says it when all is read. */
export function unknownVariable(n: Nginx): string | null {
  const known = new Set(n.made.keys());
  const asked: string[] = [];
  const ask = (text: string) => {
    for (const m of text.matchAll(VARIABLE)) asked.push(m[1] ?? m[2]);
  };
  for (const [d] of walk(n.http)) {
    const patterns =
      d.name === 'location' ? [locationName(d)[1]] : d.name === 'rewrite' || d.name === 'if' || d.name === 'server_name' ? d.args : [];
    for (const text of patterns) for (const m of text.matchAll(/\(\?P?<(\w+)>/g)) known.add(m[1]);
    if (d.name === 'set' || d.name === 'auth_request_set') known.add(d.args[0].slice(1));
    if (d.name === 'set') n.assigned.add(d.args[0].slice(1));
    if (d.name === 'set' || d.name === 'auth_request_set') ask(d.args[1]);
    else if (d.name === 'rewrite') ask(d.args[1]);
    else if (d.name === 'map' || d.name === 'split_clients' || (d.name === 'geo' && d.args.length > 1)) ask(d.args[0]);
    else if (d.name === 'if') ask(d.args.filter((_, i) => i === 0 || !/^!?~\*?$/.test(d.args[1])).join(' '));
    else if (WITH_VARIABLES.has(d.name)) d.args.forEach(ask);
  }
  for (const made of all(n.http, 'map')) {
    for (const r of made.block ?? []) {
      for (const m of r.name.matchAll(/\(\?P?<(\w+)>/g)) known.add(m[1]);
      for (const a of r.args) ask(a);
    }
  }
  const unknown = asked.find(name => !known.has(name) && !isBuiltIn(name) && !/^\d/.test(name));
  return unknown === undefined ? null : `unknown "${unknown}" variable`;
}

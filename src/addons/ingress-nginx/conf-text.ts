// /etc/nginx/nginx.conf of the controller's container, for who looks into it: hosts, locations and where they lead.
import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';
import type { Config, Location, Server } from './config.ts';

function header(l: Location): string {
  if (l.regex) return `location ~* "^${l.path}"`;
  if (l.type === 'Exact') return `location = ${l.path}`;
  return `location ${l.type === 'Prefix' && !l.path.endsWith('/') ? `${l.path}/` : l.path}`;
}

function location(l: Location): string {
  const [namespace, name] = l.ingress.split('/');
  const lines = [`set $namespace      "${namespace}";`, `set $ingress_name   "${name}";`, `set $location_path  "${l.path}";`];
  lines.push(`set $proxy_upstream_name "${l.upstream?.name ?? ''}";`);
  if (l.options.rewriteTarget !== null) lines.push(`rewrite "(?i)${l.path}" ${l.options.rewriteTarget} break;`);
  lines.push(`proxy_pass ${l.options.secureUpstream ? 'https' : 'http'}://upstream_balancer;`);
  return `\t\t${header(l)} {\n${lines.map(t => `\t\t\t${t}\n`).join('')}\t\t}\n`;
}

function server(s: Server): string {
  const listen = ['listen 80', 'listen [::]:80', 'listen 443', 'listen [::]:443'].map((l, i) => {
    const first = s.host === '_' ? ' default_server reuseport' : '';
    return `\t\t${l} ${first}${i > 1 ? ' ssl' : ''};\n`;
  });
  const names = [s.host, ...s.aliases].join(' ');
  return `\t## start server ${s.host}\n\tserver {\n\t\tserver_name ${names} ;\n\n${listen.join('')}\n${s.locations.map(location).join('\n')}\t}\n\t## end server ${s.host}\n\n`;
}

/** Of all that is configured but the endpoints, which the balancer knows alone. */
const checksum = (c: Config): string =>
  BigInt(
    `0x${hex(sha256(stringToBytes(JSON.stringify(c, (key, value) => (key === 'endpoints' ? undefined : value))))).slice(0, 16)}`,
  ).toString();

export const nginxConf = (c: Config): string =>
  `# Configuration checksum: ${checksum(c)}\n\nhttp {\n\tupstream upstream_balancer {\n\t\tserver 0.0.0.1; # placeholder\n\t}\n\n${c.servers.map(server).join('')}}\n`;

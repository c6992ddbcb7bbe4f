// nginx's configuration language: words, quotes, blocks, includes (src/core/ngx_conf_file.c).
import type { Process } from '../../linux/types.ts';
import { absolute, listDir } from '../../linux/vfs.ts';
import { readText } from './daemon.ts';

export interface Directive {
  name: string;
  args: string[];
  block: Directive[] | null;
  file: string;
  line: number;
}

export interface ConfError {
  text: string;
}

export const isConfError = (x: object): x is ConfError => 'text' in x && !('name' in x);

interface Token {
  text: string;
  quoted: boolean;
  line: number;
}

function tokens(text: string): Token[] {
  const out: Token[] = [];
  let line = 1;
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    if (c === '\n') line++;
    if (/\s/.test(c)) i++;
    else if (c === '#') while (i < text.length && text[i] !== '\n') i++;
    else if (c === ';' || c === '{' || c === '}') {
      out.push({ text: c, quoted: false, line });
      i++;
    } else if (c === '"' || c === "'") {
      let word = '';
      const at = line;
      for (i++; i < text.length && text[i] !== c; i++) {
        if (text[i] === '\n') line++;
        if (text[i] === '\\' && i + 1 < text.length) word += escaped(text[++i]);
        else word += text[i];
      }
      i++;
      out.push({ text: word, quoted: true, line: at });
    } else {
      let word = '';
      for (; i < text.length && !/[\s;]/.test(text[i]); i++) {
        if (text[i] === '{' && !word.endsWith('$')) break;
        if (text[i] === '\\' && i + 1 < text.length) word += `\\${text[++i]}`;
        else if (text[i] === '{') {
          while (i < text.length && text[i] !== '}') word += text[i++];
          word += '}';
        } else word += text[i];
      }
      out.push({ text: word, quoted: false, line });
    }
  }
  return out;
}

function escaped(c: string): string {
  return { n: '\n', r: '\r', t: '\t', '"': '"', "'": "'", '\\': '\\' }[c] ?? `\\${c}`;
}

/** Directives of a file with its includes in place. */
export function parseConf(p: Process, path: string): Directive[] | ConfError {
  const text = readText(p, path);
  if (text === null) return { text: `open() "${path}" failed (2: No such file or directory)` };
  const list = tokens(text);
  let at = 0;
  const block = (depth: number): Directive[] | ConfError => {
    const out: Directive[] = [];
    while (at < list.length) {
      const t = list[at];
      if (!t.quoted && t.text === '}') {
        if (depth === 0) return { text: `unexpected "}" in ${path}:${t.line}` };
        at++;
        return out;
      }
      if (!t.quoted && (t.text === ';' || t.text === '{')) return { text: `unexpected "${t.text}" in ${path}:${t.line}` };
      const d: Directive = { name: t.text, args: [], block: null, file: path, line: t.line };
      for (at++; at < list.length && (list[at].quoted || !/^[;{}]$/.test(list[at].text)); at++) d.args.push(list[at].text);
      const end = list[at];
      if (!end || end.text === '}') {
        const where = `${path}:${end?.line ?? list[list.length - 1].line + 1}`;
        return { text: end ? `unexpected "}" in ${where}` : `unexpected end of file, expecting ";" or "}" in ${where}` };
      }
      at++;
      if (end.text === '{') {
        const inner = block(depth + 1);
        if (!Array.isArray(inner)) return inner;
        d.block = inner;
      }
      if (d.name !== 'include') out.push(d);
      else {
        const included = include(p, d.args[0]);
        if (!Array.isArray(included)) return included;
        out.push(...included);
      }
    }
    if (depth > 0) return { text: `unexpected end of file, expecting "}" in ${path}:${(list[list.length - 1]?.line ?? 0) + 1}` };
    return out;
  };
  return block(0);
}

function include(p: Process, pattern: string): Directive[] | ConfError {
  const path = absolute(pattern, '/etc/nginx');
  if (!/[*?[]/.test(path)) return parseConf(p, path);
  const dir = path.slice(0, path.lastIndexOf('/')) || '/';
  const name = path.slice(path.lastIndexOf('/') + 1);
  const match = new RegExp(
    `^${name
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const entries = listDir(p.fs, dir, p);
  const out: Directive[] = [];
  for (const file of typeof entries === 'string' ? [] : [...entries.keys()].sort()) {
    if (!match.test(file) || (file.startsWith('.') && !name.startsWith('.'))) continue;
    const found = parseConf(p, `${dir}/${file}`);
    if (!Array.isArray(found)) return found;
    out.push(...found);
  }
  return out;
}

/** Directives that are acted on, or that change nothing that can be seen from outside. */
const KNOWN = new Set(
  (
    'user worker_processes error_log pid events worker_connections http default_type log_format access_log sendfile tcp_nopush tcp_nodelay ' +
    'keepalive_timeout keepalive_requests gzip gzip_types gzip_min_length gzip_vary gzip_proxied gzip_comp_level include server listen server_name location root ' +
    'index return error_page proxy_pass proxy_read_timeout proxy_connect_timeout proxy_send_timeout proxy_set_header proxy_http_version ' +
    'proxy_buffering proxy_redirect proxy_cache_bypass proxy_buffer_size proxy_buffers proxy_next_upstream proxy_request_buffering proxy_ssl_verify ' +
    'proxy_ssl_server_name proxy_hide_header add_header try_files alias ' +
    'autoindex port_in_redirect absolute_redirect server_name_in_redirect server_tokens client_max_body_size client_body_timeout ' +
    'client_header_timeout client_body_buffer_size send_timeout upstream types charset expires stub_status deny allow set rewrite if resolver resolver_timeout ' +
    'ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_prefer_server_ciphers ssl_session_cache ssl_session_timeout multi_accept use ' +
    'worker_rlimit_nofile map zone keepalive least_conn ip_hash types_hash_max_size server_names_hash_bucket_size log_not_found internal ' +
    'stream ssl_preread variables_hash_max_size variables_hash_bucket_size daemon master_process load_module underscores_in_headers ' +
    'real_ip_header set_real_ip_from sub_filter sub_filter_once sub_filter_types etag if_modified_since max_ranges open_file_cache auth_basic ' +
    'auth_basic_user_file large_client_header_buffers client_header_buffer_size reset_timedout_connection limit_req_zone limit_req limit_conn_zone limit_conn ' +
    'proxy_temp_path client_body_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path proxy_bind proxy_protocol http2'
  ).split(/\s+/),
);
const FREE_FORM = new Set(['types', 'map', 'geo', 'split_clients', 'upstream']);

/** The first directive that nginx would not know, as its own complaint. */
export function unknownDirective(list: Directive[], inside = ''): ConfError | null {
  for (const d of list) {
    if (!FREE_FORM.has(inside) && !KNOWN.has(d.name)) return { text: `unknown directive "${d.name}" in ${d.file}:${d.line}` };
    const inner = d.block ? unknownDirective(d.block, d.name) : null;
    if (inner) return inner;
  }
  return null;
}

// The directives of nginx: where each may stand, how many words it takes, and what its value has to look like. The table is what
// nginx 1.22.1 (Debian's, with its stream module) itself answered to `nginx -t` of every directive in every block with 0 to 8 words.

export interface Directive {
  name: string;
  args: string[];
  block: Directive[] | null;
  file: string;
  line: number;
}

/**
 * A row: blocks, numbers of words (1+: so many or more; any), kind of value, names. Blocks: m main, e events, h http, s server, l location,
 * i `if` in a server, I `if` in a location, L limit_except, u upstream, and of stream H itself, S server, U upstream.
 */
const TABLE = `
HS 1 flag proxy_half_close proxy_protocol proxy_ssl ssl_preread
HS 1 n proxy_requests proxy_responses
HS 1 t preread_buffer_size preread_timeout proxy_download_rate proxy_downstream_buffer proxy_protocol_timeout proxy_timeout
HS 1 t proxy_upload_rate proxy_upstream_buffer ssl_handshake_timeout
HS 1+ - ssl_alpn
e 1 - debug_connection use worker_connections
e 1 flag accept_mutex multi_accept
e 1 n epoll_events worker_aio_requests
e 1 t accept_mutex_delay
h 1 n server_names_hash_bucket_size server_names_hash_max_size
h 1 t http2_recv_buffer_size
h 2 block charset_map
h 2+ - proxy_cache_path
h 3 - limit_req_zone
hH 1 block upstream
hH 1 n map_hash_bucket_size map_hash_max_size variables_hash_bucket_size variables_hash_max_size
hH 12 block geo
hH 2 - limit_conn_zone
hH 2 block map split_clients
hH 2+ - log_format
hs 1 - http2_idle_timeout http2_max_field_size http2_max_header_size http2_max_requests http2_recv_timeout ssl_ocsp
hs 1 - ssl_ocsp_cache ssl_ocsp_responder ssl_stapling_file ssl_stapling_responder
hs 1 flag http2 ignore_invalid_headers merge_slashes ssl ssl_early_data ssl_reject_handshake ssl_stapling ssl_stapling_verify
hs 1 flag underscores_in_headers
hs 1 n http2_max_concurrent_pushes http2_max_concurrent_streams http2_streams_index_size max_headers
hs 1 t client_header_buffer_size client_header_timeout connection_pool_size http2_body_preread_size http2_pool_size
hs 1 t request_pool_size ssl_buffer_size
hs 2 - large_client_header_buffers
hsHS 1 - ssl_certificate ssl_certificate_key ssl_ciphers ssl_client_certificate ssl_crl ssl_dhparam ssl_ecdh_curve
hsHS 1 - ssl_password_file ssl_session_ticket_key ssl_trusted_certificate ssl_verify_client
hsHS 1 flag ssl_prefer_server_ciphers ssl_session_tickets
hsHS 1 n ssl_verify_depth
hsHS 1 t ssl_session_timeout
hsHS 1+ - ssl_protocols
hsHS 12 - ssl_session_cache
hsHS 2 - ssl_conf_command
hsilI 1 flag rewrite_log uninitialized_variable_warn
hsl 0 block types
hsl 1 - add_after_body add_before_body aio ancient_browser_value auth_request autoindex_format client_body_in_file_only
hsl 1 - default_type gzip_http_version gzip_static http2_push if_modified_since limit_req_log_level lingering_close mirror
hsl 1 - modern_browser_value proxy_cache proxy_cache_key proxy_hide_header proxy_http_version proxy_method proxy_pass_header
hsl 1 - proxy_set_body proxy_store real_ip_header satisfy secure_link secure_link_md5 secure_link_secret server_tokens
hsl 1 flag absolute_redirect aio_write autoindex autoindex_exact_size autoindex_localtime chunked_transfer_encoding
hsl 1 flag client_body_in_single_buffer etag gunzip gzip_no_buffer gzip_vary http2_push_preload limit_req_dry_run log_not_found
hsl 1 flag log_subrequest mirror_request_body msie_padding msie_refresh open_file_cache_errors open_file_cache_events
hsl 1 flag port_in_redirect proxy_buffering proxy_cache_background_update proxy_cache_convert_head proxy_cache_lock
hsl 1 flag proxy_cache_revalidate proxy_force_ranges proxy_ignore_client_abort proxy_intercept_errors proxy_pass_request_body
hsl 1 flag proxy_pass_request_headers proxy_request_buffering real_ip_recursive recursive_error_pages reset_timedout_connection
hsl 1 flag server_name_in_redirect sub_filter_last_modified sub_filter_once tcp_nopush
hsl 1 n gzip_comp_level limit_conn_status limit_req_status max_ranges open_file_cache_min_uses proxy_cache_min_uses
hsl 1 n proxy_headers_hash_bucket_size proxy_headers_hash_max_size types_hash_bucket_size types_hash_max_size
hsl 1 t auth_delay client_body_buffer_size client_body_timeout client_max_body_size directio directio_alignment gzip_hash
hsl 1 t gzip_min_length gzip_window http2_chunk_size lingering_time lingering_timeout open_file_cache_valid postpone_gzipping
hsl 1 t postpone_output proxy_busy_buffers_size proxy_cache_lock_age proxy_cache_lock_timeout proxy_cache_max_range_offset
hsl 1 t proxy_limit_rate proxy_max_temp_file_size proxy_read_timeout proxy_send_lowat proxy_send_timeout
hsl 1 t proxy_temp_file_write_size read_ahead send_lowat send_timeout sendfile_max_chunk slice subrequest_output_buffer_size
hsl 1+ - addition_types ancient_browser charset_types gzip_disable gzip_proxied gzip_types index proxy_cache_bypass
hsl 1+ - proxy_cache_methods proxy_cache_use_stale proxy_cache_valid proxy_ignore_headers proxy_no_cache sub_filter_types
hsl 12 - disable_symlinks keepalive_disable modern_browser open_file_cache proxy_cookie_domain proxy_cookie_path proxy_redirect
hsl 123 - limit_req proxy_store_access
hsl 1234 - client_body_temp_path proxy_cookie_flags proxy_temp_path
hsl 2 - auth_request_set gunzip_buffers gzip_buffers output_buffers proxy_buffers proxy_set_header sub_filter
hslHS 1 - limit_conn_log_level proxy_ssl_certificate proxy_ssl_certificate_key proxy_ssl_ciphers proxy_ssl_crl proxy_ssl_name
hslHS 1 - proxy_ssl_password_file proxy_ssl_trusted_certificate set_real_ip_from
hslHS 1 flag limit_conn_dry_run proxy_socket_keepalive proxy_ssl_server_name proxy_ssl_session_reuse proxy_ssl_verify
hslHS 1 flag tcp_nodelay
hslHS 1 n proxy_next_upstream_tries proxy_ssl_verify_depth
hslHS 1 t proxy_buffer_size proxy_connect_timeout proxy_next_upstream_timeout resolver_timeout
hslHS 1+ - proxy_next_upstream proxy_ssl_protocols resolver
hslHS 12 - proxy_bind
hslHS 1234 - open_log_file_cache
hslHS 2 - limit_conn proxy_ssl_conf_command
hslI 1 - charset limit_rate post_action root source_charset
hslI 1 flag gzip override_charset sendfile ssi
hslI 1 t limit_rate_after
hslI 12 - expires
hslI 2+ - error_page
hslI 23 - add_header add_trailer
hslILHS 1+ - access_log
hslL 1 - auth_basic auth_basic_user_file
hslLHS 1 - allow deny
hslu 1 n keepalive_requests
hslu 1 t keepalive_time
hslu 12 t keepalive_timeout
huHU any block server
l 0 - empty_gif internal
l 1 - alias
l 1 flag random_index
l 1+ block limit_except
lILS 1 - proxy_pass
m 0 block events http stream
m 1 - debug_points env load_module lock_file pid ssl_engine worker_processes working_directory
m 1 flag daemon master_process pcre_jit
m 1 n worker_priority worker_rlimit_nofile
m 1 t timer_resolution worker_rlimit_core worker_shutdown_timeout
m 1+ - worker_cpu_affinity
m 12 - user
m 23 - thread_pool
mehsilILuHSU 1 - include
mhslHS 1+ - error_log
s 1+ - server_name
sS 1+ - listen
silI 0 - break
silI 23 - rewrite
silIS 12 - return
silIS 2 - set
sl 01 - stub_status
sl 1 n referer_hash_bucket_size referer_hash_max_size
sl 1+ - valid_referers
sl 1+ block if
sl 12 block location
sl 2+ - try_files
u 0 - ip_hash
u 12 - keepalive
uU 0 - least_conn
uU 012 - random
uU 12 - hash zone
`;

type Kind = 'block' | 'flag' | 't' | 'n' | '-';

interface Row {
  blocks: string;
  counts: string;
  kind: Kind;
}

const rows = new Map<string, Row>();
for (const line of TABLE.trim().split('\n')) {
  const [blocks, counts, kind, ...names] = line.split(' ');
  for (const name of names) rows.set(name, { blocks, counts, kind: kind as Kind });
}

/** Servers behind other protocols: nginx takes these directives, podnet has nothing that could answer. */
const FOREIGN = /^(fastcgi|uwsgi|scgi|memcached|grpc|dav|ssi|userid|mp4|flv|perl|xslt|image_filter)_?/;

/** What podnet acts on. */
const ACTED = new Set(
  (
    'http events stream server location upstream types if map geo split_clients limit_except include listen server_name root alias index ' +
    'return rewrite set break try_files error_page internal default_type charset add_header expires etag if_modified_since server_tokens ' +
    'autoindex absolute_redirect port_in_redirect server_name_in_redirect client_max_body_size ' +
    'keepalive_timeout log_not_found access_log error_log log_format allow deny satisfy auth_basic auth_basic_user_file ' +
    'auth_request auth_request_set limit_req limit_req_zone limit_req_status limit_conn limit_conn_zone limit_conn_status stub_status ' +
    'proxy_pass proxy_set_header proxy_http_version proxy_redirect proxy_hide_header proxy_pass_header proxy_connect_timeout ' +
    'proxy_read_timeout proxy_next_upstream proxy_next_upstream_tries proxy_intercept_errors proxy_method proxy_set_body ' +
    'proxy_pass_request_headers proxy_pass_request_body proxy_ssl_server_name proxy_ssl_name proxy_timeout ' +
    'resolver resolver_timeout zone least_conn ip_hash hash random sub_filter sub_filter_once sub_filter_types ' +
    'set_real_ip_from real_ip_header real_ip_recursive ssl_certificate ssl_certificate_key http2 user merge_slashes'
  ).split(' '),
);

/** What changes nothing that anybody outside could see: buffers, files, workers, strength of encryption. */
const QUIET =
  /_(buffers?|buffer_size|buffering|hash_bucket_size|hash_max_size|temp_path|temp_file_write_size|pool_size|log_level|socket_keepalive)$|^(worker_|accept_|open_file_cache|open_log_file_cache|gzip_|lingering_|ssl_(protocols|ciphers|prefer|session|dhparam|ecdh|stapling|buffer|trusted|early|conf|handshake)|proxy_ssl_(protocols|ciphers|session|verify_depth|trusted)|http2_|postpone|output|directio|aio|read_ahead|sendfile|tcp_|send_|use$|multi_accept|daemon|master_process|pid|lock_file|load_module|env|pcre_jit|thread_pool|timer_resolution|working_directory|debug_|epoll_|reset_timedout|client_(body|header)_|large_client|variables_|types_|underscores_in|ignore_invalid|max_ranges|msie_|keepalive$|keepalive_time$|keepalive_disable|rewrite_log|uninitialized|recursive_error|proxy_(send_timeout|busy|max_temp|ignore_client|force_ranges|request_buffering|cache_|no_cache|send_lowat|headers_hash|next_upstream_timeout|half_close|ssl_verify)|log_subrequest|limit_rate|keepalive_requests|proxy_(requests|responses)|chunked_transfer|preread_|ssl_engine|disable_symlinks)/;

export type Treatment = 'acted' | 'quiet' | 'kept' | 'refused';

/** For the support matrix: names of every directive that is treated so. */
export const directivesThat = (are: Treatment): string[] => [...rows.keys()].filter(name => treatment(name, 'on') === are);

/** What podnet makes of a directive that nginx takes. kept: it changes nothing here, and nginx would have done something. */
export function treatment(name: string, value: string | undefined): Treatment {
  if (name === 'ssl_preread' && value === 'on') return 'refused';
  if (FOREIGN.test(name)) return name.endsWith('_pass') ? 'refused' : 'quiet';
  return ACTED.has(name) ? 'acted' : value === 'off' || QUIET.test(name) ? 'quiet' : 'kept';
}

/** Blocks whose lines are no directives. */
const FREE_FORM = new Set(['types', 'map', 'geo', 'split_clients', 'charset_map']);

/** The block's letter for what stands inside `name`; null: anything may. */
export function blockInside(name: string, block: string): string | null {
  if (FREE_FORM.has(name)) return null;
  const stream = 'HSU'.includes(block);
  const letters: Record<string, string> = { events: 'e', http: 'h', stream: 'H', location: 'l', limit_except: 'L' };
  if (name === 'server') return stream ? 'S' : 's';
  if (name === 'upstream') return stream ? 'U' : 'u';
  if (name === 'if') return block === 's' ? 'i' : 'I';
  return letters[name] ?? block;
}

const TIME_OR_SIZE = /^-?(\d+[smhdwMykKgG]?|(\d+(ms|[smhdwMy])\s*)+)$/;

/** Directives that take one of a few words. */
const WORDS: Record<string, string[]> = {
  satisfy: ['all', 'any'],
  proxy_http_version: ['1.0', '1.1', '2'],
  server_tokens: ['on', 'off', 'build'],
  if_modified_since: ['off', 'exact', 'before'],
  ssl_verify_client: ['off', 'on', 'optional', 'optional_no_ca'],
  gzip_static: ['off', 'on', 'always'],
  lingering_close: ['off', 'on', 'always'],
  client_body_in_file_only: ['off', 'on', 'clean'],
  autoindex_format: ['html', 'json', 'jsonp', 'xml'],
};

/** What is wrong with the values of directives that have rules of their own; the place is added by the caller. */
function valueMistake(d: Directive): string | null {
  const [value, second] = d.args;
  const words = WORDS[d.name];
  if (words && !words.includes(value)) return `invalid value "${value}"`;
  switch (d.name) {
    case 'expires': {
      const time = value === 'modified' ? (second ?? '') : value;
      return /^(off|epoch|max|@?[-+]?\d+(ms|[smhdwMy])?.*)$/.test(time) || time.includes('$') ? null : '"expires" directive invalid value';
    }
    case 'limit_conn':
      return /^[1-9]\d*$/.test(second) ? null : `invalid number of connections "${second}"`;
    case 'limit_req_status':
    case 'limit_conn_status':
      return Number(value) >= 400 && Number(value) <= 599 ? null : 'value must be between 400 and 599';
    case 'error_page': {
      const codes = d.args.slice(0, -1);
      const change = codes.find(c => c.startsWith('='));
      if (change !== undefined && !/^=\d*$/.test(change)) return `invalid value "${change}"`;
      const code = codes.find(c => c !== change && !(/^\d+$/.test(c) && Number(c) >= 300 && Number(c) <= 599));
      if (code === undefined) return null;
      return /^\d+$/.test(code) ? `value "${code}" must be between 300 and 599` : `invalid value "${code}"`;
    }
    default:
      return null;
  }
}

function takes(counts: string, given: number): boolean {
  if (counts === 'any') return true;
  const least = /^(\d)\+$/.exec(counts);
  return least ? given >= Number(least[1]) : counts.includes(String(given));
}

/** What nginx says against a directive of this block (src/core/ngx_conf_file.c ngx_conf_handler), or null. `opens`: a `{` follows. */
export function mistake(d: Directive, block: string, opens: boolean): string | null {
  const at = `in ${d.file}:${d.line}`;
  const row = rows.get(d.name) ?? (FOREIGN.test(d.name) ? { blocks: 'hsliILu', counts: 'any', kind: '-' as Kind } : undefined);
  // In an upstream, `server` is one of its members and no block.
  const member = d.name === 'server' && 'uU'.includes(block);
  if (!row) return `unknown directive "${d.name}" ${at}`;
  if (!row.blocks.includes(block)) return `"${d.name}" directive is not allowed here ${at}`;
  const isBlock = row.kind === 'block' && !member;
  if (isBlock && !opens) return `directive "${d.name}" has no opening "{" ${at}`;
  if (!isBlock && opens) return `directive "${d.name}" is not terminated by ";" ${at}`;
  const counts = member ? '1+' : d.name === 'server' ? '0' : row.counts;
  if (!takes(counts, d.args.length)) return `invalid number of arguments in "${d.name}" directive ${at}`;
  const [value] = d.args;
  if (row.kind === 'flag' && value !== 'on' && value !== 'off')
    return `invalid value "${value}" in "${d.name}" directive, it must be "on" or "off" ${at}`;
  if (row.kind === 'n' && !/^\d+$/.test(value)) return `"${d.name}" directive invalid number ${at}`;
  if (row.kind === 't' && !TIME_OR_SIZE.test(value) && value !== 'off' && !value.includes('$'))
    return `"${d.name}" directive invalid value ${at}`;
  const bad = valueMistake(d);
  if (bad) return `${bad} ${at}`;
  return treatment(d.name, value) === 'refused' ? `podnet does not model "${d.name}" ${at}` : null;
}

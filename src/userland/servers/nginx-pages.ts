// nginx's built-in error pages (src/http/ngx_http_special_response.c): CR LF, and padding for old browsers is not sent to others.
import type { Reply } from '../http-server.ts';
import { hostOf, isOn, type Scope, setting } from './nginx-scope.ts';

/** A reply on its way out. `special`: error_page may have something to say about it. */
export type Answer = Reply & { special?: boolean };

const TITLES: Record<number, string> = {
  301: '301 Moved Permanently',
  302: '302 Found',
  303: '303 See Other',
  307: '307 Temporary Redirect',
  308: '308 Permanent Redirect',
  400: '400 Bad Request',
  401: '401 Authorization Required',
  402: '402 Payment Required',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Not Allowed',
  406: '406 Not Acceptable',
  408: '408 Request Time-out',
  409: '409 Conflict',
  410: '410 Gone',
  411: '411 Length Required',
  412: '412 Precondition Failed',
  413: '413 Request Entity Too Large',
  414: '414 Request-URI Too Large',
  415: '415 Unsupported Media Type',
  416: '416 Requested Range Not Satisfiable',
  421: '421 Misdirected Request',
  429: '429 Too Many Requests',
  500: '500 Internal Server Error',
  501: '501 Not Implemented',
  502: '502 Bad Gateway',
  503: '503 Service Temporarily Unavailable',
  504: '504 Gateway Time-out',
  505: '505 HTTP Version Not Supported',
  507: '507 Insufficient Storage',
};

/** The reason phrase of nginx's status line, which differs from the page's title for a few; a status it has no words for gets none. */
export function errorText(status: number): string {
  const own: Record<number, string> = {
    200: 'OK',
    201: 'Created',
    202: 'Accepted',
    204: 'No Content',
    206: 'Partial Content',
    302: 'Moved Temporarily',
    303: 'See Other',
    304: 'Not Modified',
    401: 'Unauthorized',
    405: 'Not Allowed',
  };
  return own[status] ?? TITLES[status]?.slice(4) ?? '';
}

export function errorPage(status: number, version: string): string {
  const title = TITLES[status];
  if (!title) return '';
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx${version ? `/${version}` : ''}</center>\r\n</body>\r\n</html>\r\n`;
}

const TO_TLS_PORT = '400 The plain HTTP request was sent to HTTPS port';

/** Who speaks plain HTTP to a port of TLS. `version` '': server_tokens off. */
export function plainToTls(version: string): Reply {
  const text = errorPage(400, version)
    .replace('<title>400 Bad Request</title>', `<title>${TO_TLS_PORT}</title>`)
    .replace(
      '<h1>400 Bad Request</h1></center>',
      '<h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>',
    );
  return { status: 400, reason: 'Bad Request', headers: [['Content-Type', 'text/html']], body: text, close: true };
}

/** Statuses after which nginx does not trust what else comes on the connection. */
export const CLOSING = new Set([400, 413, 414, 494, 495, 496, 497, 500, 501]);

export function errorAnswer(s: Scope, status: number): Answer {
  if (!TITLES[status]) return { status, reason: '', headers: [], body: '', special: true };
  const shown = setting(s, 'server_tokens')?.args[0] === 'off' ? '' : s.n.version;
  return {
    status,
    reason: errorText(status),
    headers: [['Content-Type', 'text/html']],
    body: errorPage(status, shown),
    special: true,
    ...(CLOSING.has(status) ? { close: true } : {}),
  };
}

/** nginx makes a path absolute: with the name that was asked for, and the port where it is not the usual one. */
export function absoluteUrl(s: Scope, target: string): string {
  if (!target.startsWith('/') || setting(s, 'absolute_redirect')?.args[0] === 'off') return target;
  s.ownLocation = true;
  const named = isOn(s, 'server_name_in_redirect') ? s.server.names[0] : hostOf(s.req);
  const port = s.req.localPort;
  const shows = setting(s, 'port_in_redirect')?.args[0] !== 'off' && port !== (s.ssl ? 443 : 80);
  return `${s.ssl ? 'https' : 'http'}://${named || s.n.hostname}${shows ? `:${port}` : ''}${target}`;
}

export function redirectTo(s: Scope, status: number, target: string): Answer {
  const page = errorAnswer(s, status);
  return { ...page, headers: [...(page.headers ?? []), ['Location', absoluteUrl(s, target)]] };
}

/** The type of a path's extension, with the charset that is added to texts. */
export function typeOf(s: Scope, path: string): string {
  const ext = /\.([^./]+)$/.exec(path)?.[1].toLowerCase();
  const type = (ext && s.n.mime.get(ext)) ?? setting(s, 'default_type')?.args[0] ?? 'text/plain';
  const charset = setting(s, 'charset')?.args[0];
  return charset && charset !== 'off' && type.startsWith('text/') ? `${type}; charset=${charset}` : type;
}

/** The second word of `return`: error_page has no part in it. */
export const textAnswer = (s: Scope, status: number, body: string): Answer => ({
  status,
  reason: errorText(status),
  headers: [['Content-Type', typeOf(s, s.path)]],
  body,
});

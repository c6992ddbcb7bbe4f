// httpbin's /status: codes that come with more than themselves (httpbin/helpers.py status_code, 0.9).
import { nextFloat, type Random } from '../../sim/random.ts';
import type { Reply } from '../http-server.ts';

const TEAPOT = [
  '',
  '    -=[ teapot ]=-',
  '',
  '       _...._',
  "     .'  _ _ `.",
  '    | ."` ^ `". _,',
  '    \\_;`"---"`|//',
  '      |       ;/',
  '      \\_     _/',
  '        `"""`',
  '',
].join('\n');

const MOVED: Partial<Reply> = { headers: [['Location', '/redirect/1']] };

const STATUSES: Record<number, Partial<Reply>> = {
  301: MOVED,
  302: MOVED,
  303: MOVED,
  305: MOVED,
  307: MOVED,
  401: { headers: [['WWW-Authenticate', 'Basic realm="Fake Realm"']] },
  407: { headers: [['Proxy-Authenticate', 'Basic realm="Fake Realm"']] },
  418: { headers: [['x-more-info', 'http://tools.ietf.org/html/rfc2324']], body: TEAPOT },
};

/** `codes`: one, or by weight one of several (`200:3,500`). */
export function statusReply(random: Random, codes: string): Reply {
  const choices = codes.split(',').map(c => ({ code: Number(c.split(':')[0]), weight: Number(c.split(':')[1] ?? 1) }));
  if (choices.some(c => !Number.isInteger(c.code) || c.code < 100)) return { status: 400, body: 'Invalid status code' };
  let at = choices.length > 1 ? nextFloat(random) * choices.reduce((n, c) => n + c.weight, 0) : 0;
  const { code } = choices.find(c => (at -= c.weight) < 0) ?? choices[0];
  const { headers = [], body = '' } = STATUSES[code] ?? {};
  return { status: code, headers: [['Content-Type', 'text/html; charset=utf-8'], ...headers], body };
}

// Who may: limit_conn, limit_req, allow and deny, auth_basic, auth_request (src/http/modules/ngx_http_{limit_*,access,auth_*}_module.c).
import { absolute } from '../../linux/vfs.ts';
import { bytesToString, unbase64 } from '../../sim/bytes.ts';
import { type Co, sleep } from '../../sim/task.ts';
import { familyOf, type Ip, inCidr, parseCidr, parseIp } from '../../wire/ip.ts';
import { header } from '../http.ts';
import { readText } from './daemon.ts';
import { authorized } from './htpasswd.ts';
import type { Directive } from './nginx-directives.ts';
import { requestLog } from './nginx-log.ts';
import { type Answer, errorAnswer } from './nginx-pages.ts';
import { all, plain, type Scope, setting, settings } from './nginx-scope.ts';
import { expand } from './nginx-variables.ts';

const option = (words: string[], name: string): string | undefined => words.find(w => w.startsWith(`${name}=`))?.slice(name.length + 1);

/** Open connections and the leaky bucket; waits where a burst is let through slowly. */
export function* limited(s: Scope): Co<Answer | null> {
  for (const d of settings(s, 'limit_conn')) {
    const zone = s.n.zones.get(d.args[0]);
    const key = zone ? expand(s, zone.key) : '';
    if (!zone || !key) continue;
    const open = zone.open.get(key) ?? 0;
    if (open >= Number(d.args[1])) {
      requestLog(s, 'error', `limiting connections by zone "${d.args[0]}"`);
      return errorAnswer(s, Number(setting(s, 'limit_conn_status')?.args[0] ?? 503));
    }
    zone.open.set(key, open + 1);
    s.release.push(() => zone.open.set(key, (zone.open.get(key) ?? 1) - 1));
  }
  for (const d of settings(s, 'limit_req')) {
    const refused = yield* limitedRate(s, d.args);
    if (refused) return refused;
  }
  return null;
}

/** ngx_http_limit_req_lookup: excess is counted in thousandths of a request. */
function* limitedRate(s: Scope, words: string[]): Co<Answer | null> {
  const name = option(words, 'zone') ?? '';
  const zone = s.n.zones.get(name);
  const key = zone ? expand(s, zone.key) : '';
  if (!zone || !key) return null;
  const { nowMs } = s.n.p.kernel.sim;
  const known = zone.states.get(key);
  const excess = known ? Math.max(0, known.excess - Math.floor((zone.rate * Math.floor(Math.abs(nowMs - known.atMs))) / 1000) + 1000) : 0;
  const shown = () => `${Math.floor(excess / 1000)}.${String(excess % 1000).padStart(3, '0')} by zone "${name}"`;
  if (excess > Number(option(words, 'burst') ?? 0) * 1000) {
    requestLog(s, 'error', `limiting requests, excess: ${shown()}`);
    return errorAnswer(s, Number(setting(s, 'limit_req_status')?.args[0] ?? 503));
  }
  zone.states.set(key, { excess, atMs: nowMs });
  const undelayed = words.includes('nodelay') ? Number.POSITIVE_INFINITY : Number(option(words, 'delay') ?? 0) * 1000;
  if (excess > undelayed) {
    requestLog(s, 'warn', `delaying request, excess: ${shown()}`);
    yield* sleep(s.n.p.kernel.sim, Math.floor(((excess - undelayed) * 1000) / zone.rate));
  }
  return null;
}

/** Is this an address, a network or `all` that takes the client in? */
export function covers(rule: string, client: Ip): boolean {
  if (rule === 'all') return true;
  const net = parseCidr(rule.includes('/') ? rule : `${rule}/${rule.includes(':') ? 128 : 32}`);
  return net !== null && familyOf(net.ip) === familyOf(client) && inCidr(net, client);
}

const addressRules = (s: Scope): Directive[] =>
  s.levels.map(level => level.filter(d => d.name === 'allow' || d.name === 'deny')).find(list => list.length) ?? [];

/** The first of the rules that takes the client in decides. */
export function byAddress(s: Scope, list: Directive[]): Answer | null {
  const rules = list.filter(d => d.name === 'allow' || d.name === 'deny');
  const client = s.realIp ?? plain(s.req.remote);
  if (rules.find(d => covers(d.args[0], client))?.name !== 'deny') return null;
  requestLog(s, 'error', 'access forbidden by rule');
  return errorAnswer(s, 403);
}

function byPassword(s: Scope): Answer | null {
  const realm = setting(s, 'auth_basic');
  const file = setting(s, 'auth_basic_user_file');
  if (!realm || realm.args[0] === 'off' || !file) return null;
  const path = absolute(expand(s, file.args[0]), '/etc/nginx');
  const asks: Answer = errorAnswer(s, 401);
  asks.headers = [...(asks.headers ?? []), ['WWW-Authenticate', `Basic realm="${expand(s, realm.args[0])}"`]];
  const given = header(s.req.headers, 'Authorization');
  const word = /^Basic\s+(\S+)$/i.exec(given ?? '')?.[1];
  const name = bytesToString(unbase64(word ?? '') ?? new Uint8Array(0)).split(':')[0];
  if (given === undefined) {
    requestLog(s, 'info', 'no user/password was provided for basic authentication');
    return asks;
  }
  const text = readText(s.n.p, path);
  if (text === null) {
    requestLog(s, 'error', `open() "${path}" failed (2: No such file or directory)`);
    return errorAnswer(s, 403);
  }
  const users = new Map(
    text
      .split('\n')
      .filter(line => line.includes(':') && !line.startsWith('#'))
      .map(
        line =>
          [
            line.slice(0, line.indexOf(':')),
            line
              .slice(line.indexOf(':') + 1)
              .split(':')[0]
              .trim(),
          ] as [string, string],
      ),
  );
  const stored = users.get(name);
  s.user = name;
  // Whatever has no prefix goes to crypt(3), which no plain text comes out of.
  if (stored !== undefined && /^(\$apr1\$|\{SHA\}|\{PLAIN\})/.test(stored) && authorized(users, given)) return null;
  requestLog(s, 'error', stored === undefined ? `user "${name}" was not found in "${path}"` : `user "${name}": password mismatch`);
  return asks;
}

/** Ask another location first: what it answers decides. */
function* byRequest(s: Scope, subrequest: (s: Scope, uri: string) => Co<{ answer: Answer; scope: Scope }>): Co<Answer | null> {
  const d = setting(s, 'auth_request');
  if (!d || d.args[0] === 'off') return null;
  const { answer, scope } = yield* subrequest(s, expand(s, d.args[0]));
  for (const set of s.levels.flatMap(level => all(level, 'auth_request_set'))) s.vars.set(set.args[0].slice(1), expand(scope, set.args[1]));
  if (answer.status >= 200 && answer.status < 300) return null;
  if (answer.status === 403) return errorAnswer(s, 403);
  if (answer.status === 401) {
    const asks = header(answer.headers ?? [], 'WWW-Authenticate');
    const refused = errorAnswer(s, 401);
    return asks === undefined ? refused : { ...refused, headers: [...(refused.headers ?? []), ['WWW-Authenticate', asks]] };
  }
  requestLog(s, 'error', `auth request unexpected status: ${answer.status} while sending to client`);
  return errorAnswer(s, 500);
}

export function* refused(s: Scope, subrequest: Parameters<typeof byRequest>[1]): Co<Answer | null> {
  const any = setting(s, 'satisfy')?.args[0] === 'any';
  const rules = addressRules(s);
  const first = byAddress(s, rules);
  if (any && rules.length && !first) return null;
  if (first && !any) return first;
  const second = byPassword(s) ?? (yield* byRequest(s, subrequest));
  if (any && !second && (setting(s, 'auth_basic') || setting(s, 'auth_request'))) return null;
  return second ?? first;
}

/** ngx_http_realip: the address that a trusted proxy names. */
export function realIp(s: Scope): Ip | null {
  const trusted = settings(s, 'set_real_ip_from').map(d => d.args[0]);
  const from = plain(s.req.remote);
  if (!trusted.some(net => covers(net, from))) return null;
  const name = setting(s, 'real_ip_header')?.args[0] ?? 'X-Real-IP';
  const list = (header(s.req.headers, name) ?? '').split(/\s*,\s*/).filter(Boolean);
  if (setting(s, 'real_ip_recursive')?.args[0] !== 'on') return parseIp(list.at(-1) ?? '');
  const outer = list.map(a => parseIp(a)).filter(a => a !== null);
  return outer.findLast(a => !trusted.some(net => covers(net, a))) ?? outer[0] ?? null;
}

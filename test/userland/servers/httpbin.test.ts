import { expect, test } from 'vitest';
import { curl } from '../../../src/userland/net/curl.ts';
import { httpbin } from '../../../src/userland/servers/httpbin.ts';
import { DEBIAN_13, run, start, twoHosts } from '../hosts.ts';

function bin() {
  const h = twoHosts();
  start(h, h.server, httpbin(DEBIAN_13), ['gunicorn', '-b', '0.0.0.0:80']);
  return (words: string) => run(h, curl, `curl -s ${words}`, { u: DEBIAN_13 }).out;
}

test('hides what proxies add, unless it is asked for, and believes it', () => {
  const get = bin();
  const via = '-H X-Forwarded-For:9.9.9.9 -H X-Request-Id:7 -H X-Forwarded-Proto:https -H X-Own:1';
  const shown = JSON.parse(get(`${via} http://server/get`));
  expect(shown.headers).toEqual({ Accept: '*/*', Host: 'server', 'User-Agent': 'curl/8.14.1', 'X-Own': '1' });
  expect([shown.origin, shown.url]).toEqual(['9.9.9.9', 'https://server/get']);
  expect(JSON.parse(get(`${via} http://server/headers?show_env=1`)).headers).toMatchObject({ 'X-Request-Id': '7' });
});

test('codes come with what belongs to them', () => {
  const get = bin();
  expect(get('http://server/status/418')).toContain('-=[ teapot ]=-');
  expect(get('-o /dev/null -w %{http_code},%{redirect_url} http://server/status/302')).toBe('302,http://server/redirect/1');
  expect(get('-w %{http_code} http://server/status/nine')).toBe('Invalid status code400');
  const codes = new Set(Array.from({ length: 12 }, () => get('-o /dev/null -w %{http_code} http://server/status/200,503')));
  expect([...codes].sort()).toEqual(['200', '503']);
});

test('takes the parts of a form', () => {
  const get = bin();
  expect(JSON.parse(get('-F colour=red -F size=2 http://server/post'))).toMatchObject({
    data: '',
    form: { colour: 'red', size: '2' },
    files: {},
  });
});

test('what is no HTTP is a bad request', () => {
  const get = bin();
  expect(get('-X "G{T" -w %{http_code} http://server/')).toContain('400');
});

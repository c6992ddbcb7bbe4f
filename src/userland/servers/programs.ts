import type { Program } from '../../linux/types.ts';
import type { Co } from '../../sim/task.ts';
import type { ProgramTable } from '../programs.ts';
import { python } from '../python/program.ts';
import type { Userland } from '../userland.ts';
import { agnhost, serveHostnameProgram } from './agnhost.ts';
import { bookinfoDetails, bookinfoProductpage, bookinfoRatings, bookinfoReviews } from './bookinfo.ts';
import { untilSignal } from './daemon.ts';
import {
  cassandra,
  consul,
  elasticsearch,
  memcached,
  mongod,
  mysql,
  mysqlClient,
  natsServer,
  pgIsready,
  postgres,
  psql,
  rabbitmq,
  zkServer,
} from './databases.ts';
import { echoServer, echoserver, helloApp, helloGo, helloKubernetes, helloNode, httpEcho, whereami, whoami } from './echo.ts';
import { frontPage, goHttpbin, httpbin, podinfo } from './httpbin.ts';
import { httpd } from './httpd.ts';
import { nginx } from './nginx.ts';
import { pilotAgentTool } from './pilot-agent.ts';
import { redisServer } from './redis.ts';
import { redisCli } from './redis-cli.ts';
import { tcpEcho } from './tcp-echo.ts';
import { echoBasic, mysqlWebApp } from './web-apps.ts';

const pause = (_u: Userland): Program =>
  function* (p): Co<number> {
    return yield* untilSignal(p, { TERM: 0, INT: 0 });
  };

const html = 'text/html; charset=UTF-8';
const php = (u: Userland): Program => frontPage(80, 'Apache/2.4.65 (Debian)', html, '')(u);

const GUESTBOOK = '<html>\n  <head>\n    <title>Guestbook</title>\n  </head>\n  <body>\n    <h2>Guestbook</h2>\n  </body>\n</html>\n';

/** Servers that images start: package, directory, programs. */
export const SERVER_PROGRAMS: ProgramTable = [
  ['nginx', '/usr/sbin', { nginx }],
  ['httpd', '/usr/local/bin', { 'httpd-foreground': httpd, httpd }],
  ['http-echo', '/', { 'http-echo': httpEcho }],
  ['agnhost', '/', { agnhost }],
  ['serve-hostname', '/', { serve_hostname: serveHostnameProgram }],
  ['echoserver', '/usr/local/bin', { 'run.sh': echoserver(8080) }],
  ['e2e-test-echo', '/usr/local/bin', { 'run.sh': echoserver(80) }],
  ['hello-go', '/', { app: helloGo }],
  ['echo-server', '/bin', { 'echo-server': echoServer }],
  ['hello-app', '/', { 'hello-app': helloApp }],
  ['whereami', '/', { whereami }],
  ['hello-node', '/usr/local/bin', { node: helloNode(() => 'Hello Kubernetes!', 8080) }],
  ['hello-world-node', '/usr/local/bin', { node: helloNode(() => 'Hello World', 3000) }],
  ['simpleapp', '/usr/local/bin', { node: helloNode(name => `Hello world from ${name} and version 2.0\n`, 8080) }],
  ['echo-basic', '/', { 'echo-basic': echoBasic }],
  ['mysql-web-app', '/usr/local/bin', { node: mysqlWebApp }],
  ['whoami', '/', { whoami }],
  ['hello-kubernetes', '/usr/local/bin', { node: helloKubernetes }],
  ['httpbin', '/usr/local/bin', { gunicorn: httpbin }],
  ['go-httpbin', '/bin', { 'go-httpbin': goHttpbin }],
  ['podinfo', '/', { podinfo }],
  ['python', '/usr/local/bin', { python3: python, python }],
  ['bookinfo-details', '/usr/local/bin', { ruby: bookinfoDetails }],
  ['bookinfo-ratings', '/usr/local/bin', { node: bookinfoRatings }],
  ['bookinfo-reviews', '/opt/ol/wlp/bin', { server: bookinfoReviews }],
  ['bookinfo-productpage', '/usr/local/bin', { gunicorn: bookinfoProductpage }],
  ['tcp-echo', '/bin', { 'tcp-echo': tcpEcho }],
  ['caddy', '/usr/bin', { caddy: frontPage(80, 'Caddy', html, 'Caddy works!\n') }],
  ['tomcat', '/usr/local/bin', { 'catalina.sh': frontPage(8080, 'Apache-Coyote/1.1', html, '') }],
  ['guestbook', '/usr/local/bin', { 'apache2-foreground': frontPage(80, 'Apache/2.4.65 (Debian)', html, GUESTBOOK) }],
  ['wordpress', '/usr/local/bin', { 'apache2-foreground': php }],
  ['php-apache', '/usr/local/bin', { 'apache2-foreground': php }],
  ['ghost', '/usr/local/bin', { node: frontPage(2368, 'Ghost', html, '') }],
  ['redis', '/usr/local/bin', { 'redis-server': redisServer, 'redis-cli': redisCli, 'valkey-server': redisServer, 'valkey-cli': redisCli }],
  ['postgres', '/usr/local/bin', { postgres, psql, pg_isready: pgIsready }],
  ['mysql', '/usr/local/bin', { mysqld: mysql, mariadbd: mysql, mysql: mysqlClient, mariadb: mysqlClient }],
  ['mongo', '/usr/local/bin', { mongod }],
  ['memcached', '/usr/local/bin', { memcached }],
  ['rabbitmq', '/usr/local/bin', { 'rabbitmq-server': rabbitmq }],
  ['nats', '/usr/local/bin', { 'nats-server': natsServer }],
  ['elasticsearch', '/usr/local/bin', { elasticsearch }],
  ['cassandra', '/usr/local/bin', { cassandra }],
  ['zookeeper', '/usr/local/bin', { 'zkServer.sh': zkServer }],
  ['consul', '/usr/local/bin', { consul }],
  ['pilot-agent', '/usr/local/bin', { 'pilot-agent': pilotAgentTool }],
  ['pilot-discovery', '/usr/local/bin', { 'pilot-discovery': pause }],
  ['pause', '/', { pause }],
];

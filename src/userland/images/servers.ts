// Images whose point is what they serve. Their programs are rows of servers/programs.ts, by package.
import { ALPINE, DEBIAN_12, DEBIAN_13, SCRATCH, type Userland } from '../userland.ts';
import { alpineUserland, GNU, image } from './base.ts';
import { databaseEntrypoint, dockerEntrypoint, exec } from './entrypoints.ts';
import { APACHE_CONF, APACHE_INDEX, nginxFiles, nginxVersion } from './nginx.ts';
import type { Image, ImageRow, Reference } from './types.ts';

const ALPINE_BASE = ['busybox', 'alpine-base', 'apk'];

/** A server that comes as Debian or, with a tag that says so, as Alpine. */
function flavoured(ref: Reference, packages: string[], rest: Partial<Image>, debian: Userland = DEBIAN_12): Image {
  return /alpine/.test(ref.tag)
    ? image(ref, alpineUserland(ref.tag), { ...rest, packages: [...ALPINE_BASE, ...packages, ...(rest.packages ?? [])] })
    : image(ref, debian, { ...rest, packages: [...GNU, ...packages, ...(rest.packages ?? [])] });
}

function nginx(ref: Reference): Image {
  const version = nginxVersion(ref.tag);
  const unprivileged = /unprivileged/.test(ref.repository);
  const port = unprivileged ? 8080 : 80;
  return flavoured(
    ref,
    ['nginx', 'curl', 'gettext-base'],
    {
      entrypoint: ['/docker-entrypoint.sh'],
      cmd: ['nginx', '-g', 'daemon off;'],
      ports: [port],
      user: unprivileged ? '101' : '',
      env: { NGINX_VERSION: version },
      files: nginxFiles(version, port),
      programs: { '/docker-entrypoint.sh': dockerEntrypoint },
      sizeBytes: 59_000_000,
    },
    /^1\.2[0-8]\b/.test(ref.tag) ? DEBIAN_12 : DEBIAN_13,
  );
}

/** One static binary and nothing else: no shell in it. */
const binary = (match: string | RegExp, pkg: string, entrypoint: string[], ports: number[], rest: Partial<Image> = {}): ImageRow => ({
  match,
  make: ref => image(ref, SCRATCH, { packages: [pkg], entrypoint, ports, sizeBytes: 8_000_000, ...rest }),
});

/** A server on Alpine, with BusyBox beside it. */
const onAlpine = (match: string | RegExp, pkg: string, entrypoint: string[], ports: number[], rest: Partial<Image> = {}): ImageRow => ({
  match,
  make: ref => image(ref, ALPINE, { packages: [...ALPINE_BASE, pkg], entrypoint, ports, sizeBytes: 20_000_000, ...rest }),
});

const onDebian = (match: string | RegExp, pkg: string, entrypoint: string[], ports: number[], rest: Partial<Image> = {}): ImageRow => ({
  match,
  make: ref => flavoured(ref, [pkg], { entrypoint, ports, sizeBytes: 120_000_000, ...rest }),
});

/** Istio's bookshop: one image for each service and version, the versions of reviews told apart by their environment. */
const bookinfo = (service: string, cmd: string[]): ImageRow => ({
  match: new RegExp(`(^|/)examples-bookinfo-${service}-v[\\w-]+$`),
  make: ref => {
    const version = /-(v\d)[^/]*$/.exec(ref.repository)?.[1] ?? 'v1';
    const rated = service === 'reviews' && version !== 'v1';
    return image(ref, DEBIAN_12, {
      packages: [...GNU, 'curl', `bookinfo-${service}`],
      cmd,
      ports: [9080],
      workdir: '/opt/microservices',
      env: {
        SERVICE_VERSION: version,
        ...(rated ? { ENABLE_RATINGS: 'true', STAR_COLOR: version === 'v3' ? 'red' : 'black' } : {}),
      },
      sizeBytes: 80_000_000,
    });
  },
});

const REGISTRY = /^registry\.k8s\.io\//.source;

const WEB: ImageRow[] = [
  {
    match: /^(library\/nginx|nginxinc\/nginx-unprivileged|bitnami\/nginx)$/,
    tags: /^(latest|1|stable|mainline|alpine|perl|1\.\d|1\.[12]\d|1\.([0-9]|[12]\d)\.\d+|trixie|bookworm)(-(alpine|perl|otel|slim|alpine-slim|alpine3\.\d+|alpine3\.\d+-slim|alpine-perl|bookworm|bullseye|trixie|bookworm-perl|alpine-otel|bookworm-otel|trixie-perl|trixie-otel))?$/,
    make: nginx,
  },
  {
    match: /^(registry\.k8s\.io\/(nginx-slim|nginx)|ghcr\.io\/nginxinc\/nginx-unprivileged|gcr\.io\/google-containers\/nginx)$/,
    make: nginx,
  },
  { match: /^registry\.k8s\.io\/e2e-test-images\/nginx$/, make: nginx },
  // Somebody's own build of nginx: the name says what it is.
  { match: /^[a-z0-9._-]+\/nginx(?!.*(ingress|exporter|gateway|operator))[a-z0-9-]*$/, make: nginx },
  {
    match: /^(library\/httpd|registry\.k8s\.io\/e2e-test-images\/httpd)$/,
    make: ref =>
      flavoured(ref, ['httpd'], {
        cmd: ['httpd-foreground'],
        ports: [80],
        workdir: '/usr/local/apache2',
        env: {
          PATH: '/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          HTTPD_PREFIX: '/usr/local/apache2',
          HTTPD_VERSION: '2.4.65',
        },
        files: { '/usr/local/apache2/htdocs/index.html': APACHE_INDEX, '/usr/local/apache2/conf/httpd.conf': APACHE_CONF },
        sizeBytes: 45_000_000,
      }),
  },
  binary('hashicorp/http-echo', 'http-echo', ['/http-echo'], [5678], { user: '65532:65532' }),
  onAlpine(new RegExp(`${REGISTRY}(e2e-test-images/)?agnhost$|^k8s\\.gcr\\.io/.*agnhost$`), 'agnhost', ['/agnhost'], [], {
    packages: [
      ...ALPINE_BASE,
      'agnhost',
      'bash',
      'curl',
      'bind9-dnsutils',
      'bind9-host',
      'iproute2',
      'netcat-openbsd',
      'iperf',
      'socat',
      'drill',
    ],
    cmd: ['pause'],
    sizeBytes: 52_800_000,
  }),
  onDebian(/(^|\/)serve[_-]hostname$/, 'serve-hostname', ['/serve_hostname'], [9376]),
  onDebian(
    /(^|\/)(google-containers|google_containers|registry\.k8s\.io|gcr\.io)\/echoserver$|^registry\.k8s\.io\/echoserver$/,
    'echoserver',
    ['/usr/local/bin/run.sh'],
    [8080],
  ),
  onAlpine(/(^|\/)ingress-nginx\/e2e-test-echo$/, 'e2e-test-echo', ['/usr/local/bin/run.sh'], [80]),
  onAlpine(/(^|\/)google-samples\/hello-go-gke$/, 'hello-go', ['/app'], [80]),
  {
    match: /(^|\/)google-samples\/hello-frontend$/,
    make: ref =>
      flavoured(ref, ['nginx'], {
        cmd: ['nginx', '-g', 'daemon off;'],
        ports: [80],
        files: { ...nginxFiles('1.14.2', 80), '/etc/nginx/conf.d/default.conf': '', '/etc/nginx/conf.d/frontend.conf': HELLO_FRONTEND },
      }),
  },
  binary(/^(kicbase\/echo-server|jmalloc\/echo-server|ealen\/echo-server)$/, 'echo-server', ['/bin/echo-server'], [8080]),
  onAlpine(/(^|\/)google-samples\/(hello-app|containers\/gke\/hello-app)$/, 'hello-app', ['./hello-app'], [8080]),
  onAlpine(/(^|\/)google-samples\/(whereami|containers\/gke\/whereami)$/, 'whereami', ['./whereami'], [8080]),
  onAlpine(/(^|\/)google-samples\/(node-hello|hello-node)$/, 'hello-node', ['node', 'server.js'], [8080]),
  onAlpine(/(^|\/)nodejs-hello-world$/, 'hello-world-node', ['node', 'app.js'], [3000]),
  onAlpine('dgkanatsios/simpleapp', 'simpleapp', ['node', 'app.js'], [8080]),
  onAlpine('bmuschko/web-app', 'mysql-web-app', ['node', 'app.js'], [3000]),
  binary(/(^|\/)echo-(basic|advanced)$/, 'echo-basic', ['/echo-basic'], [3000]),
  binary(/^(traefik|containous)\/whoami(i)?$/, 'whoami', ['/whoami'], [80]),
  {
    match: 'nginxdemos/hello',
    make: ref => {
      const plain = /plain-text/.test(ref.tag);
      return image(ref, ALPINE, {
        packages: [...ALPINE_BASE, 'nginx', 'curl', 'nginxdemos-hello'],
        entrypoint: ['/docker-entrypoint.sh'],
        cmd: ['nginx', '-g', 'daemon off;'],
        ports: [80],
        files: {
          ...nginxFiles('1.29.3', 80),
          '/etc/nginx/conf.d/default.conf': '',
          '/etc/nginx/conf.d/hello.conf': plain ? HELLO_PLAIN : HELLO_HTML,
        },
        programs: { '/docker-entrypoint.sh': dockerEntrypoint },
      });
    },
  },
  onAlpine(/^paulbouwer\/hello-kubernetes$/, 'hello-kubernetes', ['node', 'server.js'], [8080]),
  onDebian(
    /^(kennethreitz|kong|simonkowallik)\/httpbin$/,
    'httpbin',
    ['gunicorn', '-b', '0.0.0.0:80', 'httpbin:app', '-k', 'gevent'],
    [80],
  ),
  bookinfo('details', ['ruby', 'details.rb', '9080']),
  bookinfo('ratings', ['node', '/opt/microservices/ratings.js', '9080']),
  bookinfo('reviews', ['/opt/ol/wlp/bin/server', 'run', 'defaultServer']),
  bookinfo('productpage', ['gunicorn', '-b', '[::]:9080', 'productpage:app', '-w', '8', '--keep-alive', '2', '-k', 'gevent']),
  onAlpine(/(^|\/)tcp-echo-server$/, 'tcp-echo', ['/bin/tcp-echo'], [9000]),
  binary(/^(ghcr\.io\/)?mccutchen\/go-httpbin$/, 'go-httpbin', ['/bin/go-httpbin'], [8080]),
  binary(/^(stefanprodan|ghcr\.io\/stefanprodan)\/podinfo$/, 'podinfo', ['./podinfo'], [9898]),
  onAlpine('library/caddy', 'caddy', ['caddy', 'run', '--config', '/etc/caddy/Caddyfile'], [80]),
  onDebian('library/tomcat', 'tomcat', ['catalina.sh', 'run'], [8080]),
  onDebian(/(^|\/)google-samples\/(containers\/gke\/)?gb-frontend$/, 'guestbook', ['apache2-foreground'], [80]),
  onDebian('library/wordpress', 'wordpress', ['apache2-foreground'], [80]),
  onDebian('library/ghost', 'ghost', ['node', 'current/index.js'], [2368]),
  onDebian('library/php', 'php-apache', ['apache2-foreground'], [80]),
];

const DATABASES: ImageRow[] = [
  {
    match: /^(library|bitnami)\/(redis|valkey)$|(^|\/)google-samples\/.*gb-redis-follower$/,
    make: ref =>
      flavoured(ref, ['redis'], {
        entrypoint: ['docker-entrypoint.sh'],
        cmd: ['redis-server'],
        ports: [6379],
        workdir: '/data',
        programs: { '/usr/local/bin/docker-entrypoint.sh': exec },
        files: { '/data/': '' },
      }),
  },
  database('library/postgres', 'postgres', ['postgres'], 5432, 'POSTGRES_PASSWORD'),
  database(/^library\/(mysql|mariadb|percona)$/, 'mysql', ['mysqld'], 3306, 'MYSQL_ROOT_PASSWORD'),
  database('library/mongo', 'mongo', ['mongod'], 27017, null),
  database('library/memcached', 'memcached', ['memcached'], 11211, null),
  database('library/rabbitmq', 'rabbitmq', ['rabbitmq-server'], 5672, null),
  database('library/nats', 'nats', ['nats-server'], 4222, null),
  database(
    /^(library\/elasticsearch|docker\.elastic\.co\/elasticsearch\/elasticsearch|opensearchproject\/opensearch)$/,
    'elasticsearch',
    ['elasticsearch'],
    9200,
    null,
  ),
  database('library/cassandra', 'cassandra', ['cassandra'], 9042, null),
  database('library/zookeeper', 'zookeeper', ['zkServer.sh', 'start-foreground'], 2181, null),
  database(/^hashicorp\/(consul|vault)$/, 'consul', ['consul'], 8500, null),
];

function database(match: string | RegExp, pkg: string, cmd: string[], port: number, secret: string | null): ImageRow {
  return {
    match,
    make: ref =>
      flavoured(ref, [pkg], {
        entrypoint: ['docker-entrypoint.sh'],
        cmd,
        ports: [port],
        programs: { '/usr/local/bin/docker-entrypoint.sh': secret ? databaseEntrypoint(secret) : exec },
        sizeBytes: 150_000_000,
      }),
  };
}

/** What kubeadm and the CNIs run: their real programs are components of the simulation, started by who composes. */
const CLUSTER: ImageRow[] = [
  binary(/(^|\/)pause(-(amd64|arm64))?$/, 'pause', ['/pause'], [], { user: '65535:65535', sizeBytes: 320_000, waits: true }),
  binary(/^(registry\.k8s\.io\/coredns\/coredns|registry\.k8s\.io\/coredns|coredns\/coredns)$/, 'coredns', ['/coredns'], [53], {
    user: 'nonroot:nonroot',
  }),
  onDebian(/^registry\.k8s\.io\/kube-(proxy|apiserver|controller-manager|scheduler)$/, 'kube-proxy', [], [], {
    packages: ['iptables', 'iproute2', 'conntrack', 'ipset', 'nftables'],
  }),
  binary(/^registry\.k8s\.io\/etcd$/, 'etcd', ['etcd'], []),
  onDebian(/^(quay\.io\/|docker\.io\/)?(calico|flannel|cilium|weaveworks|kindest|flannel-io)\/.+$/, 'pause', [], [], {
    packages: ['iptables', 'iproute2', 'ipset'],
  }),
  onDebian(/^ghcr\.io\/(flannel-io)\/.+$/, 'pause', [], [], { packages: ['busybox', 'iptables', 'iproute2'] }),
];

/** Of the documentation's two-tier example: everything goes to the Service `hello`. */
const HELLO_FRONTEND = `upstream Backend {
    server hello;
}
server {
    listen 80;
    location / {
        proxy_pass http://Backend;
    }
}
`;

const HELLO_PLAIN = `server {
  listen 80;
  listen [::]:80;
  location / {
    default_type text/plain;
    expires -1;
    return 200 'Server address: $server_addr:$server_port\\nServer name: $hostname\\nDate: $time_local\\nURI: $request_uri\\nRequest ID: $request_id\\n';
  }
}
`;

const HELLO_HTML = `server {
  listen 80;
  listen [::]:80;
  location / {
    default_type text/html;
    expires -1;
    return 200 '<!DOCTYPE html>\\n<html>\\n<head>\\n<title>Hello World</title>\\n</head>\\n<body>\\n<p><span>Server&nbsp;address:</span> <span>$server_addr:$server_port</span></p>\\n<p><span>Server&nbsp;name:</span> <span>$hostname</span></p>\\n<p><span>Date:</span> <span>$time_local</span></p>\\n<p><span>URI:</span> <span>$request_uri</span></p>\\n</body>\\n</html>\\n';
  }
}
`;

export const SERVER_IMAGES: ImageRow[] = [...WEB, ...DATABASES, ...CLUSTER];

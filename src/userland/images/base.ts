// Distributions, tool boxes and language runtimes: what has a shell and not much of a server. Entrypoints are those of the images' Dockerfiles.
import { ALPINE, busyboxUserland, DEBIAN_12, DEBIAN_13, SCRATCH, UBUNTU_24, type Userland } from '../userland.ts';
import type { Image, ImageRow, Reference } from './types.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** An image as its Dockerfile would say it: only what differs from an empty one. */
export function image(ref: Reference, userland: Userland, rest: Partial<Image> = {}): Image {
  const digest = ref.digest ? `@${ref.digest}` : '';
  return {
    name: `${ref.registry}/${ref.repository}${ref.tag ? `:${ref.tag}` : ''}${digest}`,
    userland: { ...userland, tag: ref.tag },
    user: '',
    workdir: '/',
    entrypoint: [],
    cmd: [],
    ports: [],
    files: {},
    programs: {},
    waits: false,
    sizeBytes: 30_000_000,
    ...rest,
    env: { PATH, ...rest.env },
    packages: rest.packages ?? [],
  };
}

/** Debian's and Ubuntu's minimal installation. */
export const GNU = [
  'dash',
  'bash',
  'coreutils',
  'grep',
  'sed',
  'mawk',
  'findutils',
  'diffutils',
  'hostname',
  'tar',
  'gzip',
  'util-linux',
  'login',
  'libc-bin',
  'dpkg',
  'perl-base',
  'apt',
];
/** What a debian image gets beside it. A bare one has no network tools; one that has them is the more useful simulation. */
const DEBIAN_TOOLS = [
  'busybox',
  'procps',
  'curl',
  'wget',
  'bind9-dnsutils',
  'bind9-host',
  'iproute2',
  'iputils-ping',
  'iputils-tracepath',
  'traceroute',
  'mtr-tiny',
  'net-tools',
  'netcat-openbsd',
  'tcpdump',
  'iptables',
  'nftables',
  'ipset',
  'conntrack',
  'ipvsadm',
  'bridge-utils',
  'telnet',
  'socat',
  'jq',
  'ethtool',
  'arping',
  'dnsutils-extra',
];
const ALPINE_BASE = ['busybox', 'alpine-base', 'apk'];

/** BusyBox' generations by tag; without a version: the newest. The plain tag is glibc's since 1.36, uclibc's before. */
function busybox(ref: Reference): Image {
  // Kubernetes' own copies ended long before the newest.
  const newest = /^(registry\.k8s\.io|(k8s\.)?gcr\.io)$/.test(ref.registry) ? 24 : 37;
  const minor = Number(/^1\.(\d+)/.exec(ref.tag)?.[1] ?? newest);
  const libc = /musl/.test(ref.tag) ? 'musl' : /uclibc/.test(ref.tag) ? 'uclibc' : 'glibc';
  return image(ref, busyboxUserland(minor, libc), { packages: ['busybox'], cmd: ['sh'], sizeBytes: 2_223_000 });
}

const alpineRelease = (tag: string) => /^\d+\.\d+/.exec(tag)?.[0] ?? '3.22';

export const alpineUserland = (tag: string): Userland => {
  const release = /alpine(\d+\.\d+)/.exec(tag)?.[1] ?? '3.22';
  return { ...ALPINE, release };
};

/** Images of languages come as Debian (default), -slim and -alpine. */
function runtime(ref: Reference, pkg: string, rest: Partial<Image>): Image {
  if (/alpine/.test(ref.tag)) return image(ref, alpineUserland(ref.tag), { ...rest, packages: [...ALPINE_BASE, pkg] });
  const full = /slim/.test(ref.tag) ? [] : ['procps', 'curl', 'wget', 'netbase'];
  const userland = /bookworm/.test(ref.tag) ? DEBIAN_12 : DEBIAN_13;
  return image(ref, userland, { ...rest, packages: [...GNU, ...full, pkg] });
}

export const debianImage = (ref: Reference): Image =>
  image(ref, /^(1[012]|bookworm|bullseye|oldstable)/.test(ref.tag) ? DEBIAN_12 : DEBIAN_13, {
    packages: [...GNU, ...DEBIAN_TOOLS],
    cmd: ['bash'],
    sizeBytes: 48_500_000,
  });

const NETSHOOT = [
  ...ALPINE_BASE,
  'bash',
  'zsh',
  'coreutils',
  'grep',
  'curl',
  'wget',
  'bind9-dnsutils',
  'bind9-host',
  'iproute2',
  'iputils-ping',
  'iputils-tracepath',
  'mtr-tiny',
  'net-tools',
  'netcat-openbsd',
  'tcpdump',
  'iptables',
  'nftables',
  'ipset',
  'ipvsadm',
  'bridge-utils',
  'conntrack',
  'socat',
  'jq',
  'ethtool',
  'nmap',
  'iperf',
  'iperf3',
  'arping',
  'drill',
  'dnsutils-extra',
  'apache2-utils',
  'bird',
  'dhcping',
  'file',
  'fortio',
  'fping',
  'grpcurl',
  'httpie',
  'iftop',
  'iptraf-ng',
  'liboping',
  'ltrace',
  'net-snmp-tools',
  'ngrep',
  'openssh-client',
  'scapy',
  'speedtest-cli',
  'strace',
  'swaks',
  'tcptraceroute',
  'termshark',
  'tshark',
  'websocat',
];

export const BASE_IMAGES: ImageRow[] = [
  { match: 'library/busybox', tags: /^(latest|(1(\.(2\d|3[0-7])(\.\d+)?)?|stable|unstable)?-?(glibc|musl|uclibc)?)$/, make: busybox },
  { match: /(^|\/)(e2e-test-images\/|k8s-)?busybox$/, make: busybox },
  {
    match: /^(radial\/busyboxplus|yauritux\/busybox-curl|odise\/busybox-curl|progrium\/busybox)$/,
    make: ref => image(ref, busyboxUserland(22, 'uclibc'), { packages: ['busybox', 'curl'], cmd: ['/bin/sh'] }),
  },
  {
    match: 'library/alpine',
    tags: /^(latest|edge|3(\.\d+){0,2}|20\d{6})$/,
    make: ref =>
      image(ref, { ...ALPINE, release: alpineRelease(ref.tag) }, { packages: ALPINE_BASE, cmd: ['/bin/sh'], sizeBytes: 3_800_000 }),
  },
  { match: 'library/debian', make: debianImage },
  { match: 'library/ubuntu', make: ref => image(ref, UBUNTU_24, { packages: GNU, cmd: ['/bin/bash'], sizeBytes: 29_700_000 }) },
  {
    match:
      /^(library\/(centos|fedora|rockylinux|almalinux|amazonlinux|oraclelinux)|registry\.access\.redhat\.com\/.*|.*\/ubi\d(-minimal)?)$/,
    make: ref =>
      image(
        ref,
        { distro: 'rhel', release: '9', libc: 'glibc', busybox: null, tools: 12 },
        { packages: [...GNU, 'curl'], cmd: ['/bin/bash'] },
      ),
  },
  {
    match: /^(curlimages\/curl|quay\.io\/curl\/curl(-base)?|appropriate\/curl|byrnedo\/alpine-curl)$/,
    make: ref => {
      const own = ref.repository === 'curlimages/curl' || ref.repository.startsWith('curl/');
      return image(ref, ALPINE, {
        packages: [...ALPINE_BASE, 'curl'],
        entrypoint: own ? ['/entrypoint.sh'] : ['/usr/bin/curl'],
        cmd: own ? ['curl'] : [],
        user: own ? 'curl_user' : '',
        workdir: own ? '/home/curl_user' : '/',
        files: own ? { '/entrypoint.sh': CURL_ENTRYPOINT, '/home/curl_user/': '' } : {},
        sizeBytes: 9_300_000,
      });
    },
  },
  {
    match: 'nicolaka/netshoot',
    make: ref =>
      image(ref, ALPINE, { packages: NETSHOOT, cmd: ['zsh'], workdir: '/root', sizeBytes: 202_000_000, env: { HOSTNAME: 'netshoot' } }),
  },
  {
    match: /^(wbitt|praqma)\/network-multitool$/,
    make: ref =>
      // Built on an Alpine whose iproute2 does not yet show where an address comes from.
      image(
        ref,
        { ...ALPINE, tools: 12 },
        {
          packages: [...NETSHOOT, 'nginx'],
          entrypoint: ['/bin/sh', '/docker/entrypoint.sh'],
          cmd: ['/usr/sbin/nginx', '-g', 'daemon off;'],
          ports: [80, 443],
          files: {
            '/docker/entrypoint.sh': MULTITOOL_ENTRYPOINT,
            '/etc/nginx/nginx.conf': MULTITOOL_NGINX,
            '/usr/share/nginx/html/index.html': `${ref.repository.replace('wbitt', 'WBITT').replace('network-multitool', 'Network MultiTool').replace('/', ' ')} (with NGINX)\n`,
          },
        },
      ),
  },
  {
    match: /(^|\/)(jessie-dnsutils|dnsutils)$/,
    make: ref =>
      image(
        ref,
        { ...DEBIAN_12, tools: 11 },
        {
          packages: [...GNU, 'bind9-dnsutils', 'bind9-host', 'iproute2', 'iputils-ping', 'procps'],
          cmd: ref.repository === 'tutum/dnsutils' ? ['bash'] : ['/bin/sh', '-c', 'sleep 3600'],
        },
      ),
  },
  {
    match:
      /^(infoblox\/dnstools|sequenceiq\/alpine-dig|anubhavmishra\/tiny-tools|giantswarm\/tiny-tools|amouat\/network-utils|arunvelsriram\/utils|leodotcloud\/swiss-army-knife|rancherlabs\/swiss-army-knife|jonlabelle\/network-tools|travelping\/nettools|subfuzion\/netcat|gophernet\/netcat|alpine\/(curl|socat|k8s|git|bombardier))$/,
    make: ref =>
      image(ref, ALPINE, {
        packages: NETSHOOT,
        entrypoint:
          ref.repository === 'alpine/curl'
            ? ['curl']
            : /netcat$/.test(ref.repository)
              ? ['nc']
              : ref.repository === 'alpine/socat'
                ? ['socat']
                : [],
        cmd: ['/bin/sh'],
      }),
  },
  { match: 'library/python', make: ref => runtime(ref, 'python', { cmd: ['python3'] }) },
  { match: 'library/node', make: ref => runtime(ref, 'hello-node', { cmd: ['node'] }) },
  { match: 'library/golang', make: ref => runtime(ref, 'go', { cmd: ['bash'], workdir: '/go' }) },
  { match: 'library/ruby', make: ref => runtime(ref, 'ruby', { cmd: ['irb'] }) },
  { match: 'library/perl', make: ref => runtime(ref, 'perl', { cmd: ['perl'] }) },
  { match: /^library\/(openjdk|eclipse-temurin|amazoncorretto)$/, make: ref => runtime(ref, 'java', { cmd: ['jshell'] }) },
  {
    match: /^(bitnami|rancher|registry\.k8s\.io|alpine)\/kubectl$/,
    make: ref => image(ref, DEBIAN_12, { packages: [...GNU, 'kubectl', 'curl'], entrypoint: ['kubectl'] }),
  },
  {
    match: /^(gcr\.io\/)?distroless\//,
    make: ref => image(ref, { ...SCRATCH, distro: 'debian', release: '12' }, { sizeBytes: 1_200_000 }),
  },
];

const CURL_ENTRYPOINT = `#!/bin/sh
set -e
if [ "\${1#-}" != "$1" ]; then
  set -- curl "$@"
fi
case "$1" in
  http://*|https://*|*.*|*:*) set -- curl "$@" ;;
esac
exec "$@"
`;

const MULTITOOL_ENTRYPOINT = `#!/bin/sh
if [ "$(id -u)" -eq 0 ] && [ -f /usr/share/nginx/html/index.html ]; then
  echo "$(head -n 1 /usr/share/nginx/html/index.html) - $(hostname) - $(hostname -i) - HTTP: \${HTTP_PORT:-80} , HTTPS: \${HTTPS_PORT:-443}" > /usr/share/nginx/html/index.html
fi
if [ -n "$HTTP_PORT" ]; then
  sed -i "s/listen 80;/listen $HTTP_PORT;/" /etc/nginx/nginx.conf
fi
exec "$@"
`;

const MULTITOOL_NGINX = `events { }
http {
  default_type text/html;
  server {
    listen 80;
    root /usr/share/nginx/html;
    index index.html;
  }
}
`;

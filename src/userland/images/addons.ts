// Images of the add-ons: their controllers are programs of the simulation, started by who composes; here is what surrounds them.
import { ALPINE, SCRATCH, UBUNTU_24 } from '../userland.ts';
import { GNU, image } from './base.ts';
import type { ImageRow } from './types.ts';

/** One static binary and nothing else. */
const binary = (match: RegExp, entrypoint: string): ImageRow => ({
  match,
  make: ref => image(ref, SCRATCH, { entrypoint: [entrypoint], packages: ['pause'], sizeBytes: 25_000_000 }),
});

const LINE = '-'.repeat(79);

/** What ingress-nginx's controller says of itself: at its start, and for --version (version/version.go). */
export const INGRESS_NGINX_BANNER = `${LINE}
NGINX Ingress controller
  Release:       v1.13.3
  Build:         git-podnet
  Repository:    https://github.com/kubernetes/ingress-nginx
  nginx version: nginx/1.27.1

${LINE}

`;

/** The controller's binary as somebody in the container may start it: the one that runs is not started by it. */
const CONTROLLER = `#!/bin/sh
case " $* " in
  *" --version "*) cat <<'END'
${INGRESS_NGINX_BANNER.trimEnd()}

END
  ;;
  *) echo 'podnet runs one controller in a container: only --version can be asked' >&2; exit 255;;
esac
`;

/** cmd/dbg: what of it can be read from the configuration that the controller wrote. */
const DBG = `#!/bin/sh
case "$1 $2" in
  'conf '*) cat /etc/nginx/nginx.conf;;
  'backends list') { echo upstream-default-backend; grep -o 'proxy_upstream_name "[^"]*"' /etc/nginx/nginx.conf | cut -d'"' -f2; } | sort -u;;
  *) echo "dbg: podnet has 'conf' and 'backends list' alone" >&2; exit 1;;
esac
`;

export const ADDON_IMAGES: ImageRow[] = [
  {
    match: /(^|\/)(ingress-nginx\/controller|nginx-ingress-controller)$/,
    make: ref =>
      image(ref, ALPINE, {
        entrypoint: ['/usr/bin/dumb-init', '--'],
        cmd: ['/nginx-ingress-controller'],
        packages: ['busybox', 'alpine-base', 'bash', 'curl', 'nginx'],
        user: '101',
        workdir: '/etc/nginx',
        files: {
          '/etc/nginx/nginx.conf': '',
          '/wait-shutdown': '#!/bin/sh\nexit 0\n',
          '/dbg': DBG,
          '/nginx-ingress-controller': CONTROLLER,
        },
        sizeBytes: 118_000_000,
      }),
  },
  {
    // Flannel's manifest copies the plugin out of it onto the machine.
    match: /(^|\/)flannel-cni-plugin$/,
    make: ref =>
      image(ref, ALPINE, { packages: ['busybox', 'alpine-base'], cmd: ['/bin/sh'], files: { '/flannel': '' }, sizeBytes: 10_000_000 }),
  },
  binary(/(^|\/)kube-webhook-certgen$/, '/kube-webhook-certgen'),
  binary(/(^|\/)metallb\/controller$/, '/controller'),
  binary(/(^|\/)metallb\/speaker$/, '/speaker'),
  {
    match: /(^|\/)istio\/proxyv2$/,
    make: ref =>
      image(ref, UBUNTU_24, {
        entrypoint: ['/usr/local/bin/pilot-agent'],
        packages: [
          ...GNU,
          'procps',
          'curl',
          'iptables',
          'iproute2',
          'iputils-ping',
          'tcpdump',
          'conntrack',
          'net-tools',
          'bind9-dnsutils',
          'netcat-openbsd',
          'pilot-agent',
        ],
        sizeBytes: 105_000_000,
      }),
  },
  {
    match: /(^|\/)istio\/pilot$/,
    make: ref =>
      image(ref, UBUNTU_24, {
        entrypoint: ['/usr/local/bin/pilot-discovery'],
        packages: [...GNU, 'procps', 'curl', 'iproute2', 'pilot-discovery'],
        user: '1337:1337',
        sizeBytes: 83_000_000,
      }),
  },
  binary(/(^|\/)metrics-server$/, '/metrics-server'),
  binary(/^(docker\.io\/)?envoyproxy\/gateway$/, '/usr/local/bin/envoy-gateway'),
  binary(/^(docker\.io\/)?envoyproxy\/envoy$/, '/usr/local/bin/envoy'),
];

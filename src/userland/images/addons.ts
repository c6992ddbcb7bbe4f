// Images of the add-ons: their controllers are programs of the simulation, started by who composes; here is what surrounds them.
import { ALPINE, SCRATCH, UBUNTU_24 } from '../userland.ts';
import { GNU, image } from './base.ts';
import type { ImageRow } from './types.ts';

/** One static binary and nothing else. */
const binary = (match: RegExp, entrypoint: string): ImageRow => ({
  match,
  make: ref => image(ref, SCRATCH, { entrypoint: [entrypoint], packages: ['pause'], sizeBytes: 25_000_000 }),
});

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
        files: { '/etc/nginx/nginx.conf': '', '/wait-shutdown': '#!/bin/sh\nexit 0\n', '/dbg': '#!/bin/sh\nexit 0\n' },
        sizeBytes: 118_000_000,
      }),
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

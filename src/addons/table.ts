// The add-ons that podnet has: one row each. Their manifests are loaded when somebody asks for them.
import type { KubeObject } from '../apiserver/types.ts';
import type { Provider } from './ingress-nginx/manifest.ts';
import { VERSION } from './istio/names.ts';

export interface Addon {
  name: string;
  summary: string;
  /** The release that the manifest is modelled on. */
  version: string;
  /** Where the official manifest lies: the first is the one that `addon enable` applies, `match` those that stand for it too. */
  url: string;
  match: RegExp;
  /** What `addon enable` applies in its place where Services of type LoadBalancer stay pending. */
  withoutBalancers?: string;
  /** Flags that its documentation applies it with. */
  flags?: string[];
  /** Its objects, in the manifest's order. */
  manifest: (url: string) => Promise<KubeObject[]>;
}

export const ADDONS: Addon[] = [
  {
    name: 'ingress-nginx',
    summary: 'an Ingress controller: hosts, paths, TLS, rewrites, canaries, authentication',
    version: 'v1.13.3',
    url: 'https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.13.3/deploy/static/provider/cloud/deploy.yaml',
    match: /\/ingress-nginx\/.*\/deploy(\/static\/provider\/[\w-]+)?\/(deploy|mandatory|cloud-generic)\.yaml$/,
    manifest: async url => {
      const provider = url.endsWith('#host-ports') ? 'host' : (/\/(baremetal|kind)\//.exec(url)?.[1] ?? 'cloud');
      return (await import('./ingress-nginx/manifest.ts')).manifest(provider as Provider);
    },
    withoutBalancers:
      'https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v1.13.3/deploy/static/provider/baremetal/deploy.yaml#host-ports',
  },
  {
    name: 'metallb',
    summary: 'addresses for Services of type LoadBalancer from IPAddressPools, announced by ARP',
    version: 'v0.15.3',
    url: 'https://raw.githubusercontent.com/metallb/metallb/v0.15.3/config/manifests/metallb-native.yaml',
    match: /\/metallb\/.*\/metallb-(native|frr)\.yaml$/,
    manifest: async () => (await import('./metallb/manifest.ts')).manifest(),
  },
  {
    name: 'metrics-server',
    summary: 'kubectl top and HorizontalPodAutoscalers (enabled with --kubelet-insecure-tls: kubelets sign their own certificates)',
    version: 'v0.8.0',
    url: 'https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml#kubelet-insecure-tls',
    match: /\/metrics-server\/releases\/.*\/(components|high-availability[\w.+-]*)\.yaml$/,
    manifest: async url => (await import('./metrics-server/manifest.ts')).manifest(url.endsWith('#kubelet-insecure-tls')),
  },
  {
    name: 'gateway-api',
    summary: 'the kinds of the Gateway API (standard channel), without a controller',
    version: 'v1.4.0',
    url: 'https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.4.0/standard-install.yaml',
    match:
      /(\/gateway-api\/releases\/.*\/(standard|experimental)-install\.yaml|\/config\/crd(\/gateway-api)?(\/(standard|experimental))?)$/,
    flags: ['--server-side'],
    manifest: async () => (await import('./gateway-api/crds.ts')).gatewayApi(),
  },
  {
    name: 'envoy-gateway',
    summary: 'a controller of the Gateway API with Envoy proxies, and the kinds',
    version: 'v1.5.1',
    url: 'https://github.com/envoyproxy/gateway/releases/download/v1.5.1/install.yaml',
    match: /\/envoyproxy\/gateway\/releases\/.*\/(install|quickstart)\.yaml$/,
    flags: ['--server-side'],
    manifest: async url => {
      const m = await import('./envoy-gateway/manifest.ts');
      if (!url.includes('quickstart')) return m.manifest();
      return m.quickstart();
    },
  },
  {
    name: 'istio',
    summary: 'a service mesh: sidecars, mutual TLS, routing, authorization, gateways (profile demo)',
    version: VERSION,
    url: `https://istio.io/podnet/${VERSION}/manifests/profiles/demo.yaml`,
    match: /\/manifests\/(profiles\/demo|charts\/base\/(files|crds)\/crd-all\.gen)\.yaml$/,
    manifest: async url => {
      if (url.includes('crd-all')) return (await import('./istio/crds.ts')).crds();
      return (await import('./istio/manifest.ts')).manifest();
    },
  },
];

export const addonNamed = (name: string): Addon | undefined => ADDONS.find(a => a.name === name);

/** The add-on whose manifest is at this URL; null: none is. */
export const addonAt = (url: string): Addon | null => ADDONS.find(a => a.match.test(url.replace(/[?#].*$/, ''))) ?? null;

import Table from 'cli-table3';
import type { Command } from 'commander';
import { INGRESS_ANNOTATIONS } from '../../addons/ingress-nginx/annotations.ts';
import { ADDONS } from '../../addons/table.ts';
import { RESOURCES } from '../../apiserver/resources.ts';
import { PLUGINS as CNI_PLUGINS } from '../../cni/plugins.ts';
import { PLUGINS as DNS_PLUGINS, IDLE, UNMODELLED } from '../../coredns/plugins.ts';
import { NOT_MODELLED } from '../../kubectl/unmodelled.ts';
import { VERBS, type VerbRow } from '../../kubectl/verbs.ts';
import { MATCHES } from '../../linux/netfilter/matches.ts';
import { TARGETS } from '../../linux/netfilter/targets.ts';
import { KNOWN } from '../../userland/net/curl-known.ts';
import { unmodelledObjects } from '../../userland/net/ip/main.ts';
import { refusedLetters } from '../../userland/net/tcpdump.ts';
import { refusedOptions } from '../../userland/net/wget/options.ts';
import { programNames } from '../../userland/programs.ts';
import { directivesThat } from '../../userland/servers/nginx-directives.ts';
import { isKept } from '../kept.ts';
import { PROTOCOLS } from '../serve/upgrade.ts';
import { NODE_TOOLS } from '../shims.ts';

const subsOf = (v: VerbRow): string[] => (v.subs ?? []).flatMap(s => (s.subs ? s.subs.map(x => `${s.name} ${x.name}`) : [s.name]));

/** Every verb, with its subcommands and what podnet does not do of it. */
const verbRows = (): [string, string][] =>
  VERBS.filter(v => !v.hidden)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(v => {
      const not = NOT_MODELLED[v.name];
      return [`kubectl ${v.name}`, [subsOf(v).join(', '), not].filter(Boolean).join('; ') || 'modelled'];
    });

/** The support matrix, made of the tables that the program itself runs by: it cannot claim what is not there. */
function supportMatrix(): [what: string, names: string][] {
  const list = (names: Iterable<string>) => [...new Set(names)].sort().join(' ');
  const programs = programNames();
  return [
    ['kubectl, all commands', `with the flags of v1.36; ${NOT_MODELLED['']}`],
    ...verbRows(),
    ['kinds that act', list(RESOURCES.filter(r => !isKept(r)).map(r => r.resource))],
    ['kinds that are kept and shown', list(RESOURCES.filter(isKept).map(r => r.resource))],
    ['CNIs', list(CNI_PLUGINS.map(p => p.name))],
    [
      'CNIs, installed later',
      "on a cluster made with --cni none: calico and flannel by their manifests' URLs, kindnet by its image; Calico's operator is not there",
    ],
    ['CoreDNS plugins', list(DNS_PLUGINS.map(p => p.name))],
    ['CoreDNS plugins that change no answer', list(Object.keys(IDLE))],
    ['CoreDNS plugins taken with a warning', list(Object.keys(UNMODELLED))],
    [
      'CoreDNS: not as in reality',
      "no TLS to upstreams (forward to tls:// fails), no metrics of Go's runtime and of the API client (go_, process_, coredns_kubernetes_), no jitter of reload; queries under way when a command ends are lost",
    ],
    ['iptables matches', list(MATCHES.map(m => m.name))],
    ['iptables targets', list(TARGETS.map(t => t.name))],
    // Another release's URL applies the same objects.
    ['add-ons, each in one release', ADDONS.map(a => `${a.name} (${a.version})`).join(', ')],
    ['annotations of ingress-nginx', list(INGRESS_ANNOTATIONS)],
    [
      'Istio: acts',
      'sidecar injection (native sidecars), istio-iptables, mutual TLS with PeerAuthentication, VirtualService, DestinationRule (subsets, TLS, load balancing), Gateway, ServiceEntry, Sidecar, AuthorizationPolicy, RequestAuthentication (RS256), access logs; Gateways and HTTPRoutes of class istio',
    ],
    [
      'Istio: not as in reality',
      'proxies that have started read the API as it is, also while istiod is gone; a webhook with a ready endpoint is asked without packets on the way',
    ],
    [
      'Istio: kept without effect',
      'EnvoyFilter, WasmPlugin, Telemetry, ProxyConfig, WorkloadGroup, outlierDetection, connectionPool but connectTimeout, locality, corsPolicy, CUSTOM providers (deny), TPROXY, DNS capture; no metrics or traces, ambient mode, meshes over several clusters, HTTPRoutes of Services (GAMMA), Ingresses of class istio',
    ],
    [
      'cluster-wide policies',
      'ClusterNetworkPolicy (v1alpha2, standard channel: no peers by nodes or domainNames) acts with Calico, which fails closed at named ports; AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) are judged by `podnet connectivity` alone',
    ],
    [
      'Calico: not as in reality',
      'of IPPools act cidr, natOutgoing, disabled, assignmentMode and allowedUses; an encapsulation, a block size or a node selector is kept without effect, and so are KubeControllersConfigurations; no BGPPeers, IPAMBlocks and BlockAffinities in the API, no calicoctl',
    ],
    ['programs', list(programs.modelled)],
    ['programs that are there and say that they are not modelled', list(programs.unmodelled)],
    ['ip: objects refused', list(unmodelledObjects())],
    ['tcpdump: options refused', Object.values(refusedLetters()).join(', ')],
    ['GNU wget: options refused', list(refusedOptions())],
    ['curl: options refused', list(KNOWN.filter(k => k.refused).map(k => `--${k.name}`))],
    ['nginx: directives that act', list(directivesThat('acted'))],
    ['nginx: taken with a warning', list(directivesThat('kept'))],
    [
      'nginx: refused',
      'fastcgi_pass, uwsgi_pass, scgi_pass, memcached_pass, grpc_pass, ssl_preread; scripts (js_*, lua_*) are unknown to it',
    ],
    [
      'on nodes, beside programs',
      'systemctl (not edit, list-dependencies), journalctl (not -k, --disk-usage, -o json), lsmod, modprobe (loads, takes nothing away), modinfo, hostnamectl and timedatectl (set nothing), crictl (exec, images, info with its conditions alone, inspect, inspecti, inspectp, logs, pods, ps, stats, statsp, stop, version; stats: the disk is what its programs have written), ctr (containers ls, tasks ls, images ls -q), ethtool (DEVICE, -i, -S; the network card says its carrier alone), ssh, kubeadm (certs check-expiration, config images list, token, version), etcdctl (alarm list, endpoint health and status, get --keys-only, member list, version); openssl has x509, verify, s_client, rand and base64 there and in images',
    ],
    [
      'kubectl on nodes',
      "the machine's files and kubeconfig, over its network, as its kubeconfig's user; not: what another server than kube-apiserver answers, exec plugins, port-forward, proxy, manifests from URLs; exec and logs are not asked for permission",
    ],
    ['podnet lab run', `kubernetes-kubeadm-1node and -2nodes; on the control plane: ${list(NODE_TOOLS)}`],
    ['podnet serve, for commands', list(Object.values(PROTOCOLS.command).flat())],
    ['podnet serve, for ports', list(Object.values(PROTOCOLS.ports).flat())],
    ['podnet serve does not', "answer in protobuf or CBOR, resize a running command's terminal"],
    [
      "the API server's proxy",
      'services, pods and nodes, each request a connection from the control plane through the network; not: upgrades (WebSocket), HTTP/2 to the program, links in pages that come compressed; kubelets answer healthz, pods, logs, containerLogs and run',
    ],
    [
      'not modelled yet',
      [
        'Cilium, Weave, Azure and AWS CNIs',
        'multi-cluster',
        "what CEL expressions may cost, MutatingAdmissionPolicies, answers of webhooks but the add-ons' own (one that cannot be reached fails as in reality), audit logs",
        'of the add-ons: BGP, snippets, GRPCRoutes',
        "probes of the control plane's static pods, what their flags are for beside ports, files and etcd; components ask for no client's certificate, and compare names, not keys",
        "of shells and tools: locales and time zones other than UTC, bash's history, bind, compgen and help, output of <(…) before it has ended, jq's label and colours",
        'a program that listens in one command, for the commands of another terminal',
      ].join('; '),
    ],
  ];
}

export function declare(command: Command): void {
  command.action(() => {
    const table = new Table({ colWidths: [26, 100], wordWrap: true, style: { head: [], border: [] } });
    for (const row of supportMatrix()) table.push(row);
    process.stdout.write(`${table.toString()}\n`);
  });
}

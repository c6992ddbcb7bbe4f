// The kubernetes directive of a Corefile (coredns 1.14.2, plugin/kubernetes/setup.go ParseStanza).
import { type LabelSelector, parseSelector } from '../../apiserver/labels.ts';
import type { Directive } from '../corefile.ts';
import { argumentError, CorefileError, ONCE, plainError, type Setup } from '../types.ts';
import { durationError, durationMs } from '../values.ts';
import { isReverse, zoneName, zonesOf } from '../zones.ts';

export interface Options {
  zones: string[];
  pods: 'disabled' | 'insecure' | 'verified';
  endpointNames: boolean;
  /** EndpointSlices are not watched. */
  noEndpoints: boolean;
  /** Where the API is asked; null: where the pod's environment says. */
  endpoint: string | null;
  ttl: number;
  namespaces: Set<string> | null;
  namespaceLabels: LabelSelector | null;
  labels: LabelSelector | null;
  ignoreEmpty: boolean;
  /** null: none; []: every zone. */
  fallthrough: string[] | null;
  /** Zones of the clusterset, whose names are ServiceImports. */
  multicluster: string[];
}

type Rule = (o: Options, d: Directive) => void;

const RULES: Record<string, Rule> = {
  pods: (o, d) => {
    if (d.args.length !== 1) throw argumentError(d);
    if (!['disabled', 'insecure', 'verified'].includes(d.args[0]))
      throw plainError(`wrong value for pods: ${d.args[0]},  must be one of: disabled, verified, insecure`);
    o.pods = d.args[0] as Options['pods'];
  },
  endpoint_pod_names: (o, d) => {
    if (d.args.length) throw argumentError(d);
    o.endpointNames = true;
  },
  noendpoints: (o, d) => {
    if (d.args.length) throw argumentError(d);
    o.noEndpoints = true;
  },
  namespaces: (o, d) => {
    if (!d.args.length) throw argumentError(d);
    o.namespaces = new Set([...(o.namespaces ?? []), ...d.args]);
  },
  ttl: (o, d) => {
    if (!d.args.length) throw argumentError(d);
    const ttl = Number(integer(d.args[0]));
    if (ttl < 0 || ttl > 3600) throw new CorefileError(d.line, `ttl must be in range [0, 3600]: ${ttl}`);
    o.ttl = ttl;
  },
  labels: (o, d) => {
    o.labels = selector(d, 'label');
  },
  namespace_labels: (o, d) => {
    o.namespaceLabels = selector(d, 'namespace_label');
  },
  ignore: (o, d) => {
    if (!d.args.length) return;
    if (d.args[0] !== 'empty_service') throw plainError(`unable to parse ignore value: '${d.args[0]}'`);
    o.ignoreEmpty = true;
  },
  fallthrough: (o, d) => {
    o.fallthrough = d.args.map(zoneName);
  },
  multicluster: (o, d) => {
    o.multicluster = zonesOf(d.args, []);
  },
  endpoint: (o, d) => {
    if (!d.args.length) throw argumentError(d);
    o.endpoint = d.args[0];
    // client-go's DefaultServerURL: a scheme with nothing behind it is neither a URL nor an address.
    if (/^\w*:\/\/$/.test(d.args[0]))
      throw plainError(`failed to create kubernetes notification controller: "host must be a URL or a host:port pair: \\"${d.args[0]}\\""`);
  },
  tls: (_, d) => {
    if (d.args.length !== 3) throw argumentError(d);
  },
  kubeconfig: (_, d) => {
    if (d.args.length !== 1 && d.args.length !== 2) throw argumentError(d);
  },
  startup_timeout: (_, d) => {
    if (!d.args.length) throw argumentError(d);
    if (durationMs(d.args[0]) === null) throw plainError(`failed to parse startup_timeout: ${d.args[0]}, ${durationError(d.args[0])}`);
  },
  apiserver_qps: (_, d) => atLeastZero(d),
  apiserver_burst: (_, d) => atLeastZero(d),
  apiserver_max_inflight: (_, d) => atLeastZero(d),
};

export function kubernetesOptions({ directive: d, block, all }: Setup): Options {
  if (all.length > 1) throw plainError(ONCE);
  const o: Options = {
    zones: zonesOf(d.args, block.zones),
    pods: 'disabled',
    endpointNames: false,
    noEndpoints: false,
    endpoint: null,
    ttl: 5,
    namespaces: null,
    namespaceLabels: null,
    labels: null,
    ignoreEmpty: false,
    fallthrough: null,
    multicluster: [],
  };
  if (o.zones.every(isReverse)) throw plainError('non-reverse zone name must be used');
  let last = d.line;
  for (const p of d.body) {
    if (!Object.hasOwn(RULES, p.name)) throw new CorefileError(p.line, `unknown property '${p.name}'`);
    RULES[p.name](o, p);
    last = p.line;
  }
  // Found after the block: upstream names the line of its closing brace.
  const end = d.end ?? last;
  if (o.namespaces && o.namespaceLabels) throw new CorefileError(end, 'namespaces and namespace_labels cannot both be set');
  for (const z of o.multicluster)
    if (!o.zones.includes(z)) throw new CorefileError(end, `is not authoritative for the multicluster zone ${z}`);
  return o;
}

function integer(text: string): string {
  if (!/^[-+]?\d+$/.test(text)) throw plainError(`strconv.Atoi: parsing "${text}": invalid syntax`);
  return text;
}

function atLeastZero(d: Directive): void {
  if (d.args.length !== 1) throw argumentError(d);
  if (!/^[-+]?\d+$/.test(d.args[0]))
    throw new CorefileError(d.line, `invalid ${d.name} "${d.args[0]}": strconv.Atoi: parsing "${d.args[0]}": invalid syntax`);
  if (Number(d.args[0]) < 0) throw new CorefileError(d.line, `${d.name} must be >= 0`);
}

/** metav1.ParseToLabelSelector. */
function selector(d: Directive, what: string): LabelSelector {
  if (!d.args.length) throw argumentError(d);
  const text = d.args.join(' ');
  const parsed = parseSelector(text);
  if (typeof parsed !== 'string') return { matchExpressions: parsed };
  throw plainError(`unable to parse ${what} selector value: '${text}': couldn't parse the selector string "${text}": ${parsed}`);
}

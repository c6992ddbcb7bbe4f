// What proxies tell each other of themselves in headers: x-envoy-peer-metadata, a google.protobuf.Struct, and the node's id
// (metadata exchange; pilot/pkg/xds/filters 1.28). Those who have no proxy see it.
import type { KubeObject } from '../../apiserver/types.ts';
import { base64, concat, stringToBytes } from '../../sim/bytes.ts';
import type { Headers } from '../../userland/http.ts';
import { workloadOf } from './inject.ts';
import { VERSION } from './names.ts';

type Value = string | { [key: string]: Value };

/** A length-delimited field; none here is 16384 bytes long. */
function delimited(field: number, body: Uint8Array): Uint8Array {
  const { length } = body;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return concat([Uint8Array.from([(field << 3) | 2, ...size]), body]);
}

const STRING_VALUE = 3;
const STRUCT_VALUE = 5;

const encoded = (v: Value): Uint8Array =>
  typeof v === 'string' ? delimited(STRING_VALUE, stringToBytes(v)) : delimited(STRUCT_VALUE, structOf(v));

const structOf = (fields: { [key: string]: Value }): Uint8Array =>
  concat(
    Object.keys(fields)
      .sort()
      .map(k => delimited(1, concat([delimited(1, stringToBytes(k)), delimited(2, encoded(fields[k]))]))),
  );

export function peerMetadata(pod: KubeObject): Headers {
  const { name, namespace = '', labels = {} } = pod.metadata;
  const w = workloadOf(pod);
  const plural = `${w.kind.toLowerCase()}s`;
  const router = labels['sidecar.istio.io/inject'] === 'false' || labels.istio === 'ingressgateway';
  const fields = {
    CLUSTER_ID: 'Kubernetes',
    INSTANCE_IPS: pod.status?.podIP ?? '',
    ISTIO_VERSION: VERSION,
    LABELS: { ...labels },
    NAME: name,
    NAMESPACE: namespace,
    OWNER: `kubernetes://apis/${w.apiVersion}/namespaces/${namespace}/${plural}/${w.name}`,
    WORKLOAD_NAME: w.name,
  };
  const id = `${router ? 'router' : 'sidecar'}~${pod.status?.podIP ?? ''}~${name}.${namespace}~${namespace}.svc.cluster.local`;
  return [
    ['x-envoy-peer-metadata', base64(structOf(fields))],
    ['x-envoy-peer-metadata-id', id],
  ];
}

// Chain names: k8s.io/kubernetes v1.36.3 pkg/proxy/iptables/proxier.go (portProtoHash, servicePortEndpointChainName).
import { base32, stringToBytes } from '../sim/bytes.ts';
import { sha256 } from '../sim/sha256.ts';

const remembered = new Map<string, string>();
/** A cluster of 10,000 Services with 10 endpoints each has 110,000 names; beyond that forgetting is cheaper than memory. */
const REMEMBERED_MAX = 400_000;

/** 16 characters of base32 are 80 bits: the first ten bytes of the digest. */
export function chainHash(text: string): string {
  let hash = remembered.get(text);
  if (hash === undefined) {
    hash = base32(sha256(stringToBytes(text)).subarray(0, 10));
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(text, hash);
  }
  return hash;
}

/** protocol: lower case; endpoint: `10.244.1.2:80` */
export const endpointChainName = (servicePortName: string, protocol: string, endpoint: string): string =>
  `KUBE-SEP-${chainHash(servicePortName + protocol + endpoint)}`;

const SERVICE_CHAIN = /^KUBE-(?:SVC|SVL|SEP|FW|EXT)-/;
export const isServiceChainName = (name: string): boolean => SERVICE_CHAIN.test(name);

/** net.JoinHostPort */
export const hostPort = (ip: string, port: number): string => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

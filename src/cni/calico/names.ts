import { hex, stringToBytes } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';

const remembered = new Map<string, string>();
const REMEMBERED_MAX = 100_000;

/** `cali` + 11 hex digits (libcalico-go/lib/backend/k8s/conversion/workload_endpoint_default.go). */
export function vethName(namespace: string, pod: string): string {
  const key = `${namespace}.${pod}`;
  let name = remembered.get(key);
  if (name === undefined) {
    name = `cali${hex(sha1(stringToBytes(key))).slice(0, 11)}`;
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(key, name);
  }
  return name;
}

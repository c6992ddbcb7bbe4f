import { stringToBytes } from '../../sim/bytes.ts';
import { sha1 } from '../../sim/sha1.ts';
import { hex } from '../plumbing.ts';

/** `cali` + 11 hex digits (libcalico-go/lib/backend/k8s/conversion/workload_endpoint_default.go). */
export const vethName = (namespace: string, pod: string): string => `cali${hex(sha1(stringToBytes(`${namespace}.${pod}`))).slice(0, 11)}`;

// meshConfig: the ConfigMap `istio` of the root namespace, as far as proxies act on it.
import { load } from 'js-yaml';
import { getObject } from '../../apiserver/store.ts';
import type { ApiServer } from '../../apiserver/types.ts';
import { ROOT } from './names.ts';

export interface MeshConfig {
  outboundPolicy: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  /** Proxies write one line for each request. */
  accessLog: boolean;
  accessLogJson: boolean;
  accessLogFormat: string | null;
  autoMtls: boolean;
  /** Of a connection to an upstream, milliseconds. */
  connectMs: number;
}

/** A text that cannot be read, or a ConfigMap that is not there: the defaults, as after istiod's start without one. */
export function meshConfig(server: ApiServer): MeshConfig {
  const text = getObject(server, 'configmaps', ROOT, 'istio')?.data?.mesh ?? '';
  let raw: any = {};
  try {
    raw = load(text) ?? {};
  } catch {
    raw = {};
  }
  return {
    outboundPolicy: raw.outboundTrafficPolicy?.mode === 'REGISTRY_ONLY' ? 'REGISTRY_ONLY' : 'ALLOW_ANY',
    accessLog: !!raw.accessLogFile,
    accessLogJson: raw.accessLogEncoding === 'JSON',
    accessLogFormat: raw.accessLogFormat || null,
    autoMtls: raw.enableAutoMtls !== false,
    connectMs: milliseconds(raw.connectTimeout) ?? 10_000,
  };
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A Go duration: `1h2m3.5s`. null: none was given, or it is no duration. */
export function milliseconds(text: unknown): number | null {
  if (typeof text !== 'string' || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, n, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) total += Number(n) * UNITS[unit as 's'];
  return total;
}

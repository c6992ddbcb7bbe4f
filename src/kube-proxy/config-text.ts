import { load } from 'js-yaml';
import type { KubeProxyConfiguration } from './configuration.ts';

let last: { text: string; config: KubeProxyConfiguration | { error: string } } | null = null;

/** What a configuration file says. Every node's is the same. */
export function readConfiguration(text: string): KubeProxyConfiguration | { error: string } {
  if (last?.text !== text) {
    try {
      last = { text, config: (load(text) ?? {}) as KubeProxyConfiguration };
    } catch (e) {
      last = { text, config: { error: `failed complete: failed to decode: ${(e as Error).message}` } };
    }
  }
  return last.config;
}

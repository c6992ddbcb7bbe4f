// Base chains of nftables, as hook entries.
import type { Family } from '../../../wire/ip.ts';
import type { Netns } from '../../types.ts';
import type { HookEntry } from '../hooks.ts';
import type { HookName } from '../types.ts';

export function nftHooks(_ns: Netns, _family: Family, _hook: HookName): HookEntry[] {
  return [];
}

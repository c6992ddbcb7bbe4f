import type { Netns, Skb } from '../types.ts';
import type { HookContext } from './types.ts';
export function setMatches(ns: Netns, name: string, skb: Skb, dirs: boolean[], nomatch: boolean, ctx: HookContext): boolean {
  return false;
}
export function addPacketToSet(ns: Netns, name: string, skb: Skb, dirs: boolean[], add: boolean, exist: boolean, seconds: number | null, ctx: HookContext): void {}

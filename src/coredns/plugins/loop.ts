import type { Plugin } from '../types.ts';

/** Finds forwarding loops at start-up; which the simulation's resolvers cannot make unless the Corefile forwards to itself. */
export const loop: Plugin = { name: 'loop', setup: () => null };

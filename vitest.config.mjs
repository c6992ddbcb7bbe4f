import v8 from 'node:v8';
import { defineConfig } from 'vitest/config';

// Most code is called a few hundred times by a test and never again: V8 shall think twice before it optimizes, which was a quarter of all work.
v8.setFlagsFromString('--interrupt-budget=500000');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'threads',
    maxWorkers: '100%',
    // A worker keeps the modules that it has loaded: they hold caches, and nothing that one test could leave for another.
    isolate: false,
  },
});

import { defineConfig } from 'vitest/config';

/** Needs the programs that `run.ts` installs, so it is a suite of its own: `npm run kube`. */
export default defineConfig({
  test: {
    include: ['test/kube/*.test.ts'],
    reporters: ['verbose'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

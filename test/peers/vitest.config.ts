import { defineConfig } from 'vitest/config';

/** Needs the programs that `run.ts` installs, so it is a suite of its own: `npm run peers`. */
export default defineConfig({
  test: {
    include: ['test/peers/*.test.ts'],
    reporters: ['verbose'],
    // A CA that has to wait for a core loses its patience, and then certificates wait for a minute of the wall clock.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

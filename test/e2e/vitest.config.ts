import { defineConfig } from 'vitest/config';

/** One file, one story: every test goes on from what the one before it left in the account. */
export default defineConfig({
  test: {
    include: ['test/e2e/*.test.ts'],
    reporters: ['verbose'],
    // After the first failure the rest of the story would only fail for the same reason, and slowly.
    bail: 1,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});

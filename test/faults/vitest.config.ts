import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** Every fault at every place. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/faults/**/*.test.ts'],
    exclude: [],
    // Whoever finds nothing wrong is in no hurry.
    testTimeout: 5 * 60_000,
    hookTimeout: 5 * 60_000,
    env: { ...base.test?.env, EVERLEAF_FAULTS: 'all' },
  },
});

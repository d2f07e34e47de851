import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** Every fault at every place, and the alarms that tell of them. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/faults/**/*.test.ts', 'test/alarms/alarms.test.ts'],
    exclude: [],
    // Whoever finds nothing wrong is in no hurry.
    testTimeout: 5 * 60_000,
    hookTimeout: 5 * 60_000,
    env: { ...base.test?.env, EVERLEAF_FAULTS: 'all' },
  },
});

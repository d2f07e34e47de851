import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** One guard after the other: each runs suites of its own. */
export default defineConfig({
  test: { ...base.test, include: ['test/guards/**/*.test.ts'], exclude: [], testTimeout: 300_000 },
});

import { defineConfig } from 'vitest/config';

/** Needs the openssl command, so it is a suite of its own: `npm run test:openssl`. */
export default defineConfig({
  test: { include: ['test/openssl/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});

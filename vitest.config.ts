import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Suites with a command of their own; those of faults are long, as are days of alarms, and `npm run faults` has them.
    exclude: [
      ...['e2e', 'guards', 'kube', 'openssl', 'package', 'peers'].map((suite) => `test/${suite}/**`),
      'test/alarms/alarms.test.ts',
      'test/faults/least-privilege/**',
      ...['flood', 'no-key-out', 'outages', 'rotate-under-load', 'two-at-once'].map(
        (suite) => `test/faults/${suite}.test.ts`,
      ),
      ...['pca-revocation', 'rollouts'].map((suite) => `test/faults/kill-anywhere/${suite}.test.ts`),
    ],
    // The machine's own AWS settings are never read: the twin hands out credentials of its own making.
    env: { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' },
    // Left to itself, vitest keeps a core for itself: one of two. Tests wait for their servers, so two more than there are cores.
    maxWorkers: availableParallelism() + 2,
    // A process for each file would load the CDK a hundred times. No module of ours holds anything that a test changes.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

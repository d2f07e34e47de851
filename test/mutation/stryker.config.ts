import type { Stryker } from '@stryker-mutator/core';

const options: ConstructorParameters<typeof Stryker>[0] = {
  mutate: [
    // The gate, and the chain below it.
    'functions/core/gate.ts',
    'functions/core/x509/chain.ts',
    // The schedule.
    'functions/core/{renewal-info,schedule,spec-change,turns}.ts',
    // The ledger: what is in it, what comes next, what becomes of it, what is told.
    'functions/core/{announcements,audit,decide,lease,ledger,reconcile,record,transitions}.ts',
    'functions/issue/{circuit,order,renew,steps}.ts',
    // Failures.
    'functions/core/{backoff,breaker,cap,errors,http-faults,order-limit}.ts',
  ],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  // Stryker would rewrite it, with the API of a compiler that this project is ahead of.
  ignorePatterns: ['tsconfig.json', 'bench', 'certificates', 'docs', 'examples', 'test/{e2e,manifest,peers}'],
  // Half of a small machine: the other half is somebody's.
  concurrency: 1,
  incremental: true,
  incrementalFile: '.stryker/incremental.json',
  tempDirName: '.stryker/sandbox',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: '.stryker/report.json' },
};

export default options;

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Suites over every interleaving take seconds: most mutants die of a quicker one before. */
const BY_QUICKNESS = [/test\/core\//, /test\/issue\/(?!renew|races)/, /./];

class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => BY_QUICKNESS.findIndex((suites) => suites.test(moduleId));
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts', 'test/issue/**/*.test.ts'],
    setupFiles: ['test/mutation/same-examples.ts'],
    sequence: { sequencer: QuickFirst },
    testTimeout: 60_000,
  },
});

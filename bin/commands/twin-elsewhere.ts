import { UsageError } from './exit-codes.ts';

/** What twin.ts is in the package: the twin stands on development tools that nobody should have to install. */
export async function twin(): Promise<number> {
  throw new UsageError(
    'The twin is not part of the package. In a checkout of Everleaf: npm ci && npm start -- --manifest <dir>',
  );
}

import type { LoadBalancer } from './load-balancer.ts';
import type { TlsProcess } from './tls-process.ts';

/** Failed starts after which a replacement is given up: the threshold of ECS's circuit breaker for small services. */
const MOST_FAILURES = 3;

interface Replacement {
  readonly count: number;
  /** Throws where the process does not come up. */
  readonly start: () => Promise<TlsProcess>;
  /** True once a newer replacement is under way. */
  readonly isSuperseded: () => boolean;
}

export type Outcome =
  | { readonly ended: 'replaced' }
  | { readonly ended: 'superseded' }
  | { readonly ended: 'given up'; readonly why: string };

/** Starts new processes, and stops the old ones when all of the new ones listen. Those that came up in vain are stopped. */
export async function replaceProcesses(
  balancer: LoadBalancer,
  { count, start, isSuperseded }: Replacement,
): Promise<Outcome> {
  const started: TlsProcess[] = [];
  let failures = 0;
  let why = '';
  while (started.length < count && failures < MOST_FAILURES && !isSuperseded()) {
    try {
      started.push(await start());
    } catch (error) {
      failures += 1;
      why = error instanceof Error ? error.message : String(error);
    }
  }
  if (!isSuperseded() && started.length === count) {
    await balancer.register(started);
    return { ended: 'replaced' };
  }
  await Promise.all(started.map((process) => process.stop()));
  return isSuperseded() ? { ended: 'superseded' } : { ended: 'given up', why };
}

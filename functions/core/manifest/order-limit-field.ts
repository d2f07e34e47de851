import type { Field } from './fields.ts';
import { ORDER_LIMIT } from './our-annotations.ts';

/** Issuers of every kind have it. */
export const orderLimitField = (byDefault: string) =>
  ({
    path: `metadata.annotations.${ORDER_LIMIT}`,
    verdict: 'honoured',
    does: 'How many orders the CA takes: so many at once, and as many again over the duration, as in `300/3h`; or `none`. Beyond that orders wait, and what expires first goes first.',
    default: byDefault,
  }) as const satisfies Field;

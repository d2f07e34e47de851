import { type AcmeCall, DROPPED } from '../../local/acme/exchange.ts';
import type { CaBench } from './ca-bench.ts';

export type Json = Record<string, unknown>;

/** Lets a test rewrite what is said in one kind of answer, until what it answers is called. Refusals stay as they are. */
export function rewriting(bench: CaBench, resource: AcmeCall['resource'], rewrite: (body: Json) => Json): () => void {
  return bench.ca.use(async (call, next) => {
    const answer = await next();
    if (call.resource !== resource || answer === DROPPED || answer.status >= 300) return answer;
    return { ...answer, body: JSON.stringify(rewrite(JSON.parse(String(answer.body)) as Json)) };
  });
}

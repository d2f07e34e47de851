import { type AcmeAnswer, type AcmeCall, DROPPED } from '../../../../local/acme/exchange.ts';
import type { AcmeSettings } from '../../../../local/acme/settings.ts';
import type { AcmeCell } from '../cell.ts';
import { type AcmeCa, acmeRefusal } from './ca.ts';

/** A way to lie: it begins when called, and ends when its answer is. */
export type Lie = AcmeCell['lie'];

export type Resource = AcmeCall['resource'];

/** Answers one kind of request in the CA's place, so many times. */
export function meddle(
  ca: AcmeCa,
  resource: Resource,
  turns: number,
  answer: (next: () => Promise<AcmeAnswer>, call: AcmeCall) => Promise<AcmeAnswer>,
): () => void {
  let turn = 0;
  return ca.server.use(async (call, next) =>
    call.resource === resource && turn++ < turns ? answer(next, call) : next(),
  );
}

type Said = Pick<AcmeAnswer, 'headers'> & { readonly body: Readonly<Record<string, unknown>> };

/** Changes what is said where a request succeeded. */
export const rewriting =
  (resource: Resource, change: (said: Said) => Said): Lie =>
  (ca) =>
    meddle(ca, resource, Infinity, async (next) => {
      const answer = await next();
      if (answer === DROPPED || answer.status >= 300 || typeof answer.body !== 'string') return answer;
      const body = JSON.parse(answer.body) as Said['body'];
      const changed = change({ headers: answer.headers, body });
      return { ...answer, headers: changed.headers, body: JSON.stringify(changed.body) };
    });

export function withHeader(answer: AcmeAnswer, name: string, value: string): AcmeAnswer {
  return answer === DROPPED ? answer : { ...answer, headers: { ...answer.headers, [name]: value } };
}

export const refusing =
  (resource: Resource, status: number, type: string): Lie =>
  (ca) =>
    meddle(ca, resource, Infinity, async () => acmeRefusal(status, `because of ${type}`, type));

/** Sets one of the embedded CA's own settings for the day. */
export const setting =
  <Name extends keyof AcmeSettings>(name: Name, value: AcmeSettings[Name]): Lie =>
  ({ server: { settings } }) => {
    const honest = settings[name];
    settings[name] = value;
    return () => void (settings[name] = honest);
  };

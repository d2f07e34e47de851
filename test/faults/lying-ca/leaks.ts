import { KeyWatch } from '../../../local/wire/key-watch.ts';
import { type Ca, slotOf } from './ca.ts';
import type { Pipeline } from './pipeline.ts';

/** Where a private key, or its secret number in whatever form, was said. */
export async function leaksOf(pipeline: Pipeline, ca: Ca): Promise<readonly string[]> {
  const watch = new KeyWatch();
  const staged = [...pipeline.store.secret(slotOf(ca)).staged.values()];
  const own = staged.map((key) => key.export({ type: 'pkcs8', format: 'pem' }).toString());
  for (const pem of [...own, ...(await ca.keys())]) watch.learn(pem);
  for (const entry of pipeline.logged) watch.search('log', entry.message, JSON.stringify(entry));
  for (const event of pipeline.published) watch.search('bus', event.type, JSON.stringify(event));
  watch.search('ledger', 'record', JSON.stringify(await pipeline.record()));
  return watch.findings.map(({ channel, where }) => `${channel}: ${where}`);
}

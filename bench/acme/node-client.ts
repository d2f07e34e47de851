import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import acme from 'acme-client';
import { issuerOnPeers, newOrder, obtain } from '../../test/peers/issuer-on-peers.ts';

/**
 * One client, a process of its own: `node-client.ts everleaf|auto DIRECTORY CA-FILE COUNT AT-ONCE [NAME]`. Registers, obtains
 * one certificate to be warm where COUNT says more than one, then COUNT more, and prints what that took, as JSON.
 */
const [kind = '', directoryUrl = '', caFile = '', count = '1', atOnce = '1', name] = process.argv.slice(2);

const newName = (): string => name ?? `h-${randomUUID()}.test`;

/** Answers a function that obtains one certificate on an account of its own. */
function everleaf(): () => Promise<unknown> {
  const issuer = issuerOnPeers({ directoryUrl, caFile }, undefined).issuer();
  return async () => obtain(issuer, await newOrder({ dnsNames: [newName()], usages: ['digital signature'] }));
}

async function auto(): Promise<() => Promise<unknown>> {
  acme.axios.defaults.httpsAgent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  const accountKey = await acme.crypto.createPrivateEcdsaKey();
  const client = new acme.Client({ directoryUrl, accountKey });
  return async () => {
    const [, csr] = await acme.crypto.createCsr({ altNames: [newName()] }, await acme.crypto.createPrivateEcdsaKey());
    return client.auto({
      csr,
      termsOfServiceAgreed: true,
      challengePriority: ['dns-01'],
      skipChallengeVerification: true,
      challengeCreateFn: async () => {},
      challengeRemoveFn: async () => {},
    });
  };
}

const one = kind === 'everleaf' ? everleaf() : await auto();
const total = Number(count);
if (total > 1) await one();
const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
let left = total;
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await one();
  }),
);
const { user, system } = process.cpuUsage(cpuBefore);
process.stdout.write(
  JSON.stringify({
    seconds: (performance.now() - startedAt) / 1_000,
    cpuMs: (user + system) / 1_000,
    peakMiB: process.resourceUsage().maxRSS / 1_024,
  }),
);
// Connections that are kept would keep the process.
process.exit(0);

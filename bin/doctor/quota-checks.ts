import { type IssuerSpec, issuerIdOf } from '../../functions/core/certificate.ts';
import { formatSeconds } from '../../functions/core/time.ts';
import { fault, fine, type Finding, warning } from './finding.ts';
import type { Wanted } from './wanted.ts';

/** Quotas of Secrets Manager, an account and Region: secrets, and PutSecretValue with UpdateSecretVersionStage, not adjustable. */
const MOST_SECRETS = 500_000;
const WRITES_PER_SECOND = 50;
const WRITES_PER_RENEWAL = 4;

/** What is left of a lifetime when it is renewed, as a rule. */
const SPARE_SHARE = 1 / 3;

/** Computed, not asked for: what this many certificates take of what AWS and the CAs give. */
export function quotaChecks({ certificates, issuers }: Wanted): readonly Finding[] {
  const count = certificates.length;
  const perDay = certificates.reduce(
    (sum, { durationSeconds }) => sum + 86_400 / (durationSeconds * (1 - SPARE_SHARE)),
    0,
  );
  const seconds = (count * WRITES_PER_RENEWAL) / WRITES_PER_SECOND;
  const shortest = certificates.reduce((least, { durationSeconds }) => Math.min(least, durationSeconds), Infinity);
  const secrets =
    count > MOST_SECRETS * 0.8
      ? warning(
          'secrets',
          `${count.toLocaleString('en')} of ${MOST_SECRETS.toLocaleString('en')} that a Region holds`,
          'spread them over accounts or Regions, or ask AWS for a higher quota',
        )
      : fine('secrets', `${count.toLocaleString('en')} of ${MOST_SECRETS.toLocaleString('en')} that a Region holds`);
  const rate = `about ${perDay.toLocaleString('en', { maximumFractionDigits: 1 })} renewals a day; all at once would take Secrets Manager ${formatSeconds(seconds)}`;
  return [
    secrets,
    count > 0 && seconds > shortest * SPARE_SHARE
      ? fault('store', rate, 'lengthen spec.duration, or spread the certificates over Regions')
      : fine('store', rate),
    ...issuers.flatMap((issuer) => budgetFinding(issuer, certificates)),
  ];
}

/** Whether an issuer's budget of orders can replace all of its certificates before they run out. */
function budgetFinding({ ref, orderLimit }: IssuerSpec, certificates: Wanted['certificates']): readonly Finding[] {
  const own = certificates.filter(({ issuerRef }) => issuerIdOf(issuerRef) === issuerIdOf(ref));
  if (orderLimit === undefined || own.length === 0) return [];
  const { orders, perSeconds } = orderLimit;
  const seconds = (own.length * perSeconds) / orders;
  const spare = own.reduce((least, { durationSeconds }) => Math.min(least, durationSeconds), Infinity) * SPARE_SHARE;
  const text = `${own.length.toLocaleString('en')} certificates at ${orders} orders in ${formatSeconds(perSeconds)}: all of them take ${formatSeconds(seconds)}`;
  return seconds > spare
    ? [
        fault(
          `budget of ${ref.name}`,
          `${text}, and they have ${formatSeconds(spare)}`,
          'raise everleaf.dev/order-limit with the CA’s quota, or lengthen spec.duration',
        ),
      ]
    : [fine(`budget of ${ref.name}`, text)];
}

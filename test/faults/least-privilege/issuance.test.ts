import { MINUTE_MS } from '../../../functions/core/time.ts';
import {
  type AcmeDeployment,
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
} from '../../support/acme-deployment.ts';
import { certificateYaml, manifestOf } from '../../support/deployment.ts';
import { hasNoGrantTooMany } from './suite.ts';

const MANIFEST = documents(manifestOf(certificateYaml('inner')), acmeIssuerYaml(), publicCertificateYaml('shop'));

/** One certificate of each kind: issued, renewed, one of them revoked. */
async function* story(deployment: AcmeDeployment): AsyncGenerator<void> {
  await deployment.tick();
  yield;
  deployment.twin.route53.propagationLooks = 2;
  for (const name of ['inner', 'shop']) await deployment.requestRenewal(name).catch(() => undefined);
  await deployment.requestRevocation('inner').catch(() => undefined);
  for (let minute = 0; minute < 2; minute++) {
    await deployment.advance(MINUTE_MS);
    yield;
  }
  // The fleet is looked at every five.
  await deployment.advance(5 * MINUTE_MS);
}

await hasNoGrantTooMany(
  {
    name: 'the life of a certificate',
    covers: /./,
    deploy: (adapt) => deployWithAcme({ manifest: MANIFEST, adapt }),
    live: story,
  },
  20,
);

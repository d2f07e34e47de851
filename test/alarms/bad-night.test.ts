import { afterEach, describe, expect, it, vi } from 'vitest';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../functions/core/time.ts';
import { AwsError } from '../../local/wire/service.ts';
import { certificateYaml, FOREIGN_CA, GENERAL_CA, manifestOf } from '../support/deployment.ts';
import { become, withPeople } from '../support/people.ts';
import { readRunbook, runInShell } from '../support/runbook.ts';
import { watch, type Watch } from './watch.ts';

let night: Watch | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await night?.close();
});

const QUIET_MS = 61 * DAY_MS;
const REFUSED_MS = 15 * DAY_MS;
/** What goes by between; the rest of it is left until wall time, by which the command goes. */
const REST_MS = 2 * HOUR_MS;

/** One certificate of the CA that will refuse, one of another. */
const MANIFEST = [
  manifestOf(certificateYaml('desk')),
  manifestOf(certificateYaml('shop')).replace(GENERAL_CA, FOREIGN_CA).replaceAll('internal }', 'partner }'),
].join('---\n');

describe('a bad night', () => {
  it('ends by the lines of the runbook alone: the page rings, they are typed, it falls silent', async () => {
    const pastDays = (QUIET_MS + REFUSED_MS + REST_MS) / DAY_MS;
    night = await watch({ manifest: MANIFEST, pastDays, adapt: withPeople });
    const { deployment, minutes, skip, look } = night;
    const { twin } = deployment;
    expect(await minutes(20)).toEqual([]);

    const mendCa = twin.use(async (call, next) => {
      if (call.input['CertificateAuthorityArn'] !== FOREIGN_CA || call.operation !== 'IssueCertificate') return next();
      throw new AwsError('AccessDeniedException', 'not authorized to perform acm-pca:IssueCertificate');
    });
    skip(QUIET_MS);
    expect(await minutes(30)).toEqual(['CertificateBlocked']);
    skip(REFUSED_MS);
    expect(await minutes(20)).toEqual(['CertificateBlocked', 'ExpiryNear', 'Page']);

    // Whoever is woken has a shell, the policy of an operator, and the runbook.
    await become(deployment, 'operator');
    const entry = readRunbook().entries.find(({ anchor }) => anchor === 'expiry-near');
    const [looking = '', renewing = ''] = entry?.blocks ?? [];
    const shell = { ...process.env, STACK: 'Everleaf', AWS_ENDPOINT_URL: twin.endpoint };
    const seen = await runInShell(looking, shell);
    expect(seen.stdout).toMatch(/^default\/shop +blocked +partner .*AccessDenied/m);
    expect(seen.stdout).toMatch(/AttemptFailed.*not authorized to perform acm-pca:IssueCertificate/);
    mendCa();
    expect(await runInShell(renewing, shell)).toMatchObject({ code: 0 });

    skip(Date.now() - twin.clock.now());
    await twin.invoke('EverleafDetectionDetectFunction', {});
    await twin.settledAfterDelays('EverleafIssuanceQueue', 5 * SECOND_MS);
    await twin.invoke('EverleafSurveyFunction', {});
    expect(look()).toEqual([]);
    expect(await deployment.record('shop')).toMatchObject({ generation: 2 });
    expect((await deployment.record('desk')).generation).toBe(2);
  });
});

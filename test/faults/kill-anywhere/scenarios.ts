import type { CertificateId } from '../../../functions/core/certificate.ts';
import { apply, type Happening } from '../../../functions/core/transitions.ts';
import { DAY_MS } from '../../../functions/core/time.ts';
import type { AcmeServer } from '../../../local/acme/server.ts';
import {
  acmeIssuerYaml,
  deployWithAcme,
  documents,
  publicCertificateYaml,
  ZONE,
} from '../../support/acme-deployment.ts';
import { certificateYaml, type Deployment, deployOnTwin, GENERAL_CA, manifestOf } from '../../support/deployment.ts';

/** A renewal to be struck: a deployment whose certificates all wait, and how one of them is set going. */
export interface World {
  readonly deployment: Deployment;
  readonly ca: AcmeServer | undefined;
  /** The name of a certificate that is ready to be set going, and was not used up. */
  readonly next: () => Promise<string>;
  readonly setGoing: (name: string) => Promise<void>;
  /** Certificates that the CA has signed. */
  readonly signed: () => number;
  /** What is left where it must not be: TXT records, orders under way. */
  readonly leftovers: () => readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** `runs`: how often it will be set going. */
  open(runs: number): Promise<World>;
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `c${index}`);

/** Longer than any sweep. */
const HELD_MS = 3_000 * DAY_MS;

async function happens({ operator, now }: Deployment, id: CertificateId, happening: Happening): Promise<void> {
  const stored = await operator.inventory.read(id);
  if (stored === undefined) throw new Error(`${id} is not in the inventory`);
  await operator.inventory.write(apply(stored.value, happening, { actor: 'test', at: now() }), stored.revision);
}

/** A certificate that was never issued is due at once; here each waits for its turn. */
async function hold(deployment: Deployment): Promise<void> {
  const until = deployment.now() + HELD_MS;
  for (const { id } of await deployment.operator.records()) {
    await happens(deployment, id, { event: 'Deferred', until, cause: 'waits for its turn' });
  }
}

/** Each run has a certificate of its own. */
function firstIssuances(deployment: Deployment, runs: number): Pick<World, 'next' | 'setGoing'> {
  const waiting = [...names(runs)];
  return {
    next: async () => waiting.shift() ?? 'there are more runs than certificates',
    setGoing: async (name) => {
      const { id } = await deployment.record(name);
      await happens(deployment, id, { event: 'Reconsidered', cause: 'its turn' });
    },
  };
}

/** Certificates that take turns: as many as keep one from meeting its daily cap. */
const POOL = 8;

function renewals(deployment: Deployment): Pick<World, 'next' | 'setGoing'> {
  let turn = 0;
  return {
    next: async () => {
      const name = `c${turn++ % POOL}`;
      const { orders } = await deployment.record(name);
      const latest = Math.max(0, ...orders);
      if (latest > deployment.now() - DAY_MS) await deployment.advance(latest + DAY_MS - deployment.now());
      return name;
    },
    setGoing: (name) => deployment.requestRenewal(name),
  };
}

const ofPca = (deployment: Deployment): Pick<World, 'deployment' | 'ca' | 'signed' | 'leftovers'> => ({
  deployment,
  ca: undefined,
  signed: () => deployment.pca.issued(GENERAL_CA).length,
  leftovers: () => [],
});

const ofAcme = (deployment: Deployment & { readonly ca: AcmeServer }) => ({
  deployment,
  ca: deployment.ca,
  signed: () => deployment.ca.issued.length,
  leftovers: () => [
    ...deployment.twin.route53.records(ZONE).flatMap(({ type, name }) => (type === 'TXT' ? [`TXT ${name}`] : [])),
    ...(deployment.ca.openOrders === 0 ? [] : [`${deployment.ca.openOrders} open orders`]),
  ],
});

/** Sweeps of renewals take hundreds of days, and the twin's clock never passes wall time. */
const LONG_AGO_DAYS = 700;

async function acmeDeployment(manifest: string, reusesAuthorizations: boolean) {
  const deployment = await deployWithAcme({ manifest, pastDays: LONG_AGO_DAYS });
  // As Boulder does: an order whose receipt was lost is found again by ordering again.
  deployment.ca.settings.reusesOrders = true;
  deployment.ca.settings.reusesAuthorizations = reusesAuthorizations;
  return deployment;
}

async function acmeRenewals(reusesAuthorizations: boolean): Promise<World> {
  const manifest = documents(acmeIssuerYaml(), ...names(POOL).map((name) => publicCertificateYaml(name)));
  const deployment = await acmeDeployment(manifest, reusesAuthorizations);
  await deployment.tick();
  return { ...ofAcme(deployment), ...renewals(deployment) };
}

export const PCA_FIRST_ISSUANCE: Scenario = {
  name: 'ACM PCA, first issuance',
  open: async (runs) => {
    const deployment = await deployOnTwin({
      manifest: manifestOf(...names(runs).map((name) => certificateYaml(name))),
      pastDays: LONG_AGO_DAYS,
    });
    await hold(deployment);
    return { ...ofPca(deployment), ...firstIssuances(deployment, runs) };
  },
};

export const PCA_RENEWAL: Scenario = {
  name: 'ACM PCA, renewal',
  open: async () => {
    const deployment = await deployOnTwin({
      manifest: manifestOf(...names(POOL).map((name) => certificateYaml(name))),
      pastDays: LONG_AGO_DAYS,
    });
    await deployment.tick();
    return { ...ofPca(deployment), ...renewals(deployment) };
  },
};

export const PCA_REVOCATION: Scenario = {
  name: 'ACM PCA, revocation',
  open: async (runs) => {
    const world = await PCA_RENEWAL.open(runs);
    const { deployment } = world;
    const asked: string[] = [];
    const isRevoked = (serialNumber: string): boolean =>
      deployment.pca
        .issued(GENERAL_CA)
        .some(({ serial, revoked }) => serial === serialNumber.toLowerCase() && revoked !== undefined);
    return {
      ...world,
      setGoing: async (name) => {
        const { id, current } = await deployment.record(name);
        if (current === undefined) throw new Error(`${name} was never issued`);
        const { version, leaf } = current;
        asked.push(leaf.serialNumber);
        await happens(deployment, id, { event: 'RevocationRequested', version, reason: 'superseded', by: 'test' });
      },
      leftovers: () => asked.filter((serial) => !isRevoked(serial)).map((serial) => `${serial} was not revoked`),
    };
  },
};

export const ACME_FIRST_ISSUANCE: Scenario = {
  name: 'ACME, first issuance with an account of its own',
  open: async (runs) => {
    const own = names(runs).flatMap((name) => [
      acmeIssuerYaml('', `of-${name}`),
      publicCertificateYaml(name, '', `of-${name}`),
    ]);
    const deployment = await acmeDeployment(documents(...own), false);
    await hold(deployment);
    return { ...ofAcme(deployment), ...firstIssuances(deployment, runs) };
  },
};

export const ACME_RENEWAL: Scenario = {
  name: 'ACME, renewal with a new authorization',
  open: () => acmeRenewals(false),
};

export const ACME_RENEWAL_AUTHORIZED: Scenario = {
  name: 'ACME, renewal with a valid authorization',
  open: () => acmeRenewals(true),
};

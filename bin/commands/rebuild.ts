import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { CLIENT_SETTINGS } from '../../functions/aws/client.ts';
import { CLOSED } from '../../functions/core/breaker.ts';
import { type CertificateSpec, issuerIdOf, type IssuerSpec, type Manifest } from '../../functions/core/certificate.ts';
import { ConflictError } from '../../functions/core/errors.ts';
import { inParallel } from '../../functions/core/in-parallel.ts';
import { declare } from '../../functions/core/transitions.ts';
import { deploymentSecrets } from '../../functions/stores/deployment-secrets.ts';
import { secretNameOf } from '../../functions/stores/secret-name.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { type Account, allRecords, type StackOptions, withAccount } from '../operator/account.ts';
import { permittedBy } from '../operator/denied.ts';
import { hint } from '../operator/requests.ts';
import { passingLine, type Terminal } from '../terminal.ts';
import { EXIT_FINDINGS, EXIT_FINE, EXIT_INTERRUPTED } from './exit-codes.ts';

export interface RebuildOptions extends StackOptions {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Records written side by side. */
const CONCURRENCY = 10;

interface Plan {
  /** In the manifest and in the store, and not in the inventory. */
  readonly restore: readonly CertificateSpec[];
  readonly issuers: readonly IssuerSpec[];
  readonly known: number;
  /** In the manifest alone. */
  readonly neverIssued: readonly string[];
  /** Secrets whose certificate nobody declares. */
  readonly undeclared: readonly { readonly secret: string; readonly certificate: string }[];
}

/**
 * `everleaf rebuild DIR`: records that the inventory lacks are written anew, for every certificate of the manifest that has its
 * secret. The pipeline then takes up what the secrets hold, under its own role: no key comes to whoever runs this, and nothing is
 * issued.
 */
export async function rebuild(folder: string, options: RebuildOptions, io: Terminal): Promise<number> {
  const { manifest } = loadManifestOrThrow(folder);
  return permittedBy('recovery', () =>
    withAccount(options, async (account) => {
      const plan = await survey(manifest, account, io);
      if (options.dryRun) return print(plan, [], [], options, io);
      const restored: string[] = [];
      const notReached: string[] = [];
      await restoreIssuers(plan.issuers, account);
      // Before the certificates that refer to them; each text is written once.
      await inParallel(manifest.hooks ?? [], CONCURRENCY, (hook) => account.inventory.writeHook(hook));
      const line = passingLine(io.stderr);
      await inParallel(plan.restore, CONCURRENCY, async (spec) => {
        if (options.signal.aborted) return void notReached.push(spec.id);
        await restore(spec, account);
        restored.push(spec.id);
        line.show(`${restored.length} of ${plan.restore.length} records`);
      });
      line.clear();
      await hint(
        account,
        plan.restore.map(({ id }) => id).filter((id) => restored.includes(id)),
        io.stderr,
      );
      return print(plan, restored, notReached, options, io);
    }),
  );
}

async function survey({ certificates, issuers }: Manifest, account: Account, io: Terminal): Promise<Plan> {
  const { inventory, stack, endpoint } = account;
  const known = new Set<string>((await allRecords(inventory, io.stderr)).map(({ id }) => id));
  const client = new SecretsManagerClient({ ...CLIENT_SETTINGS, ...endpoint });
  const secrets = new Map<string, string>();
  try {
    for await (const { name, certificate } of deploymentSecrets(stack.deployment, client).list()) {
      secrets.set(name, certificate);
    }
  } finally {
    client.destroy();
  }
  const missing = certificates.filter(({ id }) => !known.has(id));
  const hasSecret = ({ id, secretName }: CertificateSpec): boolean =>
    secrets.get(secretNameOf(stack.deployment, { certificate: id, secretName })) === id;
  const declared = new Set<string>([...known, ...certificates.map(({ id }) => id)]);
  const stored = await Promise.all(issuers.map(({ ref }) => inventory.readIssuer(issuerIdOf(ref))));
  return {
    restore: missing.filter(hasSecret),
    issuers: issuers.filter((_spec, index) => stored[index] === undefined),
    known: certificates.length - missing.length,
    neverIssued: missing.filter((spec) => !hasSecret(spec)).map(({ id }) => id),
    undeclared: [...secrets]
      .filter(([, certificate]) => !declared.has(certificate))
      .map(([secret, certificate]) => ({ secret, certificate })),
  };
}

/** Whoever is first with a record is right: a deploy declares the same. */
async function unlessThere(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
  }
}

const restore = (spec: CertificateSpec, { inventory, person }: Account): Promise<void> =>
  unlessThere(() => inventory.write(declare(spec, { actor: person.arn, at: person.clock() }), undefined));

async function restoreIssuers(issuers: readonly IssuerSpec[], { inventory }: Account): Promise<void> {
  await inParallel(issuers, CONCURRENCY, (spec) =>
    unlessThere(() => inventory.writeIssuer({ id: issuerIdOf(spec.ref), spec, breaker: CLOSED }, undefined)),
  );
}

function print(
  { restore: toRestore, issuers, known, neverIssued, undeclared }: Plan,
  restored: readonly string[],
  notReached: readonly string[],
  { dryRun, json }: RebuildOptions,
  { stdout }: Terminal,
): number {
  const issuerIds = issuers.map(({ ref }) => issuerIdOf(ref));
  if (json) {
    const wouldRestore = toRestore.map(({ id }) => id);
    const report = { dryRun, wouldRestore, restored, notReached, issuers: issuerIds, known, neverIssued, undeclared };
    stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const verb = dryRun ? 'would be restored' : 'restored; the pipeline takes up what its secret holds';
    for (const id of dryRun ? toRestore.map(({ id: each }) => each) : restored) stdout.write(`✔ ${id}: ${verb}\n`);
    for (const id of issuerIds) stdout.write(`✔ ${id}: ${dryRun ? 'would be restored' : 'restored'}\n`);
    for (const id of neverIssued)
      stdout.write(`– ${id}: it has no secret, so nothing to restore; a deploy declares it\n`);
    for (const { secret, certificate } of undeclared) {
      stdout.write(
        `? secret ${secret} is of ${certificate}, which neither manifest nor inventory has; it stays as it is\n`,
      );
    }
    if (notReached.length > 0) stdout.write(`Interrupted. Not reached, for a second run: ${notReached.join(', ')}\n`);
    stdout.write(`${known.toLocaleString('en')} records were there.${dryRun ? ' Nothing was done.' : ''}\n`);
  }
  if (notReached.length > 0) return EXIT_INTERRUPTED;
  return undeclared.length === 0 ? EXIT_FINE : EXIT_FINDINGS;
}

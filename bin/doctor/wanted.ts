import { type CertificateSpec, issuerIdOf, type IssuerSpec } from '../../functions/core/certificate.ts';
import { isRenewed } from '../../functions/core/record.ts';
import { loadManifestOrThrow } from '../../lib/load-manifest.ts';
import { type Account, allRecords } from '../operator/account.ts';

/** What is to be issued, and by whom. */
export interface Wanted {
  readonly certificates: readonly CertificateSpec[];
  readonly issuers: readonly IssuerSpec[];
}

/** From a folder, before it is deployed, or from the inventory. */
export async function wantedOf(
  folder: string | undefined,
  account: Account,
  stderr: NodeJS.WritableStream,
): Promise<Wanted> {
  if (folder !== undefined) return loadManifestOrThrow(folder).manifest;
  const certificates = (await allRecords(account.inventory, stderr)).filter(isRenewed).map(({ spec }) => spec);
  const ids = new Set(certificates.map(({ issuerRef }) => issuerIdOf(issuerRef)));
  const issuers = await Promise.all([...ids].map((id) => account.inventory.readIssuer(id)));
  return { certificates, issuers: issuers.flatMap((stored) => stored?.value.spec ?? []) };
}

import { certificatesIn } from '../../core/manifest/certificates-in.ts';
import { error, type Path, type Problem } from '../../core/manifest/finding.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { IssuerDocument } from '../../core/ports.ts';
import { hostOf, isNeverCa } from '../../network/addresses.ts';
import type { AcmeOptions } from './options.ts';

/** What cert-manager's own fields have no room for. */
export const TRUST_ANCHORS = 'everleaf.dev/trust-anchors';
export const ACME_HOSTS = 'everleaf.dev/acme-hosts';

const placeOf = (annotation: string): Path => ['metadata', 'annotations', annotation];

const listed = (text: string): readonly string[] => text.split(',').map((item) => item.trim());

/** Where chains have to end: at the platform's roots, at those in PEM files beside the document, or at whatever the CA sends. */
export function readTrustAnchors({ annotations, fileBeside }: IssuerDocument): Reading<AcmeOptions['trustAnchors']> {
  const written = annotations[TRUST_ANCHORS];
  if (written === undefined) return reading('topOfChain', []);
  const names = listed(written);
  if (names.length === 1 && names[0] === 'public') return reading('public', []);
  const read = names.map((name) => readAnchors(name, fileBeside));
  return reading(
    [...new Set(read.flatMap(({ value }) => value ?? []))],
    read.flatMap(({ problems }) => problems),
  );
}

function readAnchors(name: string, fileBeside: IssuerDocument['fileBeside']): Reading<readonly string[]> {
  const path = placeOf(TRUST_ANCHORS);
  if (name === '' || name === 'public') {
    const remedy = 'Write `public`, or the names of PEM files beside this document, with commas between them.';
    return reading([], [error('InvalidAnnotation', path, `${showValue(name)} names no file.`, remedy)]);
  }
  const text = fileBeside(name);
  if (text === undefined) return reading([], [missing(name, path)]);
  const found = certificatesIn(text, { authoritiesOnly: true });
  if (found.ok) return reading(found.pems, []);
  return reading([], [error('InvalidBundle', path, `\`${name}\` ${found.fault.message}`, found.fault.remedy)]);
}

const missing = (name: string, path: Path): Problem => ({
  ...error(
    'MissingFile',
    path,
    `There is no file \`${name}\` beside this document.`,
    'Put it there, or mend its name.',
  ),
  missingFile: name,
});

/** Hosts that the CA's URLs may lead to, beside the directory's own: as URLs write them, without the port that goes without saying. */
export function readHosts({ annotations }: IssuerDocument): Reading<readonly string[]> {
  const written = annotations[ACME_HOSTS];
  if (written === undefined) return reading([], []);
  const read = listed(written).map(readHost);
  return reading(
    [...new Set(read.flatMap(({ value }) => value ?? []))],
    read.flatMap(({ problems }) => problems),
  );
}

function readHost(text: string): Reading<string> {
  const path = placeOf(ACME_HOSTS);
  const url = /^[^\s/?#@\\*]+$/.test(text) && URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined;
  if (url === undefined) {
    const remedy = 'Write `host` or `host:port`, as in `ca.example.org, ca.example.org:14000`.';
    return reading('', [error('InvalidAnnotation', path, `${showValue(text)} is not a host.`, remedy)]);
  }
  if (!isNeverCa(hostOf(url))) return reading(url.host, []);
  const message = `No CA is at \`${url.hostname}\`: instances and containers get their credentials from addresses like it.`;
  return reading('', [error('ForbiddenHost', path, message, "Write the CA's own host name.")]);
}

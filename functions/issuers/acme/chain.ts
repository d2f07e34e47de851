import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { IssuedChain } from '../../core/certificate.ts';
import { describeFailure, TransientError } from '../../core/errors.ts';
import type { IssuerContext } from '../../core/ports.ts';
import { splitCertificates } from '../../core/x509/pem.ts';
import type { AcmeAnswer, AcmeClient } from './client.ts';
import type { AcmeOptions } from './options.ts';

/** Alternate chains looked at. CAs have two or three. */
const MOST_ALTERNATES = 5;

/** Certificates of one chain. The gate has the same limit. */
const MOST_CERTIFICATES = 10;

type Wanted = Pick<AcmeOptions, 'preferredChain' | 'trustAnchors'>;
type Log = IssuerContext['log'];
type Chain = Pick<IssuedChain, 'leaf' | 'intermediates' | 'trustAnchors'>;

/**
 * Downloads a certificate with its chain (RFC 8555 §7.4.2): the one that the CA sends first, unless the issuer prefers another or
 * trusts only another. Alternates are fetched one by one, and only as long as none fits.
 */
export async function downloadChain(client: AcmeClient, url: string, wanted: Wanted, log: Log): Promise<Chain> {
  const first = await client.post(url, null, 'downloading a certificate');
  const chain = readChain(first, wanted);
  if (fits(chain, wanted)) return chain;
  for (const link of alternatesIn(first.link).slice(0, MOST_ALTERNATES)) {
    try {
      const alternate = new URL(link, url).href;
      const other = readChain(await client.post(alternate, null, 'downloading an alternate chain'), wanted);
      if (fits(other, wanted)) return other;
    } catch (error) {
      // The certificate is there, and was paid for: one chain less to choose from.
      log('an alternate chain was passed over', { certificate: url, failure: describeFailure(error) });
    }
  }
  // A preference is no condition; what is trusted is for the gate to judge.
  return chain;
}

function readChain({ body }: AcmeAnswer, { trustAnchors }: Wanted): Chain {
  const [leaf, ...intermediates] = splitCertificates(typeof body === 'string' ? body : '').slice(0, MOST_CERTIFICATES);
  if (leaf === undefined) throw new TransientError('CaAnswerUnreadable', 'the CA answered no PEM certificate');
  if (trustAnchors === 'topOfChain') return { leaf, intermediates, trustAnchors };
  const anchors = trustAnchors === 'public' ? rootCertificates : trustAnchors;
  return { leaf, intermediates, trustAnchors: signersOf([leaf, ...intermediates], anchors) };
}

/** Those of `anchors` that signed something in a chain. There may be a hundred and fifty; the gate is shown what matters. */
function signersOf(chain: readonly string[], anchors: readonly string[]): readonly string[] {
  const links = chain.flatMap(readOrNothing);
  return anchors.filter((anchor) => {
    const [signer] = readOrNothing(anchor);
    return signer !== undefined && links.some((link) => link.checkIssued(signer) && link.verify(signer.publicKey));
  });
}

/** The gate says what cannot be read; a link that cannot has no signer here. */
function readOrNothing(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}

function fits({ leaf, intermediates, trustAnchors }: Chain, { preferredChain }: Wanted): boolean {
  if (preferredChain !== undefined) return issuerOfTop([leaf, ...intermediates]) === preferredChain;
  return trustAnchors === 'topOfChain' || trustAnchors.length > 0;
}

/** As cert-manager compares it: common name of the issuer of the root-most certificate. */
function issuerOfTop(chain: readonly string[]): string | undefined {
  const [top] = readOrNothing(chain.at(-1) ?? '');
  return top?.issuer
    ?.split('\n')
    .find((line) => line.startsWith('CN='))
    ?.slice('CN='.length);
}

/** `Link: <https://ca/cert/1/1>;rel="alternate", …` (RFC 8288). */
function alternatesIn(link: string | undefined): readonly string[] {
  return [...(link ?? '').matchAll(/<([^<>]*)>\s*;([^<]*)/g)].flatMap(([, url = '', parameters = '']) =>
    /\brel\s*=\s*"?alternate"?/i.test(parameters) ? [url] : [],
  );
}

import type { Fault } from './finding.ts';
import { readCertificate } from '../x509/leaf.ts';
import { splitCertificates } from '../x509/pem.ts';

/** Of one bundle. Roots of a whole platform are more, and have a name of their own. */
const MAXIMUM_CERTIFICATES = 50;

const PRIVATE_KEY = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----/g;

export type CertificatesIn =
  { readonly ok: true; readonly pems: readonly string[] } | { readonly ok: false; readonly fault: Fault };

/** The certificates of a PEM bundle, each one once, or what is wrong with it: `holds no certificate.` Nothing of it is shown. */
export function certificatesIn(bundle: string, options: { readonly authoritiesOnly: boolean }): CertificatesIn {
  if (PRIVATE_KEY.test(bundle))
    return refused('holds a private key.', 'Remove the key and replace it: whoever reads the manifest has it.');
  const pems = splitCertificates(bundle);
  const announced = bundle.match(CERTIFICATE)?.length ?? 0;
  if (announced === 0)
    return refused(
      'holds no certificate.',
      'Write PEM, whose certificates stand between BEGIN CERTIFICATE and END CERTIFICATE.',
    );
  if (announced > MAXIMUM_CERTIFICATES) {
    return refused(
      `holds ${announced} certificates; ${MAXIMUM_CERTIFICATES} is the most.`,
      'Keep the roots of this CA.',
    );
  }
  if (pems.length < announced) return refused('holds a certificate that is not PEM all through.', CHECK);
  for (const [index, pem] of pems.entries()) {
    const fault = faultOf(pem, `certificate ${index + 1}`, options.authoritiesOnly);
    if (fault !== undefined) return { ok: false, fault };
  }
  return { ok: true, pems: [...new Set(pems)] };
}

const refused = (message: string, remedy: string): CertificatesIn => ({ ok: false, fault: { message, remedy } });

const CHECK = 'Copy it again; `openssl x509 -noout -text` reads what is whole.';

function faultOf(pem: string, which: string, authoritiesOnly: boolean): Fault | undefined {
  try {
    const { isCertificateAuthority } = readCertificate(pem);
    if (isCertificateAuthority || !authoritiesOnly) return undefined;
    return {
      message: `holds a certificate that is no CA's (${which}).`,
      remedy: "Keep the CA's own certificates only, those of its roots.",
    };
  } catch {
    return { message: `holds a certificate that cannot be read (${which}).`, remedy: CHECK };
  }
}

import { getCACertificates } from 'node:tls';
import { type CertificateFacts, readCertificate } from '../../core/x509/leaf.ts';

/** The platform's own. One that cannot be read anchors nothing. */
export const readPublicRoots = (): readonly CertificateFacts[] =>
  getCACertificates('default').flatMap((pem) => {
    try {
      return [readCertificate(pem)];
    } catch {
      return [];
    }
  });

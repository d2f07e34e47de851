/** RFC 7468 text encoding. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const CERTIFICATE_PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM bundle, in order, each with a final newline. Text around them is ignored (RFC 7468 §2). */
export function splitCertificates(bundle: string): readonly string[] {
  return [...bundle.matchAll(CERTIFICATE_PEM)].map(([block]) => `${block.replaceAll(/\r\n?/g, '\n')}\n`);
}

import { KeyUsageFlags } from '@peculiar/asn1-x509';
import type { Usage } from '../certificate.ts';

/** Bits of the KeyUsage extension (RFC 5280 §4.2.1.3) by cert-manager's names. */
export const KEY_USAGE_BITS: Readonly<Partial<Record<Usage, number>>> = {
  signing: KeyUsageFlags.digitalSignature,
  'digital signature': KeyUsageFlags.digitalSignature,
  'content commitment': KeyUsageFlags.nonRepudiation,
  'key encipherment': KeyUsageFlags.keyEncipherment,
  'key agreement': KeyUsageFlags.keyAgreement,
  'data encipherment': KeyUsageFlags.dataEncipherment,
  'cert sign': KeyUsageFlags.keyCertSign,
  'crl sign': KeyUsageFlags.cRLSign,
  'encipher only': KeyUsageFlags.encipherOnly,
  'decipher only': KeyUsageFlags.decipherOnly,
};

/** Key purposes of the ExtKeyUsage extension (RFC 5280 §4.2.1.12) by cert-manager's names. */
export const EXTENDED_KEY_USAGE_OIDS: Readonly<Partial<Record<Usage, string>>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

export const keyUsageBits = (usages: readonly Usage[]): number =>
  usages.reduce((bits, usage) => bits | (KEY_USAGE_BITS[usage] ?? 0), 0);

export const extendedKeyUsageOids = (usages: readonly Usage[]): readonly string[] => [
  ...new Set(usages.flatMap((usage) => EXTENDED_KEY_USAGE_OIDS[usage] ?? [])),
];

/** The name a person knows an OID by, else the OID. */
export const usageOfOid = (oid: string): string =>
  Object.entries(EXTENDED_KEY_USAGE_OIDS).find(([, known]) => known === oid)?.[0] ?? oid;

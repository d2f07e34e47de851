import { createPublicKey, type KeyObject } from 'node:crypto';
import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  KeyUsage,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
} from '@peculiar/asn1-x509';
import type { CertificateSpec } from '../certificate.ts';
import { canonicalIpAddress } from '../ip-address.ts';
import type { KeyHandle } from '../ports.ts';
import { toPem } from './pem.ts';
import { ID_AT_COMMON_NAME, ID_AT_COUNTRY, ID_AT_SERIAL_NUMBER, subjectAttributes } from './subject.ts';
import { extendedKeyUsageOids, keyUsageBits } from './usages.ts';

const ID_EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

/** A PKCS#10 request (RFC 2986) for what the manifest asks, signed by the key it is for. PEM. */
export async function buildCsr(spec: CertificateSpec, key: KeyHandle): Promise<string> {
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const request = new CertificationRequest({
    certificationRequestInfo: new CertificationRequestInfo({
      subject: subjectName(spec),
      subjectPKInfo: AsnConvert.parse(spki, SubjectPublicKeyInfo),
      attributes: new Attributes([
        new Attribute({ type: ID_EXTENSION_REQUEST, values: [AsnConvert.serialize(requestedExtensions(spec))] }),
      ]),
    }),
    signatureAlgorithm:
      key.publicKey.asymmetricKeyType === 'rsa'
        ? new AlgorithmIdentifier({ algorithm: SHA256_WITH_RSA, parameters: null })
        : new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 }),
  });
  const signed = AsnConvert.serialize(request.certificationRequestInfo);
  const signature = await key.sign(new Uint8Array(signed));
  request.signature = new Uint8Array(signature).buffer;
  return toPem('CERTIFICATE REQUEST', new Uint8Array(AsnConvert.serialize(request)));
}

/** The key that a request is for. Throws on anything that is not a PEM request of ours. */
export function csrPublicKey(pem: string): KeyObject {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
  const { certificationRequestInfo } = AsnConvert.parse(new Uint8Array(der), CertificationRequest);
  const spki = Buffer.from(AsnConvert.serialize(certificationRequestInfo.subjectPKInfo));
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}

function subjectName({ commonName, subject }: CertificateSpec): Name {
  const common = commonName === undefined ? [] : [{ type: ID_AT_COMMON_NAME, values: [commonName] }];
  return new Name(
    [...subjectAttributes(subject), ...common].flatMap(({ type, values }) =>
      values.map(
        (value) =>
          new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: attributeValue(type, value) })]),
      ),
    ),
  );
}

/** Country and serial number are PrintableString by X.520; everything else is UTF-8 (RFC 5280 §4.1.2.4). */
function attributeValue(type: string, value: string): AttributeValue {
  const printable = type === ID_AT_COUNTRY || type === ID_AT_SERIAL_NUMBER;
  return new AttributeValue(printable ? { printableString: value } : { utf8String: value });
}

function requestedExtensions(spec: CertificateSpec): Extensions {
  const names = generalNames(spec);
  const purposes = extendedKeyUsageOids(spec.usages);
  const bits = keyUsageBits(spec.usages);
  const extensions = bits === 0 ? [] : [extension(id_ce_keyUsage, new KeyUsage(bits), true)];
  if (purposes.length > 0) extensions.push(extension(id_ce_extKeyUsage, new ExtendedKeyUsage([...purposes]), false));
  if (names.length > 0) {
    // Critical when it is the only name there is (RFC 5280 §4.2.1.6).
    extensions.push(extension(id_ce_subjectAltName, new SubjectAlternativeName(names), subjectName(spec).length === 0));
  }
  return new Extensions(extensions);
}

function extension(extnID: string, value: object, critical: boolean): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function generalNames(spec: CertificateSpec): GeneralName[] {
  return [
    ...spec.dnsNames.map((dNSName) => new GeneralName({ dNSName })),
    ...spec.emailAddresses.map((rfc822Name) => new GeneralName({ rfc822Name })),
    // One spelling: the ASN.1 library misreads IPv6 that ends in dotted decimals.
    ...spec.ipAddresses.map((address) => new GeneralName({ iPAddress: canonicalIpAddress(address) })),
    ...spec.uris.map((uniformResourceIdentifier) => new GeneralName({ uniformResourceIdentifier })),
  ];
}

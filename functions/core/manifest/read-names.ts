import { canonicalIpAddress } from '../ip-address.ts';
import type { CertificateSpec } from '../certificate.ts';
import type { CertificateFields } from './certificate-shape.ts';
import { error, warning, type Problem } from './finding.ts';
import { dnsNameFault, emailAddressFault, ipAddressFault, uriFault, type NameFault } from './names.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

export type Names = Pick<CertificateSpec, 'commonName' | 'dnsNames' | 'ipAddresses' | 'uris' | 'emailAddresses'>;

/** As public CAs allow; the private ones allow as many. */
const MAXIMUM_NAMES = 100;

/** RFC 5280 appendix A.1, `ub-common-name`; counted in bytes, as cert-manager does. */
const MAXIMUM_COMMON_NAME_BYTES = 64;

const LISTS = {
  // DNS names do not tell upper from lower case (RFC 4343), and CAs answer in lower case.
  dnsNames: { faultOf: dnsNameFault, canonical: (name: string) => name.toLowerCase() },
  ipAddresses: { faultOf: ipAddressFault, canonical: canonicalIpAddress },
  uris: { faultOf: uriFault, canonical: (uri: string) => uri },
  emailAddresses: { faultOf: emailAddressFault, canonical: (address: string) => address },
} as const;
type ListName = keyof typeof LISTS;
const LIST_NAMES = Object.keys(LISTS) as ListName[];

export function readNames(fields: CertificateFields): Reading<Names> {
  // Empty text is Go's way to leave a field out.
  const commonName = fields.commonName === '' ? undefined : fields.commonName;
  const dnsNames = readList('dnsNames', fields);
  const ipAddresses = readList('ipAddresses', fields);
  const uris = readList('uris', fields);
  const emailAddresses = readList('emailAddresses', fields);
  const names: Names = {
    ...(commonName === undefined ? {} : { commonName }),
    dnsNames: dnsNames.names,
    ipAddresses: ipAddresses.names,
    uris: uris.names,
    emailAddresses: emailAddresses.names,
  };
  return reading(names, [
    ...commonNameProblems(commonName),
    ...dnsNames.problems,
    ...ipAddresses.problems,
    ...uris.problems,
    ...emailAddresses.problems,
    ...countProblems(fields),
  ]);
}

function readList(list: ListName, fields: CertificateFields): { names: string[]; problems: Problem[] } {
  const { faultOf, canonical } = LISTS[list];
  const seen = new Map<string, number>();
  const problems = (fields[list] ?? []).flatMap((name, index): Problem[] => {
    const path = ['spec', list, index];
    const fault: NameFault | undefined = faultOf(name);
    if (fault !== undefined) return [error('InvalidName', path, `${showValue(name)} ${fault.message}`, fault.remedy)];
    const key = canonical(name);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, index);
      return [];
    }
    const message = `${showValue(name)} is already item ${first + 1} of \`${list}\`.`;
    return [warning('DuplicateName', path, message, 'Remove this one.')];
  });
  return { names: [...seen.keys()], problems };
}

function commonNameProblems(commonName: string | undefined): Problem[] {
  if (commonName === undefined) return [];
  const path = ['spec', 'commonName'];
  const bytes = new TextEncoder().encode(commonName).length;
  if (bytes > MAXIMUM_COMMON_NAME_BYTES) {
    const message = `The common name is ${bytes} bytes long; ${MAXIMUM_COMMON_NAME_BYTES} is the most (RFC 5280).`;
    return [error('InvalidName', path, message, 'Shorten it, or leave it out: clients read `dnsNames`.')];
  }
  if (!/\p{Cc}/u.test(commonName)) return [];
  return [
    error('InvalidName', path, 'The common name holds control characters.', 'Write it on one line of plain text.'),
  ];
}

function countProblems(fields: CertificateFields): Problem[] {
  const listed = LIST_NAMES.reduce((sum, list) => sum + (fields[list]?.length ?? 0), 0);
  if (listed === 0 && (fields.commonName ?? '') === '') {
    const message = 'The certificate has no name.';
    const remedy = 'Add at least one of `dnsNames`, `ipAddresses`, `uris`, `emailAddresses` or `commonName`.';
    return [error('NoNames', ['spec'], message, remedy)];
  }
  if (listed <= MAXIMUM_NAMES) return [];
  const longest = LIST_NAMES.toSorted((a, b) => (fields[b]?.length ?? 0) - (fields[a]?.length ?? 0))[0] ?? 'dnsNames';
  const message = `The certificate has ${listed} names; ${MAXIMUM_NAMES} is the most.`;
  return [error('TooManyNames', ['spec', longest], message, 'Split it into several certificates, or use a wildcard.')];
}

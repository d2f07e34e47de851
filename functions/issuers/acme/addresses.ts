import { BlockList, isIP } from 'node:net';

/** Nobody's CA: addresses that give credentials to whoever asks, and those that are none. IPv4 mapped into IPv6 counts as IPv4. */
const NEVER = new BlockList();
/** Link-local (RFC 3927, RFC 4291 §2.5.6): AWS's metadata services are there, */
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addSubnet('fe80::', 10, 'ipv6');
/** and here over IPv6, with EKS's beside it. */
NEVER.addAddress('fd00:ec2::254', 'ipv6');
NEVER.addAddress('fd00:ec2::23', 'ipv6');
/** "This host" (RFC 1122 §3.2.1.3), and the unspecified address. */
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addAddress('::', 'ipv6');

/** Where AWS may put more of that kind. A manifest may name an address of these; no connection goes there. */
const BESIDE_METADATA = new BlockList();
BESIDE_METADATA.addSubnet('fd00:ec2::', 32, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** A URL's host, without the brackets around an IPv6 address. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[|\]$/g, '');

export const isNeverCa = (host: string): boolean => isIn(NEVER, host);

export const isNeverReached = (host: string): boolean => isNeverCa(host) || isIn(BESIDE_METADATA, host);

export const isLoopback = (host: string): boolean => isIn(LOOPBACK, host);

/** No name is in a list. */
function isIn(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && list.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

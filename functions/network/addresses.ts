import { BlockList, isIP } from 'node:net';

/** Nobody's server: addresses that give credentials to whoever asks, and those that are none. IPv4 mapped into IPv6 counts as IPv4. */
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

/** A manifest may name an address of these; no connection goes there. */
const NOT_REACHED = new BlockList();
/** Where AWS may put more of the metadata kind. */
NOT_REACHED.addSubnet('fd00:ec2::', 32, 'ipv6');
/** Link-local addresses as a translator has them (RFC 6052 §2.1), one with a prefix of its own (RFC 8215), and 6to4 (RFC 3056 §2). */
NOT_REACHED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
NOT_REACHED.addSubnet('64:ff9b:1::', 48, 'ipv6');
NOT_REACHED.addSubnet('2002:a9fe::', 32, 'ipv6');
/** Multicast (RFC 5771, RFC 4291 §2.7), and what nobody was given, with the broadcast address (RFC 1112 §4). */
NOT_REACHED.addSubnet('224.0.0.0', 4, 'ipv4');
NOT_REACHED.addSubnet('240.0.0.0', 4, 'ipv4');
NOT_REACHED.addSubnet('ff00::', 8, 'ipv6');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** A URL's host, without the brackets around an IPv6 address. */
export const hostOf = ({ hostname }: Pick<URL, 'hostname'>): string => hostname.replace(/^\[|\]$/g, '');

/** An address at which a manifest is not to name a CA. */
export const isNeverCa = (host: string): boolean => isIn(NEVER, host);

/** An address that no connection goes to. */
export const isNeverReached = (host: string): boolean => isNeverCa(host) || isIn(NOT_REACHED, host);

export const isLoopback = (host: string): boolean => isIn(LOOPBACK, host);

/** No name is in a list. A zone index (RFC 4007 §11) only says which link of this machine is meant. */
function isIn(list: BlockList, host: string): boolean {
  const [address = ''] = host.split('%');
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

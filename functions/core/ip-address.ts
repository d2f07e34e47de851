/** One text for one address: IPv6 has many spellings, URL parsing gives RFC 5952's. What is no address comes back as it is. */
export function canonicalIpAddress(address: string): string {
  if (!address.includes(':')) return address;
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1) ?? address;
}

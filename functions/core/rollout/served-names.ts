/** The names by which a leaf can be served. */
export interface ServedNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** Whether clients would take a leaf with these names for `name` (RFC 6125 §6.4: a wildcard stands for one label). */
export function isNamed({ dnsNames, ipAddresses }: ServedNames, name: string): boolean {
  const wanted = name.toLowerCase();
  const dot = wanted.indexOf('.');
  const wildcard = dot > 0 ? `*${wanted.slice(dot)}` : undefined;
  return (
    dnsNames.some((own) => own.toLowerCase() === wanted || own.toLowerCase() === wildcard) ||
    ipAddresses.some((own) => own.toLowerCase() === wanted)
  );
}

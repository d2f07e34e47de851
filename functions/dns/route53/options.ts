/** What `route53` in a dns-01 solver comes to. */
export interface Route53Options {
  /** The zone to write to, without the prefix `/hostedzone/`. Absent: found by name. */
  readonly hostedZoneId?: string;
  /** A role to assume before the zone is written, for a zone in another account. */
  readonly role?: string;
  /** Where that role is assumed. */
  readonly region?: string;
}

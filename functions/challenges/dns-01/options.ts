/** What a `dns01` solver comes to. */
export interface Dns01Options {
  /** Whether a CNAME at `_acme-challenge.NAME` says where the record goes (`cnameStrategy: Follow`). */
  readonly followsCnames: boolean;
  /** The DNS writer's `field`: `route53`. */
  readonly writer: string;
  /** As that writer's plug-in parsed them. */
  readonly options: unknown;
}

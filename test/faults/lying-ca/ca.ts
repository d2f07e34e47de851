import type { CertificateSpec, IssuerSpec } from '../../../functions/core/certificate.ts';
import type { IssuerContext, SecretSlot } from '../../../functions/core/ports.ts';
import type { Instant } from '../../../functions/core/time.ts';
import type { ConnectedIssuer } from '../../../functions/issue/parts.ts';
import type { TimeLimit } from './time-limit.ts';

/** One request as the CA saw it arrive. */
export interface Asked {
  readonly at: Instant;
  /** The protocol's own word: `newOrder`, `IssueCertificate`. */
  readonly step: string;
  readonly path: string;
}

/** What a pipeline and a cell want of a CA of either protocol: the real adapter before a real server on loopback. */
export interface Ca {
  readonly issuer: IssuerSpec;
  readonly spec: CertificateSpec;
  readonly limit: TimeLimit;
  /** As a cold function does. */
  connect(context: Pick<IssuerContext, 'clock' | 'log'>): Promise<ConnectedIssuer>;
  readonly asked: readonly Asked[];
  /** Certificates signed so far. */
  issued(): number;
  /** Hosts that a request was sent to. */
  readonly hosts: ReadonlySet<string>;
  readonly ownHost: string;
  /** Private keys that the adapter holds itself, PEM. */
  keys(): Promise<readonly string[]>;
  /** Bytes of the largest answer that was poured out until the client left. */
  poured: number;
  close(): Promise<void>;
}

export const slotOf = ({ spec }: Pick<Ca, 'spec'>): SecretSlot => ({
  certificate: spec.id,
  secretName: spec.secretName,
});

import type { AcmeCa } from './acme/ca.ts';
import type { Scene } from './faults.ts';
import type { PcaCa } from './pca/ca.ts';

/** What a day of a fault comes to. */
export type Outcome =
  | { readonly ends: 'healed' }
  /** Nobody has to do anything. Without a code nothing has failed: it is the CA's own wait. */
  | { readonly ends: 'waits'; readonly code: string | undefined }
  /** A person has to know, by this message. */
  | { readonly ends: 'blocked'; readonly code: string; readonly says: RegExp };

export const HEALED: Outcome = { ends: 'healed' };
export const waits = (code?: string): Outcome => ({ ends: 'waits', code });
export const blocked = (code: string, says: RegExp): Outcome => ({ ends: 'blocked', code, says });

/** Where in a certificate's life the bad day begins. */
export type Beginning = 'first issuance' | 'half a day before renewal' | 'half a day before the last tenth';

interface CellFacts {
  readonly step: string;
  readonly fault: string;
  /** `once`: the first time, and never again. */
  readonly lasts: 'always' | 'once';
  readonly begins: Beginning;
  readonly expected: Outcome;
  /** The most that the CA is asked in that day, and signs in it. */
  readonly requests: number;
  readonly issuances: number;
  /** What the CA asks for whenever it refuses this; `alone`: nothing else has to wait for it. */
  readonly retryAfter?: { readonly seconds: number; readonly step: string; readonly alone: boolean };
}

export interface AcmeCell extends CellFacts {
  readonly protocol: 'ACME';
  /** Makes the CA lie; the answer makes it honest again. */
  readonly lie: (ca: AcmeCa, scene: Scene) => () => void;
}

export interface PcaCell extends CellFacts {
  readonly protocol: 'PCA';
  readonly lie: (ca: PcaCa, scene: Scene) => () => void;
}

export type Cell = AcmeCell | PcaCell;

export const nameOf = ({ protocol, step, fault, lasts }: Cell): string => `${protocol} · ${step} · ${fault} · ${lasts}`;

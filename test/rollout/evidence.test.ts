import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../functions/core/rollout/evidence.ts';
import { keptEvidence } from '../../functions/core/rollout/progress.ts';
import { EVIDENCE_KEPT } from '../../functions/core/rollout/record.ts';

const seen = (endpoint: string, address: string, verdict: Evidence['verdict']): Evidence => ({
  endpoint,
  address,
  verdict,
  detail: '',
});

describe('the evidence that is kept', () => {
  it('is the latest of each endpoint: addresses that are gone say nothing any more', () => {
    const before = [seen('a:443', '10.0.0.1', 'unreachable'), seen('b:443', '10.0.0.9', 'otherLeaf')];
    const latest = [seen('a:443', '10.0.0.2', 'served')];
    expect(keptEvidence(before, latest)).toEqual([
      seen('b:443', '10.0.0.9', 'otherLeaf'),
      seen('a:443', '10.0.0.2', 'served'),
    ]);
  });

  it('has what is wrong first, and no more than a record holds', () => {
    const many = Array.from({ length: 2 * EVIDENCE_KEPT }, (_, index) => seen('a:443', `10.0.0.${index}`, 'served'));
    const kept = keptEvidence([], [...many, seen('a:443', '10.1.0.0', 'badChain')]);
    expect(kept).toHaveLength(EVIDENCE_KEPT);
    expect(kept[0]).toMatchObject({ verdict: 'badChain' });
  });
});

import { WRONG_LEAVES } from '../../../../local/pca/wrong-leaves.ts';
import { type AcmeCell, HEALED, type Outcome } from '../cell.ts';
import { clocks, LEAVES, NO_CERTIFICATE, UNREADABLE } from '../leaves.ts';
import { cell, GOOD_DAY_REQUESTS } from './cell.ts';
import { type Lie, meddle, setting } from './meddle.ts';

type WrongLeaf = keyof typeof WRONG_LEAVES;

/** No lifetime is asked for by ACME, so that none is too long. */
const outcomeOf = (kind: WrongLeaf): Outcome => (kind === 'longLived' ? HEALED : LEAVES[kind]);

const boundsOf = ({ ends }: Outcome): { readonly requests: number } => ({
  requests: ends === 'healed' ? GOOD_DAY_REQUESTS : 12,
});

/** Without trust anchors in the manifest a CA is trusted for its TLS, and whatever it signs leads to its top. */
const anchored =
  (lie: Lie): Lie =>
  (ca, scene) => {
    ca.options = { trustAnchors: ca.server.roots };
    return lie(ca, scene);
  };

const wrong = (Object.keys(WRONG_LEAVES) as WrongLeaf[]).map((kind): AcmeCell => {
  const lie = setting('misissue', WRONG_LEAVES[kind]);
  const expected = outcomeOf(kind);
  return cell('certificate', `leaf: ${kind}`, expected, boundsOf(expected), kind === 'untrusted' ? anchored(lie) : lie);
});

export const acmeLeafCells: readonly AcmeCell[] = [
  ...wrong,
  cell(
    'certificate',
    'leaf: untrusted, and no anchor is named',
    HEALED,
    boundsOf(HEALED),
    setting('misissue', WRONG_LEAVES.untrusted),
  ),
  cell('certificate', 'leaf: none in the PEM', UNREADABLE, boundsOf(UNREADABLE), (ca) =>
    meddle(ca, 'certificate', Infinity, async (next) => ({ ...(await next()), body: NO_CERTIFICATE })),
  ),
  ...clocks(true).map(([fault, expected, misissue]) =>
    cell('certificate', fault, expected, boundsOf(expected), setting('misissue', misissue)),
  ),
];

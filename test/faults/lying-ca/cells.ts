import { acmeLeafCells } from './acme/leaves.ts';
import { acmeOrderCells } from './acme/orders.ts';
import { acmeStepCells } from './acme/steps.ts';
import { acmeUrlCells } from './acme/urls.ts';
import { acmeWindowCells } from './acme/windows.ts';
import type { Cell } from './cell.ts';
import { pcaLieCells } from './pca/lies.ts';
import { pcaStepCells } from './pca/steps.ts';

/** The matrix: each step of each protocol, with each fault that it can meet. */
export const CELLS: readonly Cell[] = [
  ...acmeStepCells,
  ...acmeUrlCells,
  ...acmeOrderCells,
  ...acmeWindowCells,
  ...acmeLeafCells,
  ...pcaStepCells,
  ...pcaLieCells,
];

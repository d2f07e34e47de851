import { PCA_FIRST_ISSUANCE } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(PCA_FIRST_ISSUANCE);

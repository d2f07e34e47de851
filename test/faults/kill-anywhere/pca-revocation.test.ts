import { PCA_REVOCATION } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(PCA_REVOCATION);

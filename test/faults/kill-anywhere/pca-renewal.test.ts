import { PCA_RENEWAL } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(PCA_RENEWAL);

import { ACME_RENEWAL } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(ACME_RENEWAL);

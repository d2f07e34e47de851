import { ACME_FIRST_ISSUANCE } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(ACME_FIRST_ISSUANCE);

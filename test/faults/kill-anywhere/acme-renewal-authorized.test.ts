import { ACME_RENEWAL_AUTHORIZED } from './scenarios.ts';
import { survivesAnywhere } from './suite.ts';

survivesAnywhere(ACME_RENEWAL_AUTHORIZED);

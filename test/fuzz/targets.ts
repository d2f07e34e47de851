import type { Target } from './target.ts';
import { acmPca } from './acm-pca.ts';
import { acme } from './acme.ts';
import { der } from './der.ts';
import { events } from './events.ts';
import { gate } from './gate.ts';
import { inventory } from './inventory.ts';
import { manifest } from './manifest.ts';
import { pem } from './pem.ts';
import { secrets } from './secrets.ts';

export const TARGETS: readonly Target[] = [events, inventory, secrets, pem, der, gate, acme, acmPca, manifest];

import type { CertificateSpec } from '../functions/core/certificate.ts';
import { nearest } from '../functions/core/manifest/nearest.ts';

/** Names in an error; a fleet has ten thousand. */
const SHOWN = 10;

/** The certificates of the manifest, by name: a name that nobody declared is found out at synthesis, not by an absent event. */
export class DeclaredCertificates {
  readonly #byId: ReadonlyMap<string, CertificateSpec>;

  constructor(specs: readonly CertificateSpec[]) {
    this.#byId = new Map(specs.map((spec) => [spec.id, spec]));
  }

  named(name: string): CertificateSpec {
    const spec = this.#byId.get(name.includes('/') ? name : `default/${name}`);
    if (spec !== undefined) return spec;
    const names = [...this.#byId.keys()].map((id) => id.replace(/^default\//, ''));
    const meant = nearest(name, names);
    const [some, more] = [names.slice(0, SHOWN), names.length - SHOWN];
    const known = `It declares ${some.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
    const remedy = meant === undefined ? known : `Did you mean "${meant}"?`;
    throw new Error(`Everleaf: the manifest declares no certificate "${name}". ${remedy}`);
  }
}

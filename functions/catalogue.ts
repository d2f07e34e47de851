import type { IssuerSpec } from './core/certificate.ts';
import { PermanentError } from './core/errors.ts';
import type { Grant, Issuer, IssuerPlugin } from './core/ports.ts';
import { acmPca } from './issuers/acm-pca/plugin.ts';

/** Every issuer kind there is. A new one is its folder in `issuers/` and its line here. */
export const ISSUERS: readonly IssuerPlugin<unknown>[] = [acmPca];

/** A plug-in bound to the options one issuer document gave. */
export interface BoundIssuer {
  readonly plugin: Pick<IssuerPlugin<unknown>, 'kind' | 'uninvitedUsages' | 'honoursNotAfter'>;
  readonly needs: readonly Grant[];
  readonly create: () => Promise<Issuer>;
}

/** The plug-in for an issuer as the manifest declared it. Its options were parsed by that plug-in. */
export function bindIssuer({ plugin: kind, options, ref }: IssuerSpec): BoundIssuer {
  const plugin = ISSUERS.find((candidate) => candidate.kind === kind);
  if (plugin === undefined) {
    throw new PermanentError('UnknownIssuerKind', `issuer ${ref.name}: there is no plug-in "${kind}" in this version`);
  }
  return { plugin, needs: plugin.needs(options), create: () => plugin.create(options) };
}

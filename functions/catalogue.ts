import { dns01 } from './challenges/dns-01/plugin.ts';
import type { IssuerSpec } from './core/certificate.ts';
import { PermanentError } from './core/errors.ts';
import type { HookPlugin } from './core/rollout/ports.ts';
import type { ChallengePlugin, DnsWriterPlugin, Grant, Issuer, IssuerContext, IssuerPlugin } from './core/ports.ts';
import { route53 } from './dns/route53/plugin.ts';
import { ecs } from './hooks/ecs/plugin.ts';
import { eks } from './hooks/eks/plugin.ts';
import { acme } from './issuers/acme/plugin.ts';
import { acmPca } from './issuers/acm-pca/plugin.ts';

/** Every plug-in there is. A new one is its folder and its line here. */
const DNS_WRITERS: readonly DnsWriterPlugin<unknown>[] = [route53];
const CHALLENGES: readonly ChallengePlugin<unknown>[] = [dns01(DNS_WRITERS)];
export const ISSUERS: readonly IssuerPlugin<unknown>[] = [acmPca, acme(CHALLENGES)];
export const HOOKS: readonly HookPlugin<unknown>[] = [ecs, eks];

/** A plug-in bound to the options one issuer document gave. */
export interface BoundIssuer {
  readonly plugin: Pick<IssuerPlugin<unknown>, 'kind' | 'uninvitedUsages' | 'withheldUsages' | 'honoursNotAfter'>;
  readonly needs: readonly Grant[];
  readonly create: (context: IssuerContext) => Promise<Issuer>;
}

/** The plug-in for an issuer as the manifest declared it. Its options were parsed by that plug-in. */
export function bindIssuer({ plugin: kind, options, ref }: IssuerSpec): BoundIssuer {
  const plugin = ISSUERS.find((candidate) => candidate.kind === kind);
  if (plugin === undefined) {
    throw new PermanentError('UnknownIssuerKind', `issuer ${ref.name}: there is no plug-in "${kind}" in this version`);
  }
  return { plugin, needs: plugin.needs(options), create: (context) => plugin.create(options, context) };
}

/** The plug-in for hooks of this kind. Their targets' options were parsed by it. */
export function hookPlugin(kind: string): HookPlugin<unknown> {
  const plugin = HOOKS.find((candidate) => candidate.kind === kind);
  if (plugin !== undefined) return plugin;
  throw new PermanentError('UnknownHookKind', `there is no hook plug-in "${kind}" in this version`);
}

import { error, type Fault, type Path, type Problem } from '../../core/manifest/finding.ts';
import { dnsNameFault } from '../../core/manifest/names.ts';
import { reading, type Reading } from '../../core/manifest/reading.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import type { SolverOptions } from './options.ts';
import type { SolverFields } from './shape.ts';

type Selector = Pick<SolverOptions, 'matchLabels' | 'dnsNames' | 'dnsZones'>;

/** Names in the spelling that names of certificates have, so that the two compare. Without a selector everything matches. */
export function readSelector(fields: NonNullable<SolverFields['selector']>, path: Path): Reading<Selector> {
  const { matchLabels = {}, dnsNames = [], dnsZones = [] } = fields;
  const zones = dnsZones.map((zone) => zone.replace(/\.$/, ''));
  const selector = {
    matchLabels,
    dnsNames: dnsNames.map((name) => name.toLowerCase()),
    dnsZones: zones.map((zone) => zone.toLowerCase()),
  };
  return reading(selector, [
    ...dnsNames.flatMap((name, index) => faultAt(name, dnsNameFault(name), [...path, 'dnsNames', index])),
    ...zones.flatMap((zone, index) => faultAt(zone, zoneFault(zone), [...path, 'dnsZones', index])),
  ]);
}

const faultAt = (name: string, fault: Fault | undefined, path: Path): Problem[] =>
  fault === undefined ? [] : [error('InvalidName', path, `${showValue(name)} ${fault.message}`, fault.remedy)];

const zoneFault = (zone: string): Fault | undefined =>
  zone.startsWith('*.')
    ? {
        message: 'is not a zone.',
        remedy: `Write \`${zone.slice(2)}\`: a zone holds everything beneath it, wildcards as well.`,
      }
    : dnsNameFault(zone);

import { createHash } from 'node:crypto';
import type { KeyedBundle, Release } from '../../core/rollout/ports.ts';
import type { ObjectRef } from './api.ts';
import { type EksOptions, FIELD_MANAGER, type Workload } from './options.ts';

const APPS = '/apis/apps/v1';

const RESOURCES: Readonly<Record<Workload['kind'], string>> = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};

export const secretOf = ({ namespace, secretName }: EksOptions): ObjectRef => ({
  api: '/api/v1',
  resource: 'secrets',
  namespace,
  name: secretName,
});

export const workloadOf = ({ namespace }: EksOptions, { kind, name }: Workload): ObjectRef => ({
  api: APPS,
  resource: RESOURCES[kind],
  namespace,
  name,
});

/** The Secret as it is to be, for server-side apply: what is not in it is left to others. */
export function appliedSecret(
  { namespace, secretName }: EksOptions,
  { certificate, version }: Release,
  bundle: KeyedBundle,
): object {
  // Where no trust anchor is known there is none to hand on.
  const fields = Object.entries(bundle).filter(([, pem]) => pem !== '');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName,
      namespace,
      labels: { 'app.kubernetes.io/managed-by': FIELD_MANAGER },
      annotations: { 'everleaf.dev/certificate': certificate, 'everleaf.dev/version': version },
    },
    type: 'kubernetes.io/tls',
    data: Object.fromEntries(fields.map(([name, pem]) => [name, Buffer.from(pem).toString('base64')])),
  };
}

/** The longest name of an annotation, its prefix not counted. */
const LONGEST_NAME = 63;

/** One annotation a Secret: a workload may read several, and each of them has a version. */
export function versionAnnotation({ secretName }: EksOptions): string {
  const isShort = secretName.length <= LONGEST_NAME;
  const digest = createHash('sha256').update(secretName).digest('hex').slice(0, 12);
  return `version.everleaf.dev/${isShort ? secretName : `${secretName.slice(0, LONGEST_NAME - 13)}-${digest}`}`;
}

/**
 * A merge patch of one annotation in the pod template, and not an apply: of a workload that is gone an apply would make half of
 * one, and ask for the right to. Of one that has the annotation already nothing changes, so that nothing restarts.
 */
export const restartingPatch = (options: EksOptions, version: string): object => ({
  spec: { template: { metadata: { annotations: { [versionAnnotation(options)]: version } } } },
});

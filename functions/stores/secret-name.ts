import type { SecretSlot } from '../core/ports.ts';

/** `deployment/[namespace/]name`; the namespace `default` is left out, and what belongs to no namespace has none. */
export function secretName(deployment: string, namespace: string | undefined, name: string): string {
  return [deployment, ...(namespace === undefined || namespace === 'default' ? [] : [namespace]), name].join('/');
}

/** Where a certificate's bundle is. */
export const secretNameOf = (
  deployment: string,
  { certificate, secretName: name }: Pick<SecretSlot, 'certificate' | 'secretName'>,
): string => secretName(deployment, certificate.split('/')[0], name);

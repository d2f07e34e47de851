/** `deployment/[namespace/]name`; the namespace `default` is left out, and what belongs to no namespace has none. */
export function secretName(deployment: string, namespace: string | undefined, name: string): string {
  return [deployment, ...(namespace === undefined || namespace === 'default' ? [] : [namespace]), name].join('/');
}

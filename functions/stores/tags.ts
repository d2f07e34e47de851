/** Marks a secret as this deployment's, and says whose certificate it holds. Roles are granted by these tags. */
export const DEPLOYMENT_TAG = 'everleaf:deployment';
export const CERTIFICATE_TAG = 'everleaf:certificate';
/** On a secret that holds an account key: the name that the manifest gives it. */
export const ACCOUNT_TAG = 'everleaf:account';

/** Tags as the API takes them. */
export const tagList = (tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

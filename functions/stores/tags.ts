/** Marks a secret as this deployment's, and says whose certificate it holds. Roles are granted by these tags. */
export const DEPLOYMENT_TAG = 'everleaf:deployment';
export const CERTIFICATE_TAG = 'everleaf:certificate';
/** On a secret that holds an account key: the name that the manifest gives it. */
export const ACCOUNT_TAG = 'everleaf:account';

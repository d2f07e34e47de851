/** Marks a secret as this deployment's, and says whose certificate it holds. Roles are granted by these tags. */
export const DEPLOYMENT_TAG = 'everleaf:deployment';
export const CERTIFICATE_TAG = 'everleaf:certificate';

/** Workloads whose pods are restarted by a change of their template. */
export const WORKLOAD_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

export interface Workload {
  readonly kind: (typeof WORKLOAD_KINDS)[number];
  readonly name: string;
}

/** A Secret in a cluster, and one workload that has to be restarted to read it, or none. */
export interface EksOptions {
  /** As EKS knows it. Tokens are for it alone. */
  readonly cluster: string;
  readonly namespace: string;
  readonly secretName: string;
  /** Absent: whoever reads the Secret notices by itself. */
  readonly workload?: Workload;
  /** Takes fields of the Secret over from whoever else manages them. */
  readonly force: boolean;
  /** Where the cluster is. Absent: the function's own Region. */
  readonly region?: string;
  /** A role to assume before the cluster is called. Absent: the function's own. */
  readonly role?: string;
  /** Where the API server is and what signed its certificate (PEM). Absent: as EKS answers it. */
  readonly connection?: { readonly endpoint: string; readonly caBundle: string };
}

/** Who writes, as the API server keeps it beside each field, and as it stands in labels. */
export const FIELD_MANAGER = 'everleaf';

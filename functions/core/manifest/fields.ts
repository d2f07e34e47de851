/** What becomes of one field of a custom resource definition. */
export type Field = HonouredField | DeclinedField | RecordField;

/** Carried out. The path is that of one value: a new neighbour is not honoured because this one is. */
export interface HonouredField {
  /** As in the definition: `spec.privateKey.size`; items of lists are `[]`. */
  readonly path: string;
  readonly verdict: 'honoured';
  /** What it does here. */
  readonly does: string;
  readonly default?: string;
  /** Where cert-manager does otherwise. */
  readonly deviates?: string;
}

/** Understood and not carried out, with everything beneath it. */
export interface DeclinedField {
  readonly path: string;
  /**
   * `refused` where a consumer would miss what it asked for, or trust would come out wider than written; `warned` where
   * leaving it out changes nothing that anybody can observe.
   */
  readonly verdict: 'warned' | 'refused';
  /** Completes "… is not supported yet:" and "… has no effect here:". */
  readonly because: string;
  readonly remedy: string;
}

/** Written by a cluster, not by a person, with everything beneath it: accepted and left out without a word. */
export interface RecordField {
  readonly path: string;
  readonly verdict: 'record';
  readonly holds: string;
}

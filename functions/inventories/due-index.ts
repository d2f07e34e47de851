/** Name of the sparse index: an item is in it exactly while it will want a look one day. */
export const DUE_INDEX = 'due';

/** Partitions of the due index: writes spread over them, a tick asks each once. Changing it needs every item rewritten. */
export const DUE_SHARDS = 8;

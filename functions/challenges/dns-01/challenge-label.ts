/** Beneath which label a name's proof stands (RFC 8555 §8.4). */
export const CHALLENGE_LABEL = '_acme-challenge';

/** Longest value quoted in a message, and longest message. */
const VALUE_LIMIT_CHARACTERS = 100;
const MESSAGE_LIMIT_CHARACTERS = 600;

/** PEM, base64 as long as a line of PEM, or a user in a URL: not to be repeated on a terminal or in a build log. */
const KEY_MATERIAL = /-----BEGIN[^\n]*|[A-Za-z0-9+/=]{60,}|\/\/[^\s/@]+@/g;

export const mayHoldKeyMaterial = (text: string): boolean => text.search(KEY_MATERIAL) !== -1;

/** A value as a message quotes it: a scalar as JSON, short, and never key material; collections by what they are. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value);
  if (mayHoldKeyMaterial(text)) return '(value not shown)';
  return text.length <= VALUE_LIMIT_CHARACTERS ? text : `${text.slice(0, VALUE_LIMIT_CHARACTERS)}…"`;
}

/** Text that quotes a manifest, made fit for a terminal and a log: no control characters, no key material, not endless. */
export function tidy(text: string): string {
  const clean = text.replace(KEY_MATERIAL, '(not shown)').replace(/\p{Cc}/gu, '�');
  return clean.length <= MESSAGE_LIMIT_CHARACTERS ? clean : `${clean.slice(0, MESSAGE_LIMIT_CHARACTERS - 1)}…`;
}

/** The candidate that a typing mistake away from `text`; undefined when none is near enough to be meant. */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong, as in `dnsName` for `dnsNames` or `secret` for `secretName`'s neighbours.
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(text.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, or `limit` as soon as it cannot be less: ten thousand names stay cheap to compare. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    if (Math.min(...current) >= limit) return limit;
    previous = current;
  }
  return previous[b.length] ?? limit;
}

/** "Did you mean `x`?", or the whole list where nothing is near. */
export function suggest(text: string, candidates: readonly string[], noun: string): string {
  const meant = nearest(text, candidates);
  if (meant !== undefined) return `Did you mean \`${meant}\`?`;
  if (candidates.length === 0) return `No ${noun} is known here; remove it.`;
  return `Known ${noun}s: ${candidates.map((candidate) => `\`${candidate}\``).join(', ')}.`;
}

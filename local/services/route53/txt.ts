const QUOTED = /"((?:[^"\\]|\\.)*)"/gs;

/** The character-strings of a TXT value (`"one" "two"`), unescaped; undefined when one is not quoted. */
export function characterStrings(value: string): Buffer[] | undefined {
  if (value.replaceAll(QUOTED, '').trim() !== '') return undefined;
  const strings = [...value.matchAll(QUOTED)].map(([, text = '']) =>
    Buffer.from(
      text.replaceAll(/\\(?:(\d{3})|(.))/gs, (_, code: string | undefined, letter: string) =>
        code === undefined ? letter : String.fromCodePoint(Number.parseInt(code, 8)),
      ),
      'latin1',
    ),
  );
  return strings.length > 0 ? strings : undefined;
}

/**
 * A name as Route 53 keeps it: lower case, with a final dot, and in octal what is no letter, digit, hyphen or underscore
 * (`*` is `\052`).
 */
export function normalize(name: string): string {
  const escaped = name
    .toLowerCase()
    .replaceAll(/\\\d{3}|[^a-z\d._-]/gu, (found) =>
      found.length === 4 ? found : Buffer.from(found).reduce(inOctal, ''),
    );
  return escaped.endsWith('.') ? escaped : `${escaped}.`;
}

/** As a message on the wire has it. */
export function plain(name: string): string {
  return name
    .replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 8)))
    .slice(0, -1);
}

export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

export function parentOf(name: string): string {
  return name.slice(name.indexOf('.') + 1);
}

/** What lists are sorted by: `com.example.www.` */
export function sortKey(name: string): string {
  return `${name.slice(0, -1).split('.').toReversed().join('.')}.`;
}

const inOctal = (text: string, byte: number): string => `${text}\\${byte.toString(8).padStart(3, '0')}`;

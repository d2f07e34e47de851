/** A command line as one reads it, split at white space. What is filled in is one word, or none, or several. */
export const words = (line: TemplateStringsArray, ...filled: readonly (string | readonly string[])[]): string[] =>
  line.flatMap((text, index) => [...text.split(/\s+/).filter(Boolean), ...filled.slice(index, index + 1).flat()]);

export const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);

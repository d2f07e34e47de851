import type { ErrorCode } from 'yaml';
import type { Remark } from './source.ts';

const remark = (code: string, message: string, remedy: string): Remark => ({
  severity: 'error',
  code,
  message,
  remedy,
});

/** The YAML parser's complaint in our words: it may quote what it read, and that could be a Secret. */
export function explainSyntax(code: ErrorCode, text: string, offset: number): Remark {
  const template = explainTemplate(text, offset);
  if (template !== undefined) return template;
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the codes that people meet; the rest reads the same
  switch (code) {
    case 'TAB_AS_INDENT':
      return remark('TabIndentation', 'A tab is used to indent this line.', 'Indent with spaces; YAML allows no tabs.');
    case 'BAD_INDENT':
      return remark(
        'BadIndentation',
        'This line is not indented as the lines around it, or a bracket above is not closed.',
        'Align it with its neighbours, or close the bracket.',
      );
    case 'BLOCK_AS_IMPLICIT_KEY':
      return remark(
        'YamlSyntax',
        'The value on this line looks like another `key: value`.',
        'Put quotes around a value that holds a colon and a space, or start the mapping on a line of its own.',
      );
    case 'MULTILINE_IMPLICIT_KEY':
    case 'MISSING_CHAR':
      return remark(
        'YamlSyntax',
        'Something is missing here: a colon after a key, or a closing quote or bracket.',
        'Write `key: value`, and close what was opened above.',
      );
    case 'TAG_RESOLVE_FAILED':
      return remark(
        'UnknownTag',
        'Tags, words that begin with `!`, mean nothing in a manifest.',
        'Remove the tag; quote the value if the exclamation mark belongs to it.',
      );
    case 'RESOURCE_EXHAUSTION':
      return remark(
        'NestedTooDeeply',
        'Brackets or dashes are nested too deeply.',
        'No manifest needs this; flatten it.',
      );
    default:
      return remark('YamlSyntax', 'This is not valid YAML.', 'Check the quotes, brackets and colons up to this place.');
  }
}

/** `{{ … }}` on the line in question is the likelier mistake, whatever YAML makes of it. */
export function explainTemplate(text: string, offset: number): Remark | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  if (!text.slice(start, end === -1 ? undefined : end).includes('{{')) return undefined;
  return remark(
    'TemplateNotRendered',
    'This line is a template, not YAML.',
    'Render it first, for example: helm template CHART | everleaf validate -',
  );
}

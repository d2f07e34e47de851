import { randomUUID } from 'node:crypto';

/** What an answer of the query protocol holds; lists are written as `<member>`s. */
export interface Members {
  readonly [name: string]: string | Members | readonly Members[];
}

/** An answer as the SDK's parser for AWS's query protocol wants it. */
export function queryAnswer(namespace: string, operation: string, result: Members): string {
  const metadata = { ResponseMetadata: { RequestId: randomUUID() } };
  const body = elements({ [`${operation}Result`]: result, ...metadata });
  return `<${operation}Response xmlns="${namespace}">${body}</${operation}Response>`;
}

const elements = (members: Members): string =>
  Object.entries(members)
    .map(([name, value]) => `<${name}>${contentOf(value)}</${name}>`)
    .join('');

function contentOf(value: Members[string]): string {
  if (typeof value === 'string') return escapeXml(value);
  return Array.isArray(value)
    ? value.map((member: Members) => `<member>${elements(member)}</member>`).join('')
    : elements(value as Members);
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

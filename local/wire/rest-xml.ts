import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import type { WireResponse } from './call.ts';
import type { Protocol } from './protocols.ts';

const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
/** Some SDKs end the path in a slash. */
const ROUTES: readonly (readonly [method: string, path: RegExp, operation: string])[] = [
  ['POST', /^hostedzone\/?$/, 'CreateHostedZone'],
  ['GET', /^hostedzone\/?$/, 'ListHostedZones'],
  ['GET', /^hostedzonesbyname\/?$/, 'ListHostedZonesByName'],
  ['GET', /^hostedzone\/(?<Id>[^/]+)$/, 'GetHostedZone'],
  ['DELETE', /^hostedzone\/(?<Id>[^/]+)$/, 'DeleteHostedZone'],
  ['GET', /^hostedzone\/(?<HostedZoneId>[^/]+)\/rrset\/?$/, 'ListResourceRecordSets'],
  ['POST', /^hostedzone\/(?<HostedZoneId>[^/]+)\/rrset\/?$/, 'ChangeResourceRecordSets'],
  ['GET', /^change\/(?<Id>[^/]+)$/, 'GetChange'],
];
const QUERY: Readonly<Record<string, string>> = {
  marker: 'Marker',
  maxitems: 'MaxItems',
  dnsname: 'DNSName',
  hostedzoneid: 'HostedZoneId',
  name: 'StartRecordName',
  type: 'StartRecordType',
  identifier: 'StartRecordIdentifier',
};
/** As these services' errors are called in Route 53, with the status where it is another. */
const ERRORS: Readonly<Record<string, readonly [code: string, status?: number]>> = {
  ValidationException: ['InvalidInput'],
  AccessDeniedException: ['AccessDenied', 403],
  UnrecognizedClientException: ['InvalidClientTokenId'],
  ExpiredTokenException: ['ExpiredToken'],
};

const parser = new XMLParser({
  parseTagValue: false,
  isArray: (name) => name === 'Change' || name === 'ResourceRecord',
});
const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' });

/** Route 53: the operation is in method and path, its parameters in path, query and an XML body. */
export const restXml: Protocol = {
  read: (request, body) => {
    const url = new URL(request.url ?? '/', 'http://route53');
    const path = url.pathname.replace('/2013-04-01/', '');
    for (const [method, pattern, operation] of ROUTES) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (match === null) continue;
      const query = [...url.searchParams].map(([name, value]) => [QUERY[name] ?? name, value]);
      return { operation, input: { ...match.groups, ...Object.fromEntries(query), ...membersOf(body) } };
    }
    return { operation: `${request.method} ${request.url}`, input: {} };
  },
  result: (output) => xml(200, Object(output) as object),
  error: ({ code, message, httpStatus }) => {
    const [name, status = httpStatus] = ERRORS[code] ?? [code];
    const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: name, Message: message };
    return { ...xml(status, { ErrorResponse: { Error: error } }), errorCode: name };
  },
};

function membersOf(body: string): Record<string, unknown> {
  const { '?xml': _declaration, ...root } = parser.parse(body) as Record<string, unknown>;
  return { ...(Object.values(root)[0] as object | undefined) };
}

/** Of an object with one member, the root element. */
function xml(status: number, document: object): WireResponse {
  const root = Object.entries(document).map(([name, members]) => [
    name,
    { '@xmlns': NAMESPACE, ...(members as object) },
  ]);
  const body = `<?xml version="1.0" encoding="UTF-8"?>${builder.build(Object.fromEntries(root))}`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

import { canonicalIpAddress } from '../ip-address.ts';
import type { Endpoint, StartTls } from '../rollout/ports.ts';
import { error, type Problem, warning } from './finding.ts';
import type { EndpointFields } from './hook-shape.ts';
import { dnsNameFault, ipAddressFault } from './names.ts';
import { reading, type Reading } from './reading.ts';
import { showValue } from './show-value.ts';

/** As many as there may be targets. */
const MAXIMUM_ENDPOINTS = 500;

const DEFAULT_PORTS: Readonly<Record<StartTls, number>> = { smtp: 587, imap: 143, postgres: 5432, mysql: 3306 };
/** AWS lets no function reach it on a public address; in a VPC it has to be asked to (knowledge center, "port 25"). */
const BLOCKED_PORT = 25;
const TLS_PORT = 443;

/** An entry of ALPN's list (RFC 7301 §3.1) has a byte for its length. */
const PROTOCOL = /^[\x21-\x7e]{1,255}$/;

const LOOPBACK = /^(?:127\.|::1$|localhost$|::ffff:127\.)/;
/** RFC 3927, RFC 4291 §2.5.6, and where clouds keep credentials: nobody serves a certificate there. */
const NEVER_ASKED = /^(?:169\.254\.|fe[89ab][0-9a-f]:|fd00:ec2::|::ffff:169\.254\.)/;

export function readEndpoints(fields: readonly EndpointFields[] = []): Reading<readonly Endpoint[]> {
  const path = ['spec', 'endpoints'];
  const seen = new Set<string>();
  const read = fields.map((each, index) => {
    const { endpoint, problems } = readEndpoint(each, [...path, index]);
    const key = JSON.stringify(endpoint);
    const repeated = seen.has(key)
      ? [error('DuplicateEndpoint', [...path, index, 'host'], 'This endpoint stands here twice.', 'Remove one.')]
      : [];
    seen.add(key);
    return { endpoint, problems: [...problems, ...repeated] };
  });
  const tooMany =
    fields.length > MAXIMUM_ENDPOINTS
      ? [
          error(
            'OutOfRange',
            path,
            `\`endpoints\` has ${fields.length}; ${MAXIMUM_ENDPOINTS} is the most of one document.`,
            'Write several documents.',
          ),
        ]
      : [];
  return reading(
    read.map(({ endpoint }) => endpoint),
    [...tooMany, ...read.flatMap(({ problems }) => problems)],
  );
}

function readEndpoint(
  fields: EndpointFields,
  path: readonly (string | number)[],
): { endpoint: Endpoint; problems: readonly Problem[] } {
  const { serverName, alpn, startTls, allowLoopback } = fields;
  const host = canonicalIpAddress(fields.host.toLowerCase());
  const port = fields.port ?? (startTls === undefined ? TLS_PORT : DEFAULT_PORTS[startTls]);
  const problems = [
    ...hostProblems(host, allowLoopback === true, [...path, 'host']),
    ...(port >= 1 && port <= 65_535
      ? []
      : [
          error(
            'OutOfRange',
            [...path, 'port'],
            `${showValue(port)} is no TCP port.`,
            'Write a number from 1 to 65535.',
          ),
        ]),
    ...(port === BLOCKED_PORT
      ? [
          warning(
            'PortBlocked',
            [...path, 'port'],
            'Lambda reaches port 25 of no public address.',
            'Write the port for submission, 587; or join a VPC for which AWS has lifted its restriction.',
          ),
        ]
      : []),
    ...(serverName === undefined ? [] : serverNameProblems(serverName, [...path, 'serverName'])),
    ...(alpn ?? []).flatMap((protocol, index) =>
      PROTOCOL.test(protocol)
        ? []
        : [
            error(
              'InvalidProtocol',
              [...path, 'alpn', index],
              `${showValue(protocol)} cannot be offered by ALPN.`,
              'Write it as in `h2` or `http/1.1`.',
            ),
          ],
    ),
  ];
  const endpoint: Endpoint = {
    host,
    port,
    ...(serverName === undefined ? {} : { serverName: serverName.toLowerCase() }),
    ...(alpn === undefined ? {} : { alpn }),
    ...(startTls === undefined ? {} : { startTls }),
    ...(allowLoopback === undefined ? {} : { allowLoopback }),
  };
  return { endpoint, problems };
}

const isAddress = (host: string): boolean => ipAddressFault(host) === undefined;

function hostProblems(host: string, allowLoopback: boolean, path: readonly (string | number)[]): readonly Problem[] {
  const fault = isAddress(host) ? undefined : dnsNameFault(host);
  if (fault !== undefined || host.startsWith('*')) {
    const [message, remedy] =
      fault === undefined
        ? ['is a pattern, not one host.', 'Write a name that it stands for.']
        : [fault.message, fault.remedy];
    return [error('InvalidName', path, `${showValue(host)} ${message}`, remedy)];
  }
  if (NEVER_ASKED.test(host)) {
    const message = `${showValue(host)} is a link-local address, and none of them is ever asked.`;
    return [error('ForbiddenAddress', path, message, 'Write the name or address that clients use.')];
  }
  if (LOOPBACK.test(host) && !allowLoopback) {
    const message = `${showValue(host)} is the machine that asks.`;
    return [error('ForbiddenAddress', path, message, 'Write the name that clients use, or `allowLoopback: true`.')];
  }
  return [];
}

function serverNameProblems(name: string, path: readonly (string | number)[]): readonly Problem[] {
  const fault = dnsNameFault(name);
  const wildcard = { message: 'is a pattern, not one name.', remedy: 'Write a name that it stands for.' };
  const said = fault ?? (name.startsWith('*') ? wildcard : undefined);
  return said === undefined ? [] : [error('InvalidName', path, `${showValue(name)} ${said.message}`, said.remedy)];
}

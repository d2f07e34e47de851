import * as z from 'zod/mini';
import { REGION, ROLE_ARN } from '../../core/manifest/aws-names.ts';
import { atKey, error, isError, type Path, type Problem } from '../../core/manifest/finding.ts';
import { shape } from '../../core/manifest/shape.ts';
import { showValue } from '../../core/manifest/show-value.ts';
import { asksNothing } from '../../core/manifest/unsupported-fields.ts';
import type { ParsedOptions } from '../../core/ports.ts';
import type { Route53Options } from './options.ts';

const text = z.optional(z.string());
const elsewhere = z.optional(z.unknown());

const route53Shape = z.strictObject({
  region: text,
  hostedZoneID: text,
  role: text,
  accessKeyID: elsewhere,
  accessKeyIDSecretRef: elsewhere,
  secretAccessKeySecretRef: elsewhere,
  auth: elsewhere,
});
type Route53Fields = z.infer<typeof route53Shape>;

/** As the API answers it, with its prefix, and as people copy it from the console. */
const ZONE_ID = /^(?:\/?hostedzone\/)?(Z[A-Z0-9]{1,31})$/;

/** Parses what stands at `path`: where and as whom Route 53 is called. */
export function parseRoute53(value: unknown, path: Path): ParsedOptions<Route53Options> {
  const { output, problems } = shape(route53Shape, value, { under: path });
  if (output === undefined) return { ok: false, objections: problems };
  // Empty text is Go's way to leave a field out.
  const { region = '', hostedZoneID = '', role = '' } = output;
  const hostedZoneId = ZONE_ID.exec(hostedZoneID)?.[1];
  const said: Problem[] = [
    ...problems,
    ...(region === '' || REGION.test(region) ? [] : [badRegion(region, path)]),
    ...(hostedZoneID === '' || hostedZoneId !== undefined ? [] : [badZone(hostedZoneID, path)]),
    ...(role === '' || ROLE_ARN.test(role) ? [] : [badRole(role, path)]),
    ...credentialProblems(output, path),
  ];
  if (said.some(isError)) return { ok: false, objections: said };
  return {
    ok: true,
    options: {
      ...(hostedZoneId === undefined ? {} : { hostedZoneId }),
      ...(role === '' ? {} : { role }),
      ...(region === '' ? {} : { region }),
    },
  };
}

const badRegion = (region: string, path: Path): Problem =>
  error(
    'InvalidRegion',
    [...path, 'region'],
    `${showValue(region)} is not an AWS Region.`,
    'Write it as in `us-east-1`.',
  );

const badZone = (zone: string, path: Path): Problem =>
  error(
    'InvalidZoneId',
    [...path, 'hostedZoneID'],
    `${showValue(zone)} is not the id of a hosted zone.`,
    'Write it as in `Z2ABCDEFGHIJKL`, or remove it: the zone is then found by the name.',
  );

const badRole = (role: string, path: Path): Problem =>
  error(
    'InvalidArn',
    [...path, 'role'],
    `${showValue(role)} is not the ARN of an IAM role.`,
    'Write it as in `arn:aws:iam::111122223333:role/write-dns`.',
  );

const STATIC_KEYS = ['accessKeyID', 'accessKeyIDSecretRef', 'secretAccessKeySecretRef'] as const;

const OWN_ROLE =
  "Remove it: the function's own role calls Route 53. For a zone in another account, name a `role` to assume.";

/** Not what is empty all through: clusters print a `secretAccessKeySecretRef` that nobody wrote. */
function credentialProblems(fields: Route53Fields, path: Path): Problem[] {
  const keys = STATIC_KEYS.filter((name) => !asksNothing(fields[name])).map((name) => {
    const message = `\`${name}\` is part of a static access key, and none is ever used here.`;
    return atKey(error('StaticCredentials', [...path, name], message, OWN_ROLE));
  });
  if (asksNothing(fields.auth)) return keys;
  const message = '`auth` names a service account of Kubernetes, and there is none here.';
  return [...keys, atKey(error('NotSupportedYet', [...path, 'auth'], message, OWN_ROLE))];
}

import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clusterToken } from '../../functions/hooks/eks/token.ts';

const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'made-for-this-test', sessionToken: 'session/+=' };
const NOW = new Date('2026-11-24T12:00:00.000Z');

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/** The signature of a presigned GET as Signature Version 4 defines it, worked out apart from any library. */
function signatureOf(url: URL, headers: Readonly<Record<string, string>>): string {
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const sorted = query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const names = Object.keys(headers).sort();
  const canonical = [
    'GET',
    '/',
    sorted.join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    hex(''),
  ].join('\n');
  const scope = '20261124/eu-west-1/sts/aws4_request';
  const toSign = ['AWS4-HMAC-SHA256', '20261124T120000Z', scope, hex(canonical)].join('\n');
  const [date = '', ...rest] = scope.split('/');
  const key = rest.reduce((previous, part) => hmac(previous, part), hmac(`AWS4${CREDENTIALS.secretAccessKey}`, date));
  return hmac(key, toSign).toString('hex');
}

describe("a cluster's token", () => {
  const make = (cluster: string, region = 'eu-west-1'): Promise<string> =>
    clusterToken(cluster, { credentials: CREDENTIALS, region }, NOW);
  const urlIn = (token: string): URL => new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString());

  it('is a GetCallerIdentity signed for a minute, in an alphabet that headers take', async () => {
    const token = await make('prod');
    expect(token).toMatch(/^k8s-aws-v1\.[\w-]+$/);
    const url = urlIn(token);
    expect(url.origin).toBe('https://sts.eu-west-1.amazonaws.com');
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'GetCallerIdentity',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Security-Token': CREDENTIALS.sessionToken,
    });
  });

  it('is good for the cluster that it was made for, and for no other', async () => {
    const url = urlIn(await make('prod'));
    const signature = url.searchParams.get('X-Amz-Signature');
    expect(signature).toBe(signatureOf(url, { host: url.host, 'x-k8s-aws-id': 'prod' }));
    expect(signature).not.toBe(signatureOf(url, { host: url.host, 'x-k8s-aws-id': 'staging' }));
  });

  it('asks the STS of its own partition', async () => {
    expect(urlIn(await make('prod', 'cn-north-1')).host).toBe('sts.cn-north-1.amazonaws.com.cn');
  });
});

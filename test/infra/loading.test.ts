import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bundleFolder } from '../../lib/bundles.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Every module that a script loads, by Node's own account. */
function loadedBy(script: string): readonly string[] {
  const program = `
    import { registerHooks } from 'node:module';
    const urls = [];
    registerHooks({
      resolve: (specifier, context, next) => {
        const resolved = next(specifier, context);
        urls.push(resolved.url);
        return resolved;
      },
    });
    ${script}
    process.stdout.write(JSON.stringify(urls));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], AWS_REGION: 'us-east-1' },
  });
  return JSON.parse(printed) as string[];
}

const CLIENTS = [
  'acme-client',
  '@aws-sdk/client-acm-pca',
  '@aws-sdk/client-ecs',
  '@aws-sdk/client-eks',
  '@aws-sdk/client-route-53',
  '@aws-sdk/client-sts',
  'yaml',
];
const clientsIn = (urls: readonly string[]): readonly string[] =>
  CLIENTS.filter((client) => urls.some((url) => url.includes(`/node_modules/${client}/`)));

const CREATE = (plugin: string, options: object): string => `
  const { bindIssuer } = await import('./functions/catalogue.ts');
  const ref = { group: 'g', kind: 'k', name: 'n' };
  const spec = { ref, plugin: ${JSON.stringify(plugin)}, options: ${JSON.stringify(options)} };
  await bindIssuer(spec).create({ accounts: {}, clock: Date.now, log: () => {} });`;

describe('what is loaded', () => {
  it('by the catalogue is no client of any issuer or hook', () => {
    const urls = loadedBy("await import('./functions/catalogue.ts');");
    expect(urls.some((url) => url.endsWith('/functions/issuers/acme/plugin.ts'))).toBe(true);
    expect(clientsIn(urls)).toEqual([]);
  });

  it('for AWS Private CA is no ACME code, and no DNS client', () => {
    const arn = 'arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/11111111-1111-4111-8111-111111111111';
    const urls = loadedBy(CREATE('acm-pca', { certificateAuthorityArn: arn, region: 'us-east-1' }));
    expect(clientsIn(urls)).toEqual(['@aws-sdk/client-acm-pca']);
    expect(urls.filter((url) => /issuers\/acme\/(?:issuer|client|transport)\.ts$/.test(url))).toEqual([]);
  });

  it('for ACME is its client, and that of a DNS service only when a name is to be proved there', () => {
    const options = {
      server: 'https://ca.example/directory',
      hosts: [],
      accountKey: { name: 'account', key: 'tls.key' },
      makesAccountKey: true,
      sendsNotAfter: false,
      trustAnchors: 'topOfChain',
      solvers: [],
    };
    expect(clientsIn(loadedBy(CREATE('acme', options)))).toEqual(['acme-client']);
  });
});

describe('what is loaded for a hook', () => {
  const CONNECT = (kind: string, options: object): string => `
    const { hookPlugin } = await import('./functions/catalogue.ts');
    await hookPlugin('${kind}').create(${JSON.stringify(options)}, { clock: Date.now, log: () => {} });`;

  it('on ECS is the client of ECS', () => {
    const options = { cluster: 'prod', service: 'web', strategy: 'ForceNewDeployment', passRoles: [] };
    expect(clientsIn(loadedBy(CONNECT('ecs', options)))).toEqual(['@aws-sdk/client-ecs']);
  });

  it('on EKS is its client, and nothing that prints YAML', () => {
    const connection = { endpoint: 'https://10.1.2.3', caBundle: '' };
    const options = { cluster: 'prod', namespace: 'web', secretName: 'web-tls', force: false, connection };
    expect(clientsIn(loadedBy(CONNECT('eks', options)))).toEqual(['@aws-sdk/client-eks']);
  });
});

describe('the bundle of the issue function', () => {
  const bundle = bundleFolder('issue');

  /** A chunk and all that it imports whether it is needed or not. */
  function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    const text = readFileSync(join(bundle, file), 'utf8');
    const imports = text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([\w-]+\.mjs)"/g);
    for (const [, imported = ''] of imports) loadedWith(imported, seen);
    return seen;
  }

  it('begins without the clients of Private CA, ACME, Route 53 and STS', () => {
    const text = [...loadedWith('index.mjs')].map((file) => readFileSync(join(bundle, file), 'utf8')).join('');
    // What only those clients have to say; the names of actions are in the plug-ins, too.
    const marks = ['ACME directory', 'ACMPrivateCA', '2013-04-01/hostedzone', 'AssumeRoleWithSAML'];
    expect(text).toContain('PutSecretValue');
    expect(marks.filter((mark) => text.includes(mark))).toEqual([]);
  });
});

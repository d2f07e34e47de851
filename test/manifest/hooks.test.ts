import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ISSUERS } from '../../functions/catalogue.ts';
import type { Field } from '../../functions/core/manifest/fields.ts';
import { HOOK_FIELDS } from '../../functions/core/manifest/hook-fields.ts';
import { parseManifest } from '../../functions/core/manifest/index.ts';
import { hookRefOf } from '../../functions/core/rollout/hook-spec.ts';
import { loadManifest } from '../../lib/manifest-folder.ts';
import { HOOK, HONOURED_HOOK, readHookIn } from './evidence-hooks.ts';
import { pathsIn } from './paths-in.ts';
import { CERTIFICATE, parse, places } from './support.ts';

const EXAMPLE = 'examples/deploy-hooks';

const beside = { path: 'b.yaml', text: CERTIFICATE };
const said = (text: string): readonly string[] => places(parse(text, beside));
const remedies = (text: string): readonly string[] => parse(text, beside).findings.map(({ remedy }) => remedy);

describe('a DeployHook', () => {
  it('has our defaults', () => {
    expect(readHookIn(HOOK)).toMatchObject({
      codes: [],
      deploys: ['default/orders'],
      hook: {
        id: 'default/orders',
        plugin: 'ecs',
        order: 0,
        waves: { canary: { count: 1 }, pauseSeconds: 0 },
        concurrency: 5,
        onFailure: 'rollback',
        progressDeadlineSeconds: 900,
        endpoints: [],
        targets: [{ name: 'ecs:prod/orders' }, { name: 'ecs:prod/checkout' }],
      },
    });
  });

  it.each(Object.entries(HONOURED_HOOK))('shows in %s', (_, { text, becomes = {}, codes = [] }) => {
    const [without, given] = [readHookIn(HOOK), readHookIn(text)];
    expect(given.codes).toEqual(codes);
    expect(without.codes).toEqual([]);
    expect(codes.length + Object.keys(becomes).length, 'nothing shown').toBeGreaterThan(0);
    if (codes.length > 0) return;
    expect(given.hook).toMatchObject(becomes);
    expect(without.hook, 'shows without it, too').not.toMatchObject(becomes);
  });

  it('has each of them in its example, which has no finding', () => {
    const { findings, manifest } = loadManifest(EXAMPLE, ISSUERS);
    expect(findings).toEqual([]);
    expect(manifest.certificates[0]?.hooks).toHaveLength(2);
    const documents = parseAllDocuments(readFileSync(`${EXAMPLE}/every-field.yaml`, 'utf8'));
    const found = new Set(documents.flatMap((document) => pathsIn(document.toJS())));
    const rows: readonly Field[] = HOOK_FIELDS;
    const wanted = rows.filter(({ verdict }) => verdict === 'honoured').map(({ path }) => path.replace('.*', '.team'));
    expect(wanted.filter((path) => !found.has(path))).toEqual([]);
  });

  it('is named in its certificate by what it says: another text is another roll-out, the same again is not', () => {
    const refOf = (text: string) => {
      const { hook } = readHookIn(text);
      return hook === undefined ? undefined : hookRefOf(hook);
    };
    expect(refOf(HOOK)).toMatch(/^default\/orders@[0-9a-f]{12}$/);
    expect(refOf(`${HOOK}  order: 0\n`)).toBe(refOf(HOOK));
    expect(refOf(`${HOOK}  order: 1\n`)).not.toBe(refOf(HOOK));
    // Whom it is for is said by the certificates.
    expect(refOf(HOOK.replace('certificateNames: [orders]', 'selector: { matchLabels: { team: shop } }'))).toBe(
      refOf(HOOK),
    );
  });

  it.each<[string, string, readonly string[]]>([
    ['a field that nobody knows', `${HOOK}  concurency: 2\n`, ['8:3 error UnknownField']],
    ['no certificate', HOOK.replace('  certificateNames: [orders]\n', ''), ['5:1 error MissingField']],
    ['both ways to choose', `${HOOK}  selector: { matchLabels: { team: shop } }\n`, ['8:3 error Exclusive']],
    ['an empty list', HOOK.replace('[orders]', '[]'), ['6:21 error MissingField']],
    ['a name twice', HOOK.replace('[orders]', '[orders, orders]'), ['6:30 error DuplicateName']],
    ['no target', HOOK.replace(/ {2}ecs.*\n/, ''), ['5:1 error MissingField']],
    ['two targets', `${HOOK}  eks: { cluster: prod, namespace: web, secretName: web-tls }\n`, ['8:3 error Exclusive']],
    ['a target that is wrong', HOOK.replace('cluster: prod, ', ''), ['7:3 error MissingField']],
    ['both count and share', `${HOOK}  waves: { canary: { count: 1, share: 2 } }\n`, ['8:39 error Exclusive']],
    ['neither', `${HOOK}  waves: { canary: {} }\n`, ['8:20 error MissingField']],
    ['a share of nothing', `${HOOK}  waves: { size: { share: 0 } }\n`, ['8:27 error OutOfRange']],
    ['a pause in days', `${HOOK}  waves: { pause: 1d }\n`, ['8:19 error InvalidDuration']],
    ['a deadline of seconds', `${HOOK}  progressDeadline: 5s\n`, ['8:21 error OutOfRange']],
    ['no concurrency', `${HOOK}  concurrency: 0\n`, ['8:16 error OutOfRange']],
    ['no cron', `${HOOK}  window: { cron: at night, duration: 3h }\n`, ['8:19 error InvalidWindow']],
    [
      'no time zone',
      `${HOOK}  window: { cron: 0 2 * * *, duration: 3h, timeZone: Berlin }\n`,
      ['8:54 error InvalidWindow'],
    ],
    ['an endpoint of none of its names', `${HOOK}  endpoints: [{ host: shop.example }]\n`, ['8:23 error NotNamed']],
    [
      'a metadata address',
      `${HOOK}  endpoints: [{ host: 169.254.169.254, serverName: orders.internal.example }]\n`,
      ['8:23 error ForbiddenAddress'],
    ],
    [
      'loopback',
      `${HOOK}  endpoints: [{ host: localhost, serverName: orders.internal.example }]\n`,
      ['8:23 error ForbiddenAddress'],
    ],
    ['a wildcard host', `${HOOK}  endpoints: [{ host: "*.internal.example" }]\n`, ['8:23 error InvalidName']],
    [
      'an endpoint twice',
      `${HOOK}  endpoints: [{ host: orders.internal.example }, { host: orders.internal.example, port: 443 }]\n`,
      ['8:58 error DuplicateEndpoint'],
    ],
    ['no port', `${HOOK}  endpoints: [{ host: orders.internal.example, port: 0 }]\n`, ['8:54 error OutOfRange']],
    ['a name that another hook has', `${HOOK}---\n${HOOK}`, ['12:9 error DuplicateObject']],
    ['another version', HOOK.replace('/v1', '/v2'), ['1:13 error UnknownVersion']],
    ['a misspelt kind', HOOK.replace('DeployHook', 'DeployHok'), ['2:7 error UnknownKind']],
  ])('is refused with %s, at its place', (_, text, expected) => {
    expect(said(text)).toEqual(expected);
  });

  it('is warned of a port that AWS blocks, and asks another one unless told to', () => {
    const mail = (port: string): string =>
      `${HOOK}  endpoints: [{ host: orders.internal.example, startTls: smtp${port} }]\n`;
    expect(said(mail(', port: 25'))).toEqual(['8:70 warning PortBlocked']);
    expect(said(mail(''))).toEqual([]);
    expect(parse(mail(''), beside).manifest?.hooks?.[0]?.endpoints).toMatchObject([{ port: 587 }]);
  });

  it('says what was probably meant', () => {
    expect(remedies(HOOK.replace('[orders]', '[order]'))).toEqual(['Did you mean `orders`?']);
    expect(remedies(`${HOOK}  concurency: 2\n`)).toEqual(['Did you mean `concurrency`?']);
    expect(remedies(HOOK.replace('name: orders', 'name: orders\n  namespace: shop'))).toEqual([
      'There is one in `default`: a hook serves the certificates of its own namespace.',
    ]);
  });

  it('of a wildcard’s name is one of its names', () => {
    const wildcard = { path: 'b.yaml', text: CERTIFICATE.replace('orders.internal.example', '"*.internal.example"') };
    const hook = (host: string): string => `${HOOK}  endpoints: [{ host: ${host} }]\n`;
    expect(places(parse(hook('shop.internal.example'), wildcard))).toEqual([]);
    expect(places(parse(hook('a.shop.internal.example'), wildcard))).toEqual(['8:23 error NotNamed']);
  });

  it('is not built where there is nothing to deploy to', () => {
    const { findings } = parseManifest([{ path: 'a.yaml', text: HOOK }], ISSUERS);
    expect(findings.map(({ code }) => code)).toEqual(['KindNotBuilt']);
  });
});

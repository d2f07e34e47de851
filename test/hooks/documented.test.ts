import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { HOOKS, ISSUERS } from '../../functions/catalogue.ts';
import { parseManifest } from '../../functions/core/manifest/index.ts';
import { ecs } from '../../functions/hooks/ecs/plugin.ts';
import { eks } from '../../functions/hooks/eks/plugin.ts';
import { renderRbac } from '../../functions/hooks/eks/rbac.ts';
import { certificateYaml, manifestOf } from '../support/deployment.ts';

const page = (name: string): string => readFileSync(join(import.meta.dirname, '..', '..', 'docs', name), 'utf8');
const blocks = (name: string, language: string): readonly string[] =>
  [...page(name).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

const targetsOf = (plugin: typeof ecs | typeof eks, spec: unknown) => {
  const parsed = plugin.parse(spec, ['spec', plugin.kind]);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.objections));
  return parsed.options;
};

describe('what the pages about hooks show', () => {
  it.each(['ecs.md', 'eks.md'])('in %s is a document that validates', (name) => {
    const [document = ''] = blocks(name, 'yaml');
    const text = manifestOf(certificateYaml('shop').replace('internal.example', 'example.com'), document);
    const { findings, declared } = parseManifest([{ path: name, text }], ISSUERS, { hookKinds: HOOKS });
    expect(findings).toEqual([]);
    expect(declared.hooks).toBe(1);
  });

  it('of IAM is what the ECS hook needs', () => {
    const { Statement } = JSON.parse(blocks('ecs.md', 'json')[0] ?? '') as {
      Statement: { Action: string | string[]; Resource: string; Condition?: unknown }[];
    };
    const needs = ecs.needs(targetsOf(ecs, { cluster: 'production', services: ['checkout'] }) as never);
    expect(Statement.map(({ Action, Resource }) => [[Action].flat(), [Resource]])).toEqual(
      needs.map(({ actions, resources }) => [actions, resources]),
    );
  });

  it('of RBAC is what is printed', () => {
    const restart = [{ kind: 'Deployment', name: 'storefront' }];
    const spec = { cluster: 'production', namespace: 'shop', secretName: 'shop-tls', restart };
    const [role = ''] = renderRbac(targetsOf(eks, spec) as never).split('---\n');
    expect(parseDocument(blocks('eks.md', 'yaml')[1] ?? '').toJS()).toEqual(parseDocument(role).toJS());
  });

  it('of failures are the codes that there are', () => {
    const sources = ['ecs/hook', 'ecs/service', 'eks/hook', 'eks/api', 'eks/connection', 'eks/failures'].map((file) =>
      readFileSync(join(import.meta.dirname, '..', '..', 'functions', 'hooks', `${file}.ts`), 'utf8'),
    );
    const codes = ['ecs.md', 'eks.md'].flatMap((name) =>
      [...page(name).matchAll(/^\| `([A-Z]\w+)` /gm)].map(([, code = '']) => code),
    );
    expect(codes.length).toBeGreaterThan(8);
    // AWS's own refusals get theirs elsewhere.
    const known = (code: string): boolean =>
      code === 'AccessDenied' || sources.some((text) => text.includes(`'${code}'`));
    expect(codes.filter((code) => !known(code))).toEqual([]);
  });
});

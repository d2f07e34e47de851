import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack, Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import { appForTwin } from '../../bin/twin/synthesize.ts';
import { Everleaf, type EverleafProps } from '../../lib/index.ts';
import { SAMPLES, synthesizeTemplate } from '../support/synthesis.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'everleaf-review-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

/** What cdk-nag's packs find that nobody has acknowledged, as `rule at path`. */
function findings(
  name: string,
  more: (stack: Stack) => void = () => {},
  props: EverleafProps = { manifest: SAMPLES },
): readonly string[] {
  const outdir = join(folder, name);
  const app = appForTwin(outdir);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  const stack = new Stack(app, 'Reviewed');
  const everleaf = new Everleaf(stack, 'Everleaf', props);
  if (props.manifest === SAMPLES) everleaf.ready('shop');
  more(stack);
  try {
    app.synth();
    return [];
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ValidationFailed') throw error;
    const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as Report;
    return report.pluginReports.flatMap(({ violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
      ),
    );
  }
}

describe("cdk-nag's packs AwsSolutions and Serverless", () => {
  it('find nothing that is not acknowledged with a reason', () => {
    expect(findings('as-it-is')).toEqual([]);
  });

  it('find nothing more where hooks deploy, and an address is told', () => {
    const manifest = join(ROOT, 'examples', 'deploy-hooks');
    expect(findings('with-hooks', () => {}, { manifest, alarmEmail: 'oncall@example.com' })).toEqual([]);
  });

  it('find what is planted', () => {
    const found = findings('planted', (stack) => new Bucket(stack, 'Planted'));
    expect(found).toContain('AwsSolutions-S1 at Reviewed/Planted/Resource');
    expect(found.filter((finding) => !finding.includes('Planted'))).toEqual([]);
  });
});

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const template = synthesizeTemplate();

describe('the stack', () => {
  it('is as it was reviewed (a change shows here; mend with vitest -u)', () => {
    const text = JSON.stringify(template.toJSON(), undefined, 2);
    // Code is reviewed as code.
    expect(text.replaceAll(/[0-9a-f]{64}(?=\.(?:zip|json))/g, '<asset>')).toMatchSnapshot();
  });

  /**
   * What holds state, by logical id, with every property of it whose change CloudFormation carries out by a replacement (its
   * resource reference, "Update requires: Replacement"). Another id or value here loses an inventory, orphans a key, or cuts
   * every subscriber off: it needs a migration.
   */
  it('keeps what holds state under the same ids, with what would replace it unchanged', () => {
    const REPLACING: Readonly<Record<string, readonly string[]>> = {
      'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'ImportSourceSpecification'],
      'AWS::KMS::Key': ['KeySpec', 'KeyUsage', 'MultiRegion', 'Origin'],
      'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
      'AWS::Events::EventBus': ['Name', 'EventSourceName'],
      'AWS::Events::Archive': ['ArchiveName', 'SourceArn'],
    };
    const held = Object.entries(template.toJSON()['Resources'] as Record<string, Resource>)
      .filter(([, { Type }]) => REPLACING[Type] !== undefined)
      .map(([id, { Type, Properties }]) => {
        const fixed = (REPLACING[Type] ?? []).flatMap((name) =>
          Properties[name] === undefined ? [] : [[name, Properties[name]] as const],
        );
        return [id, Object.fromEntries(fixed)] as const;
      });
    expect(Object.fromEntries(held)).toMatchInlineSnapshot(`
      {
        "EverleafBusArchiveA847E2C2": {
          "SourceArn": {
            "Fn::GetAtt": [
              "EverleafBusFF320ED2",
              "Arn",
            ],
          },
        },
        "EverleafBusFF320ED2": {
          "Name": "Everleaf-B7F08E84",
        },
        "EverleafDeploymentDeadLetters4D2E2B86": {},
        "EverleafDeploymentQueueCD92BEB3": {},
        "EverleafInventoryTable17777E3B": {
          "KeySchema": [
            {
              "AttributeName": "pk",
              "KeyType": "HASH",
            },
          ],
        },
        "EverleafIssuanceDeadLetters0E82DD61": {},
        "EverleafIssuanceQueueCAB8E790": {},
        "EverleafStoreKey10E4B665": {},
      }
    `);
  });
});

import { CfnOutput, CustomResource, type Stack } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import type { Twin } from '../../local/twin.ts';
import { functionOf, startTwin, synthesize } from './stage.ts';

/** Prints what it is asked; `fail` in the properties makes it answer FAILED, `silent` makes it answer nothing. */
const PROVIDE = `
  export const handler = async (event) => {
    const { RequestType, ResourceProperties: { ServiceToken, ...now }, OldResourceProperties: old, PhysicalResourceId } = event;
    console.log(JSON.stringify([RequestType, now, old?.version, PhysicalResourceId]));
    if (now.silent) return;
    const body = { Status: now.fail && RequestType !== 'Delete' ? 'FAILED' : 'SUCCESS', Reason: 'it was asked to',
      PhysicalResourceId: now.id ?? 'the-one', StackId: event.StackId, RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId, Data: { Version: now.version } };
    await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify(body) });
  };`;

const stackWith =
  (properties: Record<string, unknown>, source = PROVIDE) =>
  (stack: Stack): void => {
    const provider = functionOf(stack, 'Provider', source);
    const resourceType = 'Custom::Thing';
    const thing = new CustomResource(stack, 'Thing', { serviceToken: provider.functionArn, resourceType, properties });
    new CfnOutput(stack, 'Ref', { value: thing.ref });
    new CfnOutput(stack, 'Version', { value: thing.getAttString('Version') });
  };

const requests = (twin: Twin): unknown[] => twin.logs.map(({ line }) => JSON.parse(line) as unknown);

test('a custom resource is created, updated when its properties change, and deleted', async () => {
  const twin = await startTwin(stackWith({ version: 1, on: true }));
  expect(twin.outputs).toEqual({ Ref: 'the-one', Version: '1' });
  await twin.update(synthesize(stackWith({ version: 1, on: true })));
  await twin.update(synthesize(stackWith({ version: 2, on: true })));
  expect(twin.outputs['Version']).toBe('2');
  await twin.destroy();
  expect(requests(twin)).toEqual([
    ['Create', { version: '1', on: 'true' }, null, null],
    ['Update', { version: '2', on: 'true' }, '1', 'the-one'],
    ['Delete', { version: '2', on: 'true' }, null, 'the-one'],
  ]);
});

test('a failed creation stops the start with the reason given, after a deletion', async () => {
  const lines: unknown[] = [];
  const onLog = ({ line }: { line: string }): unknown => lines.push((JSON.parse(line) as unknown[])[0]);
  await expect(startTwin(stackWith({ version: 1, fail: true }), { onLog })).rejects.toThrow('it was asked to');
  expect(lines).toEqual(['Create', 'Delete']);
});

test('a failed update is rolled back with the former properties, handled by the former code', async () => {
  const twin = await startTwin(stackWith({ version: 1 }));
  const newer = PROVIDE.replace('[RequestType', `['new code', RequestType`);
  await expect(twin.update(synthesize(stackWith({ version: 2, fail: true }, newer)))).rejects.toThrow(
    /Thing.*it was asked to/,
  );
  expect(requests(twin).slice(1)).toEqual([
    ['new code', 'Update', { version: '2', fail: 'true' }, '1', 'the-one'],
    ['Update', { version: '1' }, '2', 'the-one'],
  ]);
  expect(twin.outputs['Version']).toBe('1');
});

test('another physical id replaces the resource: the former one is deleted', async () => {
  const twin = await startTwin(stackWith({ version: 1, id: 'a' }));
  await twin.update(synthesize(stackWith({ version: 2, id: 'b' })));
  expect(requests(twin).at(-1)).toEqual(['Delete', { version: '1', id: 'a' }, null, 'a']);
});

test('a function that ends without an answer fails the deployment at once', async () => {
  await expect(startTwin(stackWith({ silent: true }))).rejects.toThrow('did not answer the Create request (it ended)');
});

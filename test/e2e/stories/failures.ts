import { GetQueueAttributesCommand, SendMessageCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../functions/core/time.ts';
import { resourceAt, type Template } from '../adaptations.ts';
import { eventually } from '../support/eventually.ts';
import { IMPOSSIBLE_YAML } from '../support/manifests.ts';
import type { Subscriber } from '../support/subscriber.ts';
import type { World } from '../support/world.ts';

const ISSUE_ROLE_POLICY = 'EverleafIssuanceIssueRoleDefaultPolicy';
const GRANT = 'dynamodb:GetItem';

/** What cannot succeed, and what becomes of it. */
export function failures(world: () => World, subscriber: () => Subscriber): void {
  const queueUrl = (): string => world().output('QueueUrl');
  const deadLettersUrl = (): string => world().output('DeadLettersUrl');
  /** The dead-letter queue as the runbook looks at it: nothing is taken away. */
  const deadLetter = (what: string, fits: (body: string) => boolean) =>
    eventually(`${what} is in the dead-letter queue`, async () => {
      const messages = await world().account.receive(deadLettersUrl(), 0);
      return messages.find(({ Body = '' }) => fits(Body));
    });
  const logged = (message: string, fits: (line: string) => boolean) =>
    eventually(`the issue function logs "${message}"`, async () => {
      const lines = await world().account.logLines(world().resource('EverleafIssuanceIssueLogs'));
      return lines.find((line) => line.includes(message) && fits(line));
    });

  describe('a certificate that cannot be issued', () => {
    it('is backed off in the inventory', async () => {
      world().writeManifest('impossible.yaml', IMPOSSIBLE_YAML);
      await world().deploy();
      await world().tick();
      const { failures, waitUntil, attempt } = await world().recordWhen(
        'payments/too-long',
        'is given up on for now',
        (record) => record.failures.count > 0,
      );
      expect(failures).toMatchObject({
        count: 1,
        blocked: true,
        last: { class: 'permanent', code: 'DurationTooLong' },
      });
      expect(waitUntil).toBeGreaterThan(Date.now() + 23 * HOUR_MS);
      expect(attempt).toBeUndefined();
    });

    it('is logged by its code', async () => {
      const line = await logged('renewal failed', (text) => text.includes('payments/too-long'));
      expect(JSON.parse(line)).toMatchObject({
        certificate: 'payments/too-long',
        failure: { code: 'DurationTooLong' },
      });
    });

    it('is announced', async () => {
      const told = await subscriber().told(
        'Certificate Renewal Failed',
        'payments/too-long',
        'the failure',
        () => true,
      );
      expect(told).toMatchObject({ failures: 1, blocked: true, failure: { code: 'DurationTooLong' } });
    });

    it('is left alone by the next tick, and fills no dead-letter queue', async () => {
      expect(await world().tick()).toBe(0);
      expect(await world().account.receive(deadLettersUrl(), 0)).toEqual([]);
    });
  });

  describe('a message that cannot be worked on', () => {
    it('names the grant that its function lacks', async () => {
      await world().deploy((template) => {
        withdraw(template, GRANT);
        giveBackAtOnce(template);
      });
      await world().requestRenewal('shop');
      await world().tick();
      const line = await logged('message could not be worked on', (text) => text.includes(GRANT));
      expect(JSON.parse(line)).toMatchObject({ failure: { class: 'permanent', code: 'AccessDenied' } });
      expect(line).toContain(`not authorized to perform: ${GRANT}`);
    });

    it('is in the dead-letter queue after three deliveries', async () => {
      const { Attributes } = await deadLetter('the hint', (body) => body.includes('default/shop'));
      expect(Number(Attributes?.['ApproximateReceiveCount'])).toBeGreaterThan(3);
    });

    it('is worked on when the cause is mended and it is sent back', async () => {
      const { generation } = await world().record('shop');
      await world().deploy(giveBackAtOnce);
      await redrive(world());
      await world().recordWhen('shop', 'is renewed', (record) => record.generation === generation + 1);
      expect(await world().account.receive(deadLettersUrl(), 0)).toEqual([]);
    });

    it('comes back when it is poison, with the reason in the log under its id', async () => {
      const { MessageId = '' } = await world().account.sqs.send(
        new SendMessageCommand({ QueueUrl: queueUrl(), MessageBody: 'poison' }),
      );
      await deadLetter('the poison', (body) => body === 'poison');
      const line = await logged('message could not be worked on', (text) => text.includes(MessageId));
      expect(JSON.parse(line)).toMatchObject({ messageId: MessageId, failure: { code: 'UnreadableHint' } });
      await redrive(world());
      await deadLetter('the poison, again,', (body) => body === 'poison');
    });
  });
}

/** Takes an action out of the issue function's role, in this test's copy of the template. */
function withdraw(template: Template, action: string): void {
  const { Properties } = resourceAt(template, ISSUE_ROLE_POLICY);
  const { Statement } = Properties['PolicyDocument'] as { Statement: { Action: string | string[] }[] };
  const holders = Statement.filter(({ Action }) => Action.includes(action));
  if (holders.length !== 1) throw new Error(`${holders.length} statements grant ${action}`);
  for (const holder of holders) holder.Action = [holder.Action].flat().filter((each) => each !== action);
}

/** Twelve minutes between two deliveries is right for people, and long for a test. */
function giveBackAtOnce(template: Template): void {
  resourceAt(template, 'EverleafIssuanceQueue').Properties['VisibilityTimeout'] = 1;
}

/** What `aws sqs start-message-move-task` does, by hand for as long as MiniStack does not know it. */
async function redrive(world: World): Promise<void> {
  const { sqs } = world.account;
  const QueueUrl = world.output('DeadLettersUrl');
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const task = sqs.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes?.QueueArn }));
  await expect(task).rejects.toMatchObject({ name: 'InvalidAction' });
  for (;;) {
    const messages = await world.account.receive(QueueUrl);
    if (messages.length === 0) return;
    for (const message of messages) {
      await sqs.send(new SendMessageCommand({ QueueUrl: world.output('QueueUrl'), MessageBody: message.Body }));
      await world.account.delete(QueueUrl, message);
    }
  }
}

import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { CLIENT_SETTINGS } from '../aws/client.ts';
import { awsFailure } from '../aws/failures.ts';
import type { HintQueue } from '../core/ports.ts';

export function sqsHintQueue(queueUrl: string, client = new SQSClient({ ...CLIENT_SETTINGS })): HintQueue {
  return {
    later: async (hint, delaySeconds) => {
      try {
        await client.send(
          new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(hint), DelaySeconds: delaySeconds }),
        );
      } catch (error) {
        throw awsFailure(error, `asking for another look at ${hint.certificate} in ${delaySeconds} s`);
      }
    },
  };
}

import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describeFailure, TransientError } from '../core/errors.ts';

/** CloudFormation shows about this much of a reason; the whole answer must stay under 4,096 bytes. */
const REASON_LIMIT_CHARACTERS = 1_000;

const RESPONSE_TIMEOUT_MS = 30_000;

export type ResourceData = Readonly<Record<string, string | number>>;

/**
 * Runs `work` and tells CloudFormation how it went. Whatever happens, it is told: a custom resource that stays silent holds
 * its stack for an hour. The response URL is a credential and is never logged.
 */
export async function respondWith(
  event: CloudFormationCustomResourceEvent,
  physicalResourceId: string,
  work: () => Promise<ResourceData>,
): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const identity = { StackId, RequestId, LogicalResourceId, PhysicalResourceId: physicalResourceId };
  try {
    const data = await work();
    await put(ResponseURL, { ...identity, Status: 'SUCCESS', Data: data });
  } catch (error) {
    const { code, message } = describeFailure(error);
    await put(ResponseURL, {
      ...identity,
      Status: 'FAILED',
      Reason: `${code}: ${message}`.slice(0, REASON_LIMIT_CHARACTERS),
    });
  }
}

async function put(url: string, answer: object): Promise<void> {
  const body = JSON.stringify(answer);
  // A presigned S3 URL: no content type was signed, so none may be sent.
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': '' },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS),
  });
  if (!response.ok)
    throw new TransientError('ResponseRefused', `CloudFormation's response URL answered ${response.status}`);
}

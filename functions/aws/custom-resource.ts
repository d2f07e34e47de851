import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { describeFailure, TransientError } from '../core/errors.ts';

/** CloudFormation shows about this much of a reason. */
const REASON_LIMIT_CHARACTERS = 1_000;
/** The whole answer must stay under 4,096 bytes, and the rest of it takes some five hundred. */
const REASON_LIMIT_BYTES = 3_200;

/** Tries to hand an answer over. */
const ANSWER_ROUNDS = 2;

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
  const outcome = await outcomeOf(work);
  // The same answer again where it did not arrive: another one would undo what was done.
  for (let round = 1; ; round++) {
    try {
      await put(ResponseURL, { ...identity, ...outcome });
      return;
    } catch (error) {
      if (round === ANSWER_ROUNDS) throw error;
    }
  }
}

async function outcomeOf(work: () => Promise<ResourceData>): Promise<object> {
  try {
    return { Status: 'SUCCESS', Data: await work() };
  } catch (error) {
    const { code, message } = describeFailure(error);
    return { Status: 'FAILED', Reason: clipEncoded(`${code}: ${message}`) };
  }
}

/** Control characters take six bytes each in JSON: what counts is the encoded length. */
function clipEncoded(reason: string): string {
  let clipped = reason.slice(0, REASON_LIMIT_CHARACTERS);
  while (Buffer.byteLength(JSON.stringify(clipped)) > REASON_LIMIT_BYTES) clipped = clipped.slice(0, -10);
  return clipped;
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

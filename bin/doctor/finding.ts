import { describeFailure } from '../../functions/core/errors.ts';
import { deniedIn } from '../operator/denied.ts';
import { remedyFor } from '../operator/remedies.ts';

/** One line of `everleaf doctor`. */
export interface Finding {
  readonly check: string;
  readonly verdict: 'fine' | 'warning' | 'fault';
  readonly message: string;
  /** What to do; absent where nothing is to be done. */
  readonly remedy?: string;
}

export const fine = (check: string, message: string): Finding => ({ check, verdict: 'fine', message });

export const warning = (check: string, message: string, remedy: string): Finding => ({
  check,
  verdict: 'warning',
  message,
  remedy,
});

export const fault = (check: string, message: string, remedy: string): Finding => ({
  check,
  verdict: 'fault',
  message,
  remedy,
});

/** What keeps a check from being made is a finding as well. */
export async function checking(
  check: string,
  work: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await work()].flat();
  } catch (error) {
    const denied = deniedIn(error, 'viewer');
    if (denied !== undefined) {
      const [message = '', remedy = ''] = denied.message.split('; ');
      return [fault(check, message, remedy)];
    }
    const { code, message } = describeFailure(error);
    return [fault(check, message, remedyFor(code))];
  }
}

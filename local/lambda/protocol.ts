import type { NetworkSettings } from '../network.ts';

/** What a worker is told when it starts. */
export interface SandboxData {
  readonly taskRoot: string;
  /** As the template has it: `index.handler`. */
  readonly handler: string;
  readonly lag: BigInt64Array;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMb: number;
  readonly logGroupName: string;
  readonly network: NetworkSettings;
}

export interface Invoke {
  readonly requestId: string;
  /** JSON: what a function gets has been over a wire. */
  readonly event: string;
  readonly timeoutMs: number;
}

/** As the Lambda runtime reports it to whoever asks what went wrong. */
export interface FunctionFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** What a worker says: it is loaded, it printed, it made a private key (PEM), it is done with an invocation. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'key'; readonly pem: string }
  | { readonly kind: 'result'; readonly payload: string }
  | { readonly kind: 'failure'; readonly failure: FunctionFailure };

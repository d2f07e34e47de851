/** One call, from its arrival on; the answer is filled in when there is one. Bodies are not kept. */
export interface CallRecord {
  readonly sequence: number;
  /** The virtual clock at arrival. */
  readonly at: number;
  /** A function's logical id, `operator`, or `anonymous` for an answer to CloudFormation. */
  readonly principal: string;
  readonly invocationId: string | undefined;
  readonly service: string;
  readonly operation: string;
  /** The ARNs that were authorized, in order. */
  readonly resources: readonly string[];
  /** Absent while it is under way, and when the caller never saw an answer. */
  readonly statusCode?: number;
  readonly errorCode?: string;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly errorCode?: string;
}

/** A call on its way through the middlewares. */
export interface WireCall extends CallRecord {
  readonly input: Readonly<Record<string, unknown>>;
  /** Ends the worker that made this call, as a crash would. Nothing happens to the operator. */
  killCaller(): Promise<void>;
}

/** `next` lets the server act: not calling it refuses, calling it twice repeats. A thrown AwsError is the answer. */
export type Middleware = (call: WireCall, next: () => Promise<WireResponse>) => Promise<WireResponse>;

/** Answered by a middleware: the connection is cut, and the caller cannot know whether the server acted. */
export const DROPPED: WireResponse = { status: 0, headers: {}, body: '' };

/** One call of one AWS operation, after the caller was identified and the body parsed. */
export interface ServiceCall {
  /** As the API reference spells it: `PutSecretValue`. */
  readonly operation: string;
  /** The request's JSON. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The virtual clock's milliseconds since the epoch. */
  readonly now: number;
  readonly accountId: string;
  readonly region: string;
  /**
   * Throws AccessDenied unless the caller's role allows `action` on `resource` (an ARN). Call it once for each pair AWS
   * would check, before anything is changed. `context` holds condition keys of the call (`aws:ResourceTag/x`, `kms:ViaService`).
   */
  authorize(action: string, resource: string, context?: Readonly<Record<string, string | readonly string[]>>): void;
}

/** A service that speaks AWS JSON 1.0 or 1.1. An operation it does not know is an error that names it. */
export interface JsonService {
  /** The name in the credential scope: `secretsmanager`, `acm-pca`, `sqs`, `events`. */
  readonly signingName: string;
  handle(call: ServiceCall): unknown;
}

/** An error in AWS's wire shape: the SDK turns `code` into the exception's name. */
export class AwsError extends Error {
  readonly code: string;
  readonly httpStatus: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, httpStatus = 400, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.httpStatus = httpStatus;
    this.fields = fields;
  }
}

export function unknownOperation(service: string, operation: string): AwsError {
  return new AwsError(
    'UnknownOperationException',
    `the twin's ${service} does not know ${operation}; add it to local/services if the product calls it`,
    501,
  );
}

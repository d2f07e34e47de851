/** A refusal in the words of Kubernetes' API conventions. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly { readonly field: string; readonly message: string }[];

  constructor(status: number, reason: string, message: string, causes: ApiError['causes'] = []) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }

  get body(): object {
    const { message, reason, status: code, causes } = this;
    return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, details: { causes }, code };
  }
}

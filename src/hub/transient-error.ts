/** A failure that another try may fix; `retryAfterMs` is how long the hub asked to wait. */
export class TransientError extends Error {
  readonly retryAfterMs?: number

  constructor(message: string, { cause, retryAfterMs }: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause })
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
  }
}

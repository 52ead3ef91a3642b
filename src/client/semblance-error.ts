import { retryAfterOf } from './retry.js'

/** An answer that is an error, with what the service says of it. */
export class SemblanceError extends Error {
  /** The HTTP status. */
  readonly status: number
  /**
   * Stable, in capitals: `COLLECTION_NOT_FOUND`. `UNKNOWN` where something between answered in another shape.
   */
  readonly code: string
  /** Finds the request in the service's log. */
  readonly requestId: string | undefined
  /** Seconds after which the service wants to be asked again, where it says so. */
  readonly retryAfter: number | undefined

  constructor({
    status,
    code,
    message,
    requestId,
    retryAfter
  }: {
    status: number
    code: string
    message: string
    requestId?: string
    retryAfter?: number
  }) {
    super(message)
    this.name = 'SemblanceError'
    this.status = status
    this.code = code
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

/** The error that an answer is. Reads its body. */
export async function errorOf(response: Response): Promise<SemblanceError> {
  const text = await response.text().catch(() => '')
  const { status, headers } = response
  const seconds = retryAfterOf(headers)
  const shared = { status, ...(seconds !== undefined && { retryAfter: seconds }) }
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; request_id: string } }
    return new SemblanceError({
      ...shared,
      code: error.code,
      message: error.message,
      requestId: error.request_id
    })
  } catch {
    return new SemblanceError({
      ...shared,
      code: 'UNKNOWN',
      message: `The service answers ${status}.`,
      requestId: headers.get('x-request-id') ?? undefined
    })
  }
}

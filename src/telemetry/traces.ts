import type { IncomingHttpHeaders } from 'node:http'
import type { ErrorShape } from '../errors.js'
import type { Step } from './stages.js'

/** Where the traces of requests go. */
export interface Traces {
  /** Begins the trace of a request, or continues with the caller's (W3C Trace Context). */
  begin(request: TracedRequest): RequestTrace
  /** Sends what is left, for so many milliseconds at most. */
  close(withinMs: number): Promise<void>
}

export interface TracedRequest {
  id: string
  method: string
  /** The template of the route, where there is one. */
  route?: string
  /** The path without its query, which may hold texts. */
  path: string
  headers: IncomingHttpHeaders
}

/** The span of one request. */
export interface RequestTrace {
  readonly traceId: string
  readonly spanId: string
  /** Adds a step as a span of its own. */
  step(step: Step): void
  /** Notes the error that the request ends with. */
  fail(error: ErrorShape): void
  end(status: number): void
}

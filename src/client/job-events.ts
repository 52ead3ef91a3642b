import { EventSourceParserStream } from 'eventsource-parser/stream'
import { wait, waitAfter, WORTH_ANOTHER_TRY } from './retry.js'
import { SemblanceError } from './semblance-error.js'
import type { Job } from './shapes.js'

/** From this try on, waits get no longer: that of the fifth is up to 8 seconds. */
const LONGEST_WAIT_AT = 4

/**
 * The states of a job until it has ended, of as many streams as that takes: a service that restarts continues
 * with its jobs. See `Client.events`.
 */
export async function* followJob(
  open: () => Promise<ReadableStream<Uint8Array>>,
  { retries, signal }: { retries: number; signal?: AbortSignal }
): AsyncGenerator<Job, void, undefined> {
  for (let tries = 0; ; tries++) {
    let cause: unknown = new TypeError('The connection was lost before the job ended.')
    try {
      for await (const job of jobStates(await open())) {
        yield job
        if (job.state !== 'running' && job.state !== 'queued') return
        tries = 0
      }
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error
      cause = error
    }
    if (tries >= retries) throw cause
    const asked = cause instanceof SemblanceError ? (cause.retryAfter ?? 0) * 1000 : 0
    await wait(Math.max(asked, waitAfter(undefined, Math.min(tries, LONGEST_WAIT_AT))), signal)
  }
}

/**
 * Whether the stream may be asked for again: after any loss of the connection, and an answer of a service
 * that is not there for a while.
 */
function isPassing(error: unknown): boolean {
  return error instanceof SemblanceError
    ? WORTH_ANOTHER_TRY.has(error.status)
    : !(error instanceof SyntaxError)
}

/** The states that one stream of server-sent events tells of. */
async function* jobStates(stream: ReadableStream<Uint8Array>): AsyncGenerator<Job, void, undefined> {
  const events = stream
    .pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
    .pipeThrough(new EventSourceParserStream())
  const reader = events.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield JSON.parse(value.data) as Job
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

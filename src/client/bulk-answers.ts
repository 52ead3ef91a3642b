import { retryAfterOf } from './retry.js'
import { SemblanceError } from './semblance-error.js'

/** What became of one record of a load. `skipped`: it was answered before, under the same key. */
export interface BulkAnswer {
  /** The number of the line, from 1. */
  line: number
  id?: string | null
  status: 'created' | 'updated' | 'failed' | 'skipped'
  error?: { code: string; message: string }
}

type Line = BulkAnswer | { error: { code: string; message: string; request_id: string } }

/**
 * What a load's answer says of each line, as it comes. Throws the SemblanceError that ended the load, or a
 * TypeError where the connection was lost.
 */
export async function* answersOf({ body, status, headers }: Response): AsyncGenerator<BulkAnswer> {
  const decoder = new TextDecoder()
  const reader = body!.getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      const lines = (rest + (done ? decoder.decode() : decoder.decode(value, { stream: true }))).split('\n')
      rest = lines.pop()!
      for (const text of lines) {
        const line = JSON.parse(text) as Line
        if (!('line' in line))
          throw new SemblanceError({
            ...line.error,
            status,
            requestId: line.error.request_id,
            retryAfter: retryAfterOf(headers)
          })
        yield line
      }
      if (!done) continue
      if (rest !== '') throw new TypeError('The connection was lost in the middle of an answer.')
      return
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

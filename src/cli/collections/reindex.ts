import { printable } from '../../terminal/printable.js'
import { host } from '../host.js'
import { bar, liveLines, paceOf } from '../live-lines.js'
import { withStop } from '../with-stop.js'
import type { ReindexOptions } from './options.js'

/** `semblance collections reindex`. */
export async function reindex(
  collection: string,
  { json, quiet = false, model, skipMissing, ...options }: ReindexOptions
): Promise<void> {
  await withStop({ ...options, quiet }, async ({ api }, signal) => {
    let job = await api.post('/v1/collections/{collection}/reindex', {
      params: { path: { collection } },
      body: { ...(model !== undefined && { model }), ...(skipMissing && { skip_missing: true }) },
      signal
    })
    const startedAt = performance.now()
    const before = job.progress.done
    const lines = liveLines(host().stderr, host().stderr.isTTY && !quiet ? 'live' : 'none', () => {
      const { done, total } = job.progress
      const { secondsLeft = '-' } = paceOf({ done: done - before, total: total - before, startedAt })
      return [`Re-indexing ${collection} ${bar(done, total)} ${done}/${total}, ${secondsLeft} s left`]
    })
    lines.start()
    try {
      for await (const state of api.events(job.id, { signal })) {
        if (state.kind === 'reindex') job = state
      }
    } finally {
      lines.stop()
    }
    if (json) host().stdout.write(`${JSON.stringify(job)}\n`)
    const { state, error, missing, progress } = job
    if (state !== 'done')
      throw new Error(`The job ${job.id} has ${state}${error ? `: ${error.code}: ${error.message}` : ''}`)
    if (!json && !quiet)
      host().stdout.write(
        `Re-indexed '${collection}' with ${printable(job.model)}: ${progress.done} ` +
          `records${missing.count > 0 ? `, ${missing.count} embeddings left out` : ''}.\n`
      )
  })
}

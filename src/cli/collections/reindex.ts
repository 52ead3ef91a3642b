import { SingleBar } from 'cli-progress'
import { printable } from '../../terminal/printable.js'
import { BAR } from '../bar.js'
import { withStop } from '../with-stop.js'
import type { ReindexOptions } from './options.js'

/** `semblance collections reindex`. */
export async function reindex(collection: string, { json, quiet = false, model, skipMissing, ...options }: ReindexOptions): Promise<void> {
  await withStop({ ...options, quiet }, async ({ api }, signal) => {
    const bar = new SingleBar({ stream: process.stderr, format: `Re-indexing ${collection} [{bar}] {value}/{total}, {eta} s left`, ...BAR })
    const isShown = process.stderr.isTTY && !quiet
    let job = await api.post('/v1/collections/{collection}/reindex', { params: { path: { collection } }, body: { ...(model !== undefined && { model }), ...(skipMissing && { skip_missing: true }) }, signal })
    if (isShown) bar.start(job.progress.total, job.progress.done)
    try {
      for await (const state of api.events(job.id, { signal })) {
        if (state.kind !== 'reindex') continue
        job = state
        bar.setTotal(job.progress.total)
        bar.update(job.progress.done)
      }
    } finally {
      if (isShown) bar.stop()
    }
    if (json) process.stdout.write(`${JSON.stringify(job)}\n`)
    const { state, error, missing, progress } = job
    if (state !== 'done') throw new Error(`The job ${job.id} has ${state}${error ? `: ${error.code}: ${error.message}` : ''}`)
    if (!json && !quiet) process.stdout.write(`Re-indexed '${collection}' with ${printable(job.model)}: ${progress.done} records${missing.count > 0 ? `, ${missing.count} embeddings left out` : ''}.\n`)
  })
}

import { signal } from '@preact/signals'
import type { Answer } from '../../../../src/client/client.js'
import { loadCollections } from '../../collections.js'
import { call } from '../../connection.js'

/** A re-indexing: evaluations change no collection. */
export type Job = Extract<Answer<'/v1/jobs', 'get'>['jobs'][number], { kind: 'reindex' }>

/** The re-indexings of the service, the latest first. */
export const jobs = signal<Job[]>([])

/**
 * So often in a row the service may not be there, which starts again in less than that takes: up to a minute.
 */
const RETRIES = 10

/** Whether a job has not ended yet. */
export const isRunning = ({ state }: Job): boolean => state === 'running'

function isReindex(job: { kind: string }): job is Job {
  return job.kind === 'reindex'
}

/**
 * Asks for the jobs: begun here, by another, or before the page was loaded. Where one has ended, its
 * collection is another one now.
 */
export async function loadJobs(): Promise<void> {
  const before = jobs.peek().filter(isRunning)
  jobs.value = (await call((client) => client.get('/v1/jobs'))).jobs.filter(isReindex)
  const running = new Set(jobs.value.filter(isRunning).map(({ id }) => id))
  if (before.some(({ id }) => !running.has(id))) await loadCollections()
}

/** Begins to encode a collection again with a model. */
export async function startReindex(
  collection: string,
  body: { model?: string; skip_missing: boolean }
): Promise<void> {
  const job = await call((client) =>
    client.post('/v1/collections/{collection}/reindex', { params: { path: { collection } }, body })
  )
  jobs.value = [job, ...jobs.value]
}

/** Ends a job; the collection stays as it was. */
export async function cancelJob(id: string): Promise<void> {
  const job = await call((client) => client.delete('/v1/jobs/{id}', { params: { path: { id } } }))
  if (isReindex(job)) put(job)
}

function put(job: Job): void {
  jobs.value = jobs.value.map((each) => (each.id === job.id ? job : each))
}

/** Follows a job to its end, by a connection of its own: a browser opens no more than six to a service. */
export async function followJob(id: string, signal: AbortSignal): Promise<void> {
  try {
    await call(async (client) => {
      for await (const job of client.events(id, { signal, retries: RETRIES })) if (isReindex(job)) put(job)
    })
  } catch {
    // A job that can't be followed is shown as it was last seen.
  }
  if (!signal.aborted) await loadCollections()
}

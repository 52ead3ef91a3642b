import { randomUUID } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import type { Collections } from './collections/collections.js'
import type { Encoders } from './encoder/encoders.js'
import { CollectionHasNoModel, JobNotFound, ReindexRunning, toErrorShape, type ErrorShape } from './errors.js'
import { reindex, type Unencodable } from './reindex.js'

/** A re-indexing in the background, and what became of it. */
export interface Job {
  id: string
  collection: string
  /** The model that the collection is encoded with. */
  model: string
  fingerprint: string
  skipMissing: boolean
  state: 'running' | 'done' | 'failed' | 'cancelled'
  /** Records. */
  progress: { done: number; total: number }
  /** What can't be encoded anew: how many, and the first of them. */
  missing: { count: number; records: Unencodable[] }
  error: Pick<ErrorShape, 'code' | 'message'> | null
  /** Milliseconds since 1970. */
  createdAt: number
  endedAt: number | null
}

export interface Jobs {
  /** Begins to re-index a collection. Throws COLLECTION_NOT_FOUND, COLLECTION_HAS_NO_MODEL, MODEL_NOT_FOUND or REINDEX_RUNNING. */
  start(asked: { collection: string; model?: string; skipMissing: boolean }): Promise<Job>
  /** Throws JOB_NOT_FOUND. */
  get(id: string): Job
  /** The latest first. */
  list(): Job[]
  /** Ends a job; what it made is dropped, and the collection stays as it was. Throws JOB_NOT_FOUND. */
  cancel(id: string): Promise<Job>
  /** The job as it is, and again whenever it has changed, until it has ended. Throws JOB_NOT_FOUND. */
  watch(id: string, signal: AbortSignal): AsyncGenerator<Job>
  /** Goes on with what an earlier process had begun, and drops what nobody will end. */
  resume(): Promise<void>
  /** Stops the jobs where they are; the next process goes on with them. */
  close(): Promise<void>
}

export interface JobsOptions {
  collections: Collections
  encoders: Encoders
  onEnd?: (job: Job) => void
}

/** Records that a job names, of those that can't be encoded anew. */
const MAX_NAMED = 1000

/** The jobs of a service, read from its store. */
export async function openJobs(options: JobsOptions): Promise<Jobs> {
  const { collections, encoders } = options
  const jobs = new Map((await collections.jobs()).map((body) => JSON.parse(body) as Job).map((job) => [job.id, job]))
  const runner = createRunner(options)
  const get = (id: string) => {
    const job = jobs.get(id)
    if (!job) throw new JobNotFound(id)
    return job
  }
  return {
    start: async ({ collection: name, model, skipMissing }) => {
      const { settings } = collections.get(name)
      if (settings.fingerprint === null) throw new CollectionHasNoModel(name)
      const encoder = encoders.get(model)
      const other = [...jobs.values()].find((job) => job.state === 'running' && job.collection === name)
      if (other) throw new ReindexRunning(name, other.id)
      const job: Job = {
        id: randomUUID(), collection: name, model: encoder.model.name, fingerprint: encoder.model.fingerprint, skipMissing,
        state: 'running', progress: { done: 0, total: 0 }, missing: { count: 0, records: [] }, error: null, createdAt: Date.now(), endedAt: null
      }
      jobs.set(job.id, job)
      await save(collections, job).catch((error) => {
        jobs.delete(job.id)
        throw error
      })
      runner.run(job)
      return job
    },
    get,
    list: () => [...jobs.values()].reverse(),
    cancel: async (id) => {
      const job = get(id)
      await runner.cancel(job)
      return job
    },
    watch: (id, signal) => runner.watch(get(id), signal),
    resume: async () => {
      const open = [...jobs.values()].filter(({ state }) => state === 'running')
      for (const name of collections.beingReplaced()) if (!open.some(({ collection }) => collection === name)) await collections.discardReplacement(name)
      open.forEach(runner.run)
    },
    close: runner.close
  }
}

/** What runs jobs, each by itself, and tells those who watch one. */
function createRunner({ collections, encoders, onEnd }: JobsOptions) {
  const running = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  const events = new EventEmitter().setMaxListeners(0)
  const closing = new AbortController()
  const end = async (job: Job, outcome: Pick<Job, 'state' | 'error'>) => {
    Object.assign(job, outcome, { endedAt: Date.now() })
    await save(collections, job)
    onEnd?.(job)
  }
  const fail = async (job: Job, { error, isCancelled }: { error: unknown; isCancelled: boolean }) => {
    await collections.discardReplacement(job.collection)
    const { code, message } = toErrorShape(error)
    await end(job, isCancelled ? { state: 'cancelled', error: null } : { state: 'failed', error: { code, message } })
  }
  return {
    run: (job: Job) => {
      const stop = new AbortController()
      const ended = runReindex({ collections, encoders }, job, { signal: AbortSignal.any([stop.signal, closing.signal]), onChange: () => events.emit(job.id) })
        .then(() => end(job, { state: 'done', error: null }))
        .catch(async (error) => closing.signal.aborted || (await fail(job, { error, isCancelled: stop.signal.aborted })))
        // Without its last state a job is found running at the next start, and gone on with.
        .catch(() => undefined)
        .then(() => {
          running.delete(job.id)
          events.emit(job.id)
        })
      running.set(job.id, { stop, ended })
    },
    cancel: async ({ id }: Job) => {
      running.get(id)?.stop.abort()
      await running.get(id)?.ended
    },
    watch: (job: Job, signal: AbortSignal) => watch(job, events, AbortSignal.any([signal, closing.signal])),
    close: async () => {
      closing.abort()
      await Promise.all([...running.values()].map(({ ended }) => ended))
    }
  }
}

function save(collections: Collections, job: Job): Promise<void> {
  return collections.saveJob({ id: job.id, body: JSON.stringify(job), createdAt: job.createdAt })
}

async function runReindex({ collections, encoders }: Omit<JobsOptions, 'onEnd'>, job: Job, { signal, onChange }: { signal: AbortSignal; onChange: () => void }): Promise<void> {
  const encoder = encoders.get(job.model)
  const { model: { name: model, fingerprint }, dimension } = encoder
  job.fingerprint = fingerprint
  // Found anew by a job that goes on.
  job.missing = { count: 0, records: [] }
  const collection = collections.get(job.collection)
  await reindex({
    collection,
    replacement: await collections.replacement(job.collection, { model, fingerprint, dimension }),
    encoder,
    skipMissing: job.skipMissing,
    signal,
    onProgress: (progress) => {
      job.progress = progress
      onChange()
    },
    onUnencodable: (record) => {
      if (++job.missing.count <= MAX_NAMED) job.missing.records.push(record)
    }
  })
}

async function* watch(job: Job, events: EventEmitter, signal: AbortSignal): AsyncGenerator<Job> {
  const changes = on(events, job.id, { signal })
  try {
    yield job
    while (job.state === 'running') {
      await changes.next()
      yield job
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await changes.return?.()
  }
}

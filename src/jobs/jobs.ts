import { randomUUID } from 'node:crypto'
import type { JobStore } from '../collections/stores/job-store.js'
import { JobNotFound, QueueFull } from '../errors.js'
import { isOpen, type Job, type JobKind, type JobKinds, type JobState } from './job.js'
import { createRunner, type RunnerOptions } from './job-runner.js'

export interface Jobs {
  /** Begins a job. Throws QUEUE_FULL, and what its kind does. */
  start<Kind extends keyof JobKinds>(
    kind: Kind,
    asked: Parameters<JobKinds[Kind]['plan']>[0]
  ): Promise<Extract<Job, { kind: Kind }>>
  /** Throws JOB_NOT_FOUND. */
  get(id: string): Job
  /** The latest first. */
  list(): Job[]
  /**
   * Ends a job and resolves when its end is kept; what it made is dropped. One that has ended stays as it is.
   * Throws JOB_NOT_FOUND.
   */
  cancel(id: string): Promise<Job>
  /** Forgets a job that has ended. Throws JOB_NOT_FOUND. */
  forget(id: string): Promise<void>
  /** The job as it is, and again whenever it has changed, until it has ended. Throws JOB_NOT_FOUND. */
  watch(id: string, signal: AbortSignal): AsyncGenerator<Job>
  /** Goes on with what an earlier process had begun, and drops what no one will end. */
  resume(): Promise<void>
  /** Stops the jobs where they are; the next process continues with them. */
  close(): Promise<void>
}

export interface JobsOptions {
  store: JobStore
  kinds: JobKinds
  /** Told of its end, and of what made it fail. */
  onEnd?: (job: Job, cause?: unknown) => void
  /**
   * Told what went wrong beside the job's work: what it made could not be removed, or its state not be kept.
   */
  onFault?: RunnerOptions['onFault']
}

/** The jobs of a service, read from its store. */
export async function openJobs({ store, kinds, onEnd, onFault }: JobsOptions): Promise<Jobs> {
  // Before there were others, all were re-indexings.
  const saved = (await store.list()).map((body) => ({ kind: 'reindex', ...JSON.parse(body) }) as Job)
  const jobs = new Map(saved.map((job) => [job.id, job]))
  const save = (job: Job) => store.save({ id: job.id, body: JSON.stringify(job), createdAt: job.createdAt })
  const runner = createRunner({ kinds, save, onEnd, onFault })
  const get = (id: string) => {
    const job = jobs.get(id)
    if (!job) throw new JobNotFound(id)
    return job
  }
  return {
    start: async (kind, asked) => {
      const { mayWait, plan, admit } = kinds[kind] as JobKind<unknown, object>
      const part = await plan(asked)
      // Without a pause from here until it is among the others: none may come between.
      admit?.(part, [...jobs.values()])
      const ahead =
        mayWait === undefined
          ? 0
          : [...jobs.values()].filter((job) => job.kind === kind && isOpen(job)).length
      if (ahead > (mayWait ?? 0)) throw new QueueFull()
      const state: JobState = {
        id: randomUUID(),
        state: ahead > 0 ? 'queued' : 'running',
        progress: { done: 0, total: 0 },
        error: null,
        createdAt: Date.now(),
        endedAt: null
      }
      const job = { ...state, kind, ...part } as Extract<Job, { kind: typeof kind }>
      jobs.set(job.id, job)
      await save(job).catch((error) => {
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
    forget: async (id) => {
      get(id)
      await store.remove(id)
      jobs.delete(id)
    },
    watch: (id, signal) => runner.watch(get(id), signal),
    resume: async () => {
      for (const kind of Object.values(kinds)) await kind.onResume?.([...jobs.values()])
      for (const job of jobs.values()) if (isOpen(job)) runner.run(job)
    },
    close: runner.close
  }
}

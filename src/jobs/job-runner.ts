import { EventEmitter } from 'node:events'
import { JobCrashed, toErrorShape } from '../errors.js'
import { isOpen, type Job, type JobKind, type JobKinds } from './job.js'
import { abortable } from '../threading/abortable.js'

export interface RunnerOptions {
  kinds: JobKinds
  save: (job: Job) => Promise<void>
  /** Told of its end, and of what made it fail. */
  onEnd?: (job: Job, cause?: unknown) => void
  /**
   * Told what went wrong beside the job's work: what it made could not be removed, or its state not be kept.
   */
  onFault?: (job: Job, fault: { step: 'undo' | 'save'; error: unknown }) => void
}

/** What runs jobs, each by itself or those of a kind one after the other, and tells those who watch one. */
export function createRunner(options: RunnerOptions) {
  const { kinds } = options
  const running = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  const events = new EventEmitter().setMaxListeners(0)
  const closing = new AbortController()
  /** By kind, what those that come next wait for. */
  const lines = new Map<string, Promise<unknown>>()
  const { fail, end, begin, giveBack } = outcomes(options)
  const work = async (job: Job, signal: AbortSignal) => {
    const kind = kindOf(kinds, job)
    if (lines.has(job.kind)) await abortable(lines.get(job.kind)!, signal)
    const onChange = () => void events.emit(job.id)
    job.state = 'running'
    await begin(job)
    onChange()
    signal.throwIfAborted()
    await kind.run(job, { signal, onChange })
  }
  return {
    run: (job: Job) => {
      const stop = new AbortController()
      const worked = work(job, AbortSignal.any([stop.signal, closing.signal])).then(
        () => end(job, { state: 'done', error: null }),
        // One that is cancelled while the service stops is cancelled; the others continue in the next
        // process.
        (error) =>
          closing.signal.aborted && !stop.signal.aborted
            ? giveBack(job)
            : fail(job, { error, isCancelled: stop.signal.aborted })
      )
      const ended = worked.finally(() => {
        running.delete(job.id)
        events.emit(job.id)
      })
      running.set(job.id, { stop, ended })
      // One that is cancelled while it waits ends before those ahead of it.
      if (kindOf(kinds, job).mayWait !== undefined)
        lines.set(job.kind, Promise.all([lines.get(job.kind), ended]))
    },
    cancel: async (job: Job) => {
      const { stop, ended } = running.get(job.id) ?? {}
      stop?.abort()
      await ended
      // It had stopped for the next process to continue with when its cancelling came.
      if (isOpen(job)) await fail(job, { error: undefined, isCancelled: true })
    },
    watch: (job: Job, signal: AbortSignal) => watch(job, events, AbortSignal.any([signal, closing.signal])),
    close: async () => {
      closing.abort()
      await Promise.all([...running.values()].map(({ ended }) => ended))
    }
  }
}

/**
 * What a job comes to, kept in the store; none of them throws but `begin`: a job whose state can't be kept is
 * found as it was at the next start.
 */
function outcomes({ kinds, save, onEnd, onFault }: RunnerOptions) {
  const keep = (job: Job) => save(job).catch((error) => onFault?.(job, { step: 'save', error }))
  const end = async (job: Job, outcome: Pick<Job, 'state' | 'error'>, cause?: unknown) => {
    Object.assign(job, outcome, { endedAt: Date.now() })
    await keep(job)
    onEnd?.(job, cause)
  }
  return {
    end,
    /** Counts the process as one that the job may crash, until it gives that back. Throws JOB_CRASHED. */
    begin: async (job: Job) => {
      const { crashes = 0 } = job
      if (crashes >= kindOf(kinds, job).mostCrashes) throw new JobCrashed(crashes)
      job.crashes = crashes + 1
      await save(job)
    },
    /** The process stops as it was asked to. */
    giveBack: async (job: Job) => {
      if (job.state === 'queued' || !job.crashes) return
      job.crashes--
      await keep(job)
    },
    fail: async (job: Job, { error, isCancelled }: { error: unknown; isCancelled: boolean }) => {
      await kindOf(kinds, job)
        .undo?.(job)
        .catch((fault) => onFault?.(job, { step: 'undo', error: fault }))
      const { code, message } = toErrorShape(error)
      const shown = {
        code,
        message:
          code === 'INTERNAL'
            ? 'An internal error occurred; the log has the details under the id of this job.'
            : message
      }
      await end(
        job,
        isCancelled ? { state: 'cancelled', error: null } : { state: 'failed', error: shown },
        error
      )
    }
  }
}

function kindOf(kinds: JobKinds, { kind }: Job): JobKind<unknown, object> {
  return kinds[kind] as JobKind<unknown, object>
}

/**
 * The job as it is, whenever it has changed since it was last asked for: changes that come meanwhile are one.
 */
async function* watch(job: Job, events: EventEmitter, signal: AbortSignal): AsyncGenerator<Job> {
  let hasChanged = false
  let wake: (() => void) | undefined
  const onChange = () => {
    hasChanged = true
    wake?.()
  }
  events.on(job.id, onChange)
  signal.addEventListener('abort', onChange)
  try {
    yield job
    while (isOpen(job) && !signal.aborted) {
      if (!hasChanged) await new Promise<void>((resolve) => (wake = resolve))
      hasChanged = false
      if (!signal.aborted || !isOpen(job)) yield job
    }
  } finally {
    events.off(job.id, onChange)
    signal.removeEventListener('abort', onChange)
  }
}

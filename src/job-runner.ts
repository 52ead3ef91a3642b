import { EventEmitter, on } from 'node:events'
import { toErrorShape } from './errors.js'
import { isOpen, type Job, type JobKind, type JobKinds } from './job.js'
import { orAborted } from './or-aborted.js'

export interface RunnerOptions {
  kinds: JobKinds
  save: (job: Job) => Promise<void>
  /** Told of its end, and of what made it fail. */
  onEnd?: (job: Job, cause?: unknown) => void
}

/** What runs jobs, each by itself or those of a kind one after the other, and tells those who watch one. */
export function createRunner({ kinds, save, onEnd }: RunnerOptions) {
  const running = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  const events = new EventEmitter().setMaxListeners(0)
  const closing = new AbortController()
  /** By kind, what those that come next wait for. */
  const lines = new Map<string, Promise<unknown>>()
  const end = async (job: Job, outcome: Pick<Job, 'state' | 'error'>, cause?: unknown) => {
    Object.assign(job, outcome, { endedAt: Date.now() })
    await save(job)
    onEnd?.(job, cause)
  }
  const fail = async (job: Job, { error, isCancelled }: { error: unknown; isCancelled: boolean }) => {
    await kindOf(kinds, job).undo?.(job)
    const { code, message } = toErrorShape(error)
    await end(job, isCancelled ? { state: 'cancelled', error: null } : { state: 'failed', error: { code, message } }, error)
  }
  const work = async (job: Job, signal: AbortSignal) => {
    const kind = kindOf(kinds, job)
    if (lines.has(job.kind)) await orAborted(lines.get(job.kind)!, signal)
    const onChange = () => void events.emit(job.id)
    job.state = 'running'
    onChange()
    await kind.run(job, { signal, onChange })
  }
  return {
    run: (job: Job) => {
      const stop = new AbortController()
      const ended = work(job, AbortSignal.any([stop.signal, closing.signal]))
        .then(
          () => end(job, { state: 'done', error: null }),
          async (error) => closing.signal.aborted || (await fail(job, { error, isCancelled: stop.signal.aborted }))
        )
        // Without its last state a job is found open at the next start, and gone on with.
        .catch(() => undefined)
        .then(() => {
          running.delete(job.id)
          events.emit(job.id)
        })
      running.set(job.id, { stop, ended })
      // One that is cancelled while it waits ends before those ahead of it.
      if (kindOf(kinds, job).mayWait !== undefined) lines.set(job.kind, Promise.all([lines.get(job.kind), ended]))
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

function kindOf(kinds: JobKinds, { kind }: Job): JobKind<unknown, object> {
  return kinds[kind] as JobKind<unknown, object>
}

async function* watch(job: Job, events: EventEmitter, signal: AbortSignal): AsyncGenerator<Job> {
  const changes = on(events, job.id, { signal })
  try {
    yield job
    while (isOpen(job)) {
      await changes.next()
      yield job
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await changes.return?.()
  }
}

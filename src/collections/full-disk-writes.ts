import { isPublicError, toErrorShape, type ErrorShape } from '../errors.js'
import { isFull, storageError } from '../fs/disk-fault.js'
import type { Reserve } from './reserve.js'
import type { Write, WriteAnswer } from './sqlite/writes.js'

/** What deletions on a full disk need. */
export interface FullDiskWriterOptions {
  /** Commits writes in one transaction. Throws what the store does. */
  commit: (writes: Write[]) => WriteAnswer[]
  /** Folds the log into the store's file, and gives its room back to the disk. */
  foldLog: () => void
  reserve: Reserve
  /** Told what is left behind. */
  onProblem: (problem: string) => void
}

/** Records that are removed in one transaction: the log of so many fits into the reserve. */
const BATCH = 50

/** Whether a write makes room, or is so small and needed that it may use the reserve: the end of a job. */
function freesSpace({ kind }: Write): boolean {
  return ['drop', 'delete', 'clear', 'hide', 'expire', 'drop-classifier', 'forget-job', 'job'].includes(kind)
}

/**
 * A function that does those writes of a group that make room, when the disk is full, and refuses the others.
 * Deleting takes room at first, since pages go into the log before they go into the file: the reserve is
 * given up for that, and many records are removed in small transactions, after each of which the log is cut.
 */
export function createFullDiskWriter({
  commit,
  foldLog,
  reserve,
  onProblem
}: FullDiskWriterOptions): (writes: Write[], full: unknown) => WriteAnswer[] {
  const commitOne = (write: Write): WriteAnswer => {
    const [answer] = commit([write])
    foldLog()
    return answer
  }
  const drop = (write: Extract<Write, { kind: 'drop' }>): WriteAnswer => {
    const { collection } = write
    const hidden = commitOne({ kind: 'hide', collection })
    if ('failure' in hidden) return hidden
    // From here on it is gone for all who ask; what can't be removed now is removed at the next start.
    const remains = { ...collection, name: hidden.hiddenAs! }
    try {
      while (changed(commitOne({ kind: 'clear', collection: remains, limit: BATCH })) > 0);
      return commitOne({ kind: 'drop', collection: remains })
    } catch (error) {
      onProblem(
        `collection '${collection.name}' was dropped; not all of its records could be removed, and the ` +
          `next start removes the rest: ${(error as Error).message}`
      )
      return { changes: [] }
    }
  }
  const remove = ({ ids, updatedAt, ...write }: Extract<Write, { kind: 'delete' }>): WriteAnswer => {
    const all: WriteAnswer & { changes: unknown[] } = { changes: [] }
    for (let start = 0; start < ids.length; start += BATCH) {
      const end = start + BATCH
      const answer = attempt(() =>
        commitOne({ ...write, ids: ids.slice(start, end), updatedAt: updatedAt?.slice(start, end) })
      )
      if ('failure' in answer) return start === 0 ? answer : partlyRemoved(answer.failure, start, ids.length)
      all.changes.push(...answer.changes)
    }
    return all
  }
  const one = (write: Write, full: unknown): WriteAnswer => {
    if (!freesSpace(write)) return { failure: toErrorShape(storageError(full)) }
    if (write.kind === 'delete') return remove(write)
    if (write.kind === 'drop') return attempt(() => drop(write))
    return attempt(() =>
      commitOne(write.kind === 'expire' ? { ...write, limit: Math.min(write.limit, BATCH) } : write)
    )
  }
  return (writes, full) => {
    if (!isFull(full) || !writes.some(freesSpace)) throw storageError(full)
    reserve.release()
    foldLog()
    try {
      return writes.map((write) => one(write, full))
    } finally {
      reserve.restore()
    }
  }
}

/** Does a write; what the disk refuses becomes its answer. */
function attempt(write: () => WriteAnswer): WriteAnswer {
  try {
    return write()
  } catch (error) {
    const told = storageError(error)
    if (!isPublicError(told)) throw error
    return { failure: toErrorShape(told) }
  }
}

/** The answer to a deletion of which the first `done` ids were committed before one failed. */
function partlyRemoved(failure: ErrorShape, done: number, asked: number): WriteAnswer {
  const message =
    `There is not enough disk space. The first ${done} of ${asked} ids were deleted; ` +
    'send the others again.'
  return { failure: { ...failure, message }, isPartial: true }
}

function changed(answer: WriteAnswer): number {
  return 'failure' in answer ? 0 : answer.changes.length
}

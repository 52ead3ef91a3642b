import { Batcher, type AddOptions } from '../threading/batcher.js'
import type { CallOptions, Lane } from '../threading/call-options.js'
import { toErrorShape } from '../errors.js'
import { copyBuffers, handOver } from '../threading/hand-over.js'
import type { ThreadPool } from '../threading/thread-pool.js'
import type { Writer } from './folder-threads.js'
import type { WriteAnswer } from './sqlite/writes.js'
import type { RawWrite } from './writer-worker.js'

/** Writes that go into one transaction, at most. */
const GROUP = 64
const MAX_WAITING_WRITES = 4096
const MAX_WAITING_READS = 4096
const MAX_WAITING_WALKS = 64
/** Reads that the searcher's thread has at a time: it works on one, and the next ones are at hand. */
const READS = 4

type Write = { write: RawWrite; signal?: AbortSignal }

/**
 * What waits for the writer and the searcher, on this side of their threads, where it can still be dropped.
 */
export interface Waiting {
  write(write: RawWrite, callOptions?: CallOptions): Promise<WriteAnswer>
  /** Without options it is the service's own, and is neither kept waiting nor refused. */
  read<T>(run: () => Promise<T>, callOptions?: CallOptions): Promise<T>
  /**
   * A read in slices, which takes long: two at a time, of the bulk lane one. It ends early when the signal it
   * is given aborts.
   */
  walk<T>(run: (signal: AbortSignal) => Promise<T | undefined>, options?: AddOptions): Promise<T>
  readonly queued: { write: number; read: number }
  /** Milliseconds that a read would wait; 0 while nothing is known. */
  expectedReadMs(): number
  /** Finishes what was admitted. */
  close(): Promise<void>
}

/**
 * The queues in front of the writer and the searcher; reads are refused by the wait that is to be expected.
 */
export function createWaiting(writer: ThreadPool<Writer>, maxWaitMs?: Record<Lane, number>): Waiting {
  // Group commit: what arrives while a transaction is being synced goes into the next one together.
  const writes = new Batcher<Write, WriteAnswer>({
    run: (group) => writeWanted(writer, group),
    maxBatchSize: GROUP,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: MAX_WAITING_WRITES
  })
  const reads = new Batcher<() => Promise<unknown>, unknown>({
    run: async ([read]) => [await read()],
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: READS,
    maxQueueSize: MAX_WAITING_READS,
    maxWaitMs
  })
  const walks = new Batcher<(signal: AbortSignal) => Promise<unknown>, unknown>({
    run: async ([walk], { signal }) => [await walk(signal)],
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 1,
    express: true,
    maxQueueSize: MAX_WAITING_WALKS,
    maxWaitMs
  })
  return {
    // The signal goes along rather than to the queue: what was handed to the writer must be followed to its
    // end.
    write: (write, { signal } = {}) => writes.add({ write, signal }),
    read: <T>(run: () => Promise<T>, callOptions?: CallOptions) =>
      callOptions ? (reads.add(run, callOptions) as Promise<T>) : run(),
    // Undefined comes of a walk that nobody waits for any more: its caller has the reason.
    walk: <T>(run: (signal: AbortSignal) => Promise<T | undefined>, options?: AddOptions) =>
      walks.add(run, options) as Promise<T>,
    get queued() {
      return { write: writes.queued, read: reads.queued }
    },
    expectedReadMs: () => reads.expectedWaitMs('interactive'),
    close: async () => void (await Promise.all([writes.close(), reads.close(), walks.close()]))
  }
}

/** Writes those of a group that somebody still waits for. */
async function writeWanted(writer: ThreadPool<Writer>, group: Write[]): Promise<WriteAnswer[]> {
  const refusals = group.map(({ signal }) =>
    signal?.aborted ? { failure: toErrorShape(signal.reason) } : undefined
  )
  const wanted = group.filter((_, i) => !refusals[i]).map(({ write }) => write)
  const answers = (wanted.length > 0 ? await send(writer, wanted) : []).values()
  return refusals.map((refusal) => refusal ?? answers.next().value!)
}

async function send(writer: ThreadPool<Writer>, writes: RawWrite[]): Promise<WriteAnswer[]> {
  const { copy, memory } = await copyBuffers(writes)
  return writer.call('write', handOver(copy, memory))
}

import { setMaxListeners } from 'node:events'
import { Closed, QueueFull } from './errors.js'

/** `interactive` (someone waits for the answer) goes before `bulk` (ingest). */
export type Lane = 'interactive' | 'bulk'

export interface BatcherOptions<Item, Result> {
  /** Runs one batch; resolves to one result an item, in the same order. */
  run: (items: Item[]) => Promise<Result[]>
  maxBatchSize: number
  /** How long the oldest entry waits for a batch to fill while a slot is free; 0 waits for the current turn only. */
  maxDelayMs: number
  /** Batches that run at the same time. */
  concurrency: number
  /** Waiting entries at which a new request is rejected. */
  maxQueueSize: number
  /** Only items of one bucket share a batch (texts of like length, say). */
  bucket?: (item: Item) => number
  /** Whether the items of a failed batch are worth running one by one, so that a poisoned one fails alone. */
  retryAlone?: (error: unknown) => boolean
}

export interface AddOptions {
  lane?: Lane
  /** An aborted entry is dropped unrun and rejects with the signal's reason. */
  signal?: AbortSignal
  /** Told the milliseconds that the entry waited when its batch starts. */
  onStart?: (waitedMs: number) => void
}

interface Entry<Item, Result> {
  item: Item
  bucket: number
  addedAt: number
  options: AddOptions
  resolve: (result: Result) => void
  reject: (error: unknown) => void
  onAbort?: () => void
}

/** After so many interactive batches in a row, waiting bulk entries get one. */
const INTERACTIVE_RUN = 8

/** Gathers single items into batches, in two lanes and behind a bounded queue. It knows nothing of what it batches. */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  readonly #lanes: Record<Lane, Entry<Item, Result>[]> = { interactive: [], bulk: [] }
  #running = 0
  #interactiveInARow = 0
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #onDrained: (() => void)[] = []
  #closed = false

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
  }

  /** Entries that wait, in both lanes. */
  get queued(): number {
    return this.#lanes.interactive.length + this.#lanes.bulk.length
  }

  /** Batches that run now. */
  get running(): number {
    return this.#running
  }

  /** Adds one item; rejects with QUEUE_FULL at once when the queue is at its bound. */
  add(item: Item, options: AddOptions = {}): Promise<Result> {
    return this.addAll([item], options)[0]
  }

  /**
   * Adds the items of one request: they are admitted together or refused together, so a request may overshoot the
   * bound, but only the last one admitted. Returns a promise an item. Throws QUEUE_FULL or CLOSED.
   */
  addAll(items: Item[], options: AddOptions = {}): Promise<Result>[] {
    const refusal = this.#closed ? new Closed() : this.queued >= this.#options.maxQueueSize ? new QueueFull() : undefined
    if (refusal) return items.map(() => Promise.reject(refusal))
    // One request may wait with thousands of entries on its signal; that is no leak.
    if (options.signal) setMaxListeners(0, options.signal)
    const promises = items.map((item) => this.#enqueue(item, options))
    this.#schedule()
    return promises
  }

  /** Refuses new entries, runs those that wait, and resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#closed = true
    this.#pump()
    if (this.#running === 0 && this.queued === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onDrained.push(resolve))
  }

  #enqueue(item: Item, options: AddOptions): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { signal, lane = 'interactive' } = options
      if (signal?.aborted) return reject(signal.reason)
      const bucket = this.#options.bucket?.(item) ?? 0
      const entry: Entry<Item, Result> = { item, bucket, addedAt: performance.now(), options, resolve, reject }
      if (signal) {
        entry.onAbort = () => {
          const queue = this.#lanes[lane]
          const position = queue.indexOf(entry)
          if (position >= 0) queue.splice(position, 1)
          reject(signal.reason)
          this.#settleDrained()
        }
        signal.addEventListener('abort', entry.onAbort, { once: true })
      }
      this.#lanes[lane].push(entry)
    })
  }

  #schedule(): void {
    if (this.#running < this.#options.concurrency) this.#turn ??= setImmediate(() => this.#pump())
  }

  #pump(): void {
    clearImmediate(this.#turn)
    clearTimeout(this.#timer)
    this.#turn = undefined
    while (this.#running < this.#options.concurrency) {
      const queue = this.#nextLane()
      const oldest = queue[0]
      if (!oldest) return
      const batch = this.#gather(queue)
      const remainingMs = oldest.addedAt + this.#options.maxDelayMs - performance.now()
      if (batch.length < this.#options.maxBatchSize && remainingMs > 0 && !this.#closed) {
        this.#timer = setTimeout(() => this.#pump(), remainingMs)
        return
      }
      this.#take(queue, batch)
      void this.#runBatch(batch)
    }
  }

  #nextLane(): Entry<Item, Result>[] {
    const { interactive, bulk } = this.#lanes
    const bulkIsDue = bulk.length > 0 && this.#interactiveInARow >= INTERACTIVE_RUN
    return interactive.length > 0 && !bulkIsDue ? interactive : bulk
  }

  #gather(queue: Entry<Item, Result>[]): Entry<Item, Result>[] {
    const batch: Entry<Item, Result>[] = []
    for (const entry of queue) {
      if (entry.bucket === queue[0].bucket) batch.push(entry)
      if (batch.length === this.#options.maxBatchSize) break
    }
    return batch
  }

  #take(queue: Entry<Item, Result>[], batch: Entry<Item, Result>[]): void {
    const taken = new Set(batch)
    const lane: Lane = queue === this.#lanes.bulk ? 'bulk' : 'interactive'
    this.#interactiveInARow = lane === 'bulk' ? 0 : this.#interactiveInARow + 1
    this.#lanes[lane] = queue.filter((entry) => !taken.has(entry))
  }

  async #runBatch(batch: Entry<Item, Result>[]): Promise<void> {
    this.#running++
    const startedAt = performance.now()
    for (const { options, addedAt } of batch) options.onStart?.(startedAt - addedAt)
    try {
      await this.#settle(batch)
    } finally {
      this.#running--
      this.#pump()
      this.#settleDrained()
    }
  }

  async #settle(batch: Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map((entry) => entry.item))
      if (results.length !== batch.length) throw new Error(`A batch of ${batch.length} gave ${results.length} results.`)
      batch.forEach((entry, position) => entry.resolve(results[position]))
    } catch (error) {
      if (batch.length > 1 && this.#options.retryAlone?.(error)) {
        for (const entry of batch) if (!entry.options.signal?.aborted) await this.#settle([entry])
      } else {
        for (const entry of batch) entry.reject(error)
      }
    } finally {
      for (const { options, onAbort } of batch) if (onAbort) options.signal?.removeEventListener('abort', onAbort)
    }
  }

  #settleDrained(): void {
    if (!this.#closed || this.#running > 0 || this.queued > 0) return
    for (const resolve of this.#onDrained.splice(0)) resolve()
  }
}

import { setMaxListeners } from 'node:events'
import {
  begin,
  countUntil,
  createWaiter,
  insert,
  QueueTimeout,
  removeFrom,
  type Entry,
  type Waiter
} from './batch-entry.js'
import type { CallOptions, Lane } from './call-options.js'
import { Closed, QueueFull, retryLater } from '../errors.js'
import { WaitList } from './wait-list.js'
import { sharedKey } from './shared-key.js'
import { Throughput } from './throughput.js'

/** How a batcher gathers and runs its entries. */
export interface BatcherOptions<Item, Result> {
  /** Runs one batch; resolves to one result an item, in the same order. */
  run: (items: Item[], batch: Batch) => Promise<Result[]>
  maxBatchSize: number
  /**
   * How long the oldest entry waits for a batch to fill while a slot is free. With 0 it waits for the current
   * turn only, and behind a batch of many while entries keep coming, up to a fifth of what that batch took.
   */
  maxDelayMs: number
  /** Batches that run at the same time. */
  concurrency: number
  /** Waiting entries of a lane at which a new request of it is rejected. */
  maxQueueSize: number
  /** Time to the answer, in milliseconds, to which requests of a lane are admitted; 0 sets no bound. */
  maxWaitMs?: Record<Lane, number>
  /** Whether an item may share a batch with the oldest one (texts of like length, say). */
  fits?: (item: Item, oldest: Item) => boolean
  /** Items of one key that wait or run at the same time are run once. */
  key?: (item: Item) => string
  /**
   * Whether one more batch may run, of the interactive lane: an entry that comes while no other waits or
   * runs, or a batch while the others that run are all of the bulk lane. Under a load of the interactive lane
   * alone it stands still.
   */
  express?: boolean
  /**
   * Whether `run` tells itself when it begins, since what it runs waits in queues of its own: that counts as
   * waiting until then.
   */
  tellsBegun?: boolean
  /** Whether the items of a failed batch are worth running one by one, so that a poisoned one fails alone. */
  retryAlone?: (error: unknown) => boolean
}

/** What a run is told of its batch. */
export interface Batch {
  lane: Lane
  /** Whether it is the one beside the others. */
  express: boolean
  /** Called where `tellsBegun` is set. */
  onBegun: () => void
  /** How long each item waited, in milliseconds. */
  waited: number[]
  /** Aborted when no one waits for any of its items any more. */
  signal: AbortSignal
}

export interface AddOptions extends CallOptions {
  lane?: Lane
  /** Told when a batch begins with an item. */
  onBegun?: () => void
}

/**
 * The part of a lane's bound within which a request is begun, or refused; the rest is for its run and its way
 * back.
 */
const BEGIN_PART = 0.75

/**
 * The part of the time that the last batch took for which the next one may be gathered, and in how many looks
 * at it.
 */
const GATHERING_PART = 0.2
const GATHERING_LOOKS = 6

/** After so many interactive batches in a row, waiting bulk entries get one. */
const INTERACTIVE_RUN = 8

/**
 * Gathers single items into batches, in two lanes and behind a bounded queue. It knows nothing of what it
 * batches.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>
  readonly #lanes: Record<Lane, Entry<Item, Result>[]> = { interactive: [], bulk: [] }
  /** By key the entries that wait or run. */
  readonly #byKey = new Map<string, Entry<Item, Result>>()
  readonly #throughput: Record<Lane, Throughput> = { interactive: new Throughput(), bulk: new Throughput() }
  readonly #waitLists: Record<Lane, WaitList>
  #running: Record<Lane | 'express', number> = { interactive: 0, bulk: 0, express: 0 }
  /** Entries of the batches that run now. */
  readonly #begun: Record<Lane, number> = { interactive: 0, bulk: 0 }
  #interactiveInARow = 0
  #lastRun = { size: 0, ms: 0, endedAt: 0 }
  /** Entries of the batch that is waited for, when it was looked at last. */
  #gathered = 0
  #turn: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  #onDrained: (() => void)[] = []
  #closed = false

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options
    const waitList = (lane: Lane) => new WaitList(() => this.#refusal({ lane }) === undefined)
    this.#waitLists = { interactive: waitList('interactive'), bulk: waitList('bulk') }
  }

  /** Entries that wait, in both lanes. */
  get queued(): number {
    return this.#lanes.interactive.length + this.#lanes.bulk.length
  }

  /** Batches that run now. */
  get running(): number {
    return this.#running.interactive + this.#running.bulk + this.#running.express
  }

  /**
   * Milliseconds that a new entry of a lane would wait, by the lane's recent throughput; 0 while nothing is
   * known.
   */
  expectedWaitMs(lane: Lane): number {
    return this.#throughput[lane].waitMs(this.#lanes[lane].length, performance.now())
  }

  /** Resolves when a lane accepts entries, for one caller at a time. Rejects with the signal's reason. */
  waitForCapacity(lane: Lane, signal?: AbortSignal): Promise<void> {
    return this.#closed ? Promise.reject(new Closed()) : this.#waitLists[lane].wait(signal)
  }

  /**
   * Adds one item; rejects with QUEUE_FULL at once when its lane is at a bound, or its deadline can't be met.
   */
  add(item: Item, options: AddOptions = {}): Promise<Result> {
    return this.addAll([item], options)[0]
  }

  /**
   * Adds the items of one request: they are admitted together or refused together, so a request may overshoot
   * the bounds, but only the last one admitted. Returns a promise an item; they reject with QUEUE_FULL or
   * CLOSED.
   */
  addAll(items: Item[], options: AddOptions = {}): Promise<Result>[] {
    const { queued = {} } = options
    const since = (queued.since ??= performance.now())
    const refusal = this.#refusal(options)
    if (refusal) return items.map(() => Promise.reject(refusal))
    // One request may wait with thousands of entries on its signal; that is no leak.
    if (options.signal) setMaxListeners(0, options.signal)
    const queueTimeout = this.#queueTimeout(options.lane ?? 'interactive', since)
    const promises = items.map((item) => this.#join(item, { ...options, since, queueTimeout }))
    this.#schedule()
    return promises
  }

  /** Refuses new entries, runs those that wait, and resolves when nothing runs any more. */
  close(): Promise<void> {
    this.#closed = true
    this.#pump()
    for (const list of Object.values(this.#waitLists)) list.close(new Closed())
    if (this.running === 0 && this.queued === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onDrained.push(resolve))
  }

  #refusal({ lane = 'interactive', deadline = Infinity, queued }: AddOptions): Error | undefined {
    if (this.#closed) return new Closed()
    const { maxQueueSize, maxWaitMs } = this.#options
    const now = performance.now()
    // Until it is answered: those that run are ahead of it, too, and in a queue of many slots they may be
    // most of its wait.
    const since = queued?.since ?? now
    const ahead = countUntil(this.#lanes[lane], since) + this.#begun[lane]
    const waitMs = this.#throughput[lane].waitMs(ahead, now)
    const bound = Math.min(BEGIN_PART * (maxWaitMs?.[lane] || Infinity) - (now - since), deadline - now)
    const isRefused = this.#lanes[lane].length >= maxQueueSize || (waitMs > 0 && waitMs > bound)
    return isRefused ? retryLater(new QueueFull(), waitMs) : undefined
  }

  /**
   * Rejects a request of which nothing has begun within its lane's bound: work may have slowed down since it
   * was admitted.
   */
  #queueTimeout(lane: Lane, since: number): QueueTimeout | undefined {
    const bound = this.#options.maxWaitMs?.[lane]
    if (!bound) return undefined
    const remaining = Math.max(0, since + BEGIN_PART * bound - performance.now())
    return new QueueTimeout(remaining, () => retryLater(new QueueFull(), this.expectedWaitMs(lane)))
  }

  /** Waits for an item's entry, which is there already where another waits for the same key. */
  #join(
    item: Item,
    {
      lane = 'interactive',
      signal,
      sharing,
      since,
      queueTimeout,
      onBegun
    }: AddOptions & { since: number; queueTimeout?: QueueTimeout }
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const key = sharedKey(this.#options.key?.(item), sharing)
      const entry = (key !== undefined && this.#byKey.get(key)) || this.#enqueue(item, { lane, key, since })
      if (lane === 'interactive') this.#hurry(entry)
      const onLeave = (reason: unknown) => {
        entry.waiters.delete(waiter)
        if (entry.waiters.size === 0) this.#abandon(entry, reason)
      }
      const waiter = createWaiter<Result>({ resolve, reject }, { signal, queueTimeout, onBegun, onLeave })
      entry.waiters.add(waiter)
      if (entry.isBegun) waiter.onBegun()
    })
  }

  #enqueue(
    item: Item,
    { lane, key, since }: Pick<Entry<Item, Result>, 'lane' | 'key' | 'since'>
  ): Entry<Item, Result> {
    const entry = { item, key, lane, since, addedAt: performance.now(), waiters: new Set<Waiter<Result>>() }
    insert(this.#lanes[lane], entry)
    if (key !== undefined) this.#byKey.set(key, entry)
    return entry
  }

  /** Moves an entry that waits in the bulk lane to the interactive one: someone waits for it now. */
  #hurry(entry: Entry<Item, Result>): void {
    if (entry.lane === 'bulk' && removeFrom(this.#lanes.bulk, entry)) {
      insert(this.#lanes.interactive, entry)
      this.#shrunk('bulk')
    }
    entry.lane = 'interactive'
  }

  #abandon(entry: Entry<Item, Result>, reason: unknown): void {
    removeFrom(this.#lanes[entry.lane], entry)
    this.#forget(entry)
    this.#shrunk(entry.lane)
    entry.onAbandoned?.(reason)
    this.#settleDrained()
  }

  /** Fewer entries of a lane wait now. */
  #shrunk(lane: Lane): void {
    if (this.#lanes[lane].length === 0) this.#throughput[lane].emptied()
    this.#waitLists[lane].admit()
  }

  #forget(entry: Entry<Item, Result>): void {
    if (entry.key !== undefined && this.#byKey.get(entry.key) === entry) this.#byKey.delete(entry.key)
  }

  #schedule(): void {
    if (this.#freeSlot()) this.#turn ??= setImmediate(() => this.#pump())
  }

  /** Where the next batch may run, if anywhere. */
  #freeSlot(): 'express' | 'shared' | undefined {
    const { interactive, bulk, express } = this.#running
    const isFull = interactive + bulk >= this.#options.concurrency
    const waiting = this.#lanes.interactive.length
    const isAlone = interactive + bulk === 0 && waiting === 1
    const isOutrun = interactive === 0 && bulk > 0 && waiting > 0
    if (this.#options.express && express === 0 && (isAlone || isOutrun)) return 'express'
    return isFull ? undefined : 'shared'
  }

  #pump(): void {
    clearImmediate(this.#turn)
    clearTimeout(this.#timer)
    this.#turn = undefined
    for (let slot; (slot = this.#freeSlot());) {
      const lane = slot === 'express' ? 'interactive' : this.#nextLane()
      const [oldest] = this.#lanes[lane]
      if (!oldest) return
      const entries = this.#gather(this.#lanes[lane])
      const waitMs =
        entries.length < this.#options.maxBatchSize && !this.#closed ? this.#wait(oldest, entries.length) : 0
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs)
        return
      }
      this.#gathered = 0
      const taken = new Set(entries)
      this.#lanes[lane] = this.#lanes[lane].filter((entry) => !taken.has(entry))
      this.#shrunk(lane)
      void this.#runBatch(entries, lane, slot)
    }
  }

  /** How long a batch of so many entries waits for more, in milliseconds. */
  #wait({ addedAt }: Entry<Item, Result>, count: number): number {
    const now = performance.now()
    const remainingMs = addedAt + this.#options.maxDelayMs - now
    const { size, endedAt, ms } = this.#lastRun
    // The callers of a batch that has just ended call again one after the other: the first of them alone
    // would be a poor batch.
    const areComing = count < size && count > this.#gathered && now < endedAt + GATHERING_PART * ms
    this.#gathered = areComing ? count : 0
    return Math.max(remainingMs, areComing ? (GATHERING_PART * ms) / GATHERING_LOOKS : 0)
  }

  #nextLane(): Lane {
    const { interactive, bulk } = this.#lanes
    const bulkIsDue = bulk.length > 0 && this.#interactiveInARow >= INTERACTIVE_RUN
    return interactive.length > 0 && !bulkIsDue ? 'interactive' : 'bulk'
  }

  #gather(queue: Entry<Item, Result>[]): Entry<Item, Result>[] {
    const { fits, maxBatchSize, concurrency } = this.#options
    // What free slots can run side by side is shared out between them.
    const free = Math.max(1, concurrency - this.#running.interactive - this.#running.bulk)
    const size = Math.min(maxBatchSize, Math.ceil(queue.length / free))
    const batch: Entry<Item, Result>[] = []
    for (const entry of queue) {
      if (!fits || fits(entry.item, queue[0].item)) batch.push(entry)
      if (batch.length === size) break
    }
    return batch
  }

  async #runBatch(entries: Entry<Item, Result>[], lane: Lane, slot: 'express' | 'shared'): Promise<void> {
    const place = slot === 'express' ? slot : lane
    this.#running[place]++
    this.#begun[lane] += entries.length
    if (slot === 'shared') this.#interactiveInARow = lane === 'bulk' ? 0 : this.#interactiveInARow + 1
    const startedAt = performance.now()
    const onBegun = () => entries.forEach(begin)
    if (!this.#options.tellsBegun) onBegun()
    try {
      await this.#settle(entries, { lane, express: slot === 'express', onBegun })
    } finally {
      this.#running[place]--
      this.#begun[lane] -= entries.length
      const endedAt = performance.now()
      this.#lastRun = { size: entries.length, ms: endedAt - startedAt, endedAt }
      this.#throughput[lane].ended(entries.length, { now: endedAt, waiting: this.#lanes[lane].length })
      this.#pump()
      this.#settleDrained()
    }
  }

  async #settle(
    entries: Entry<Item, Result>[],
    batch: Pick<Batch, 'lane' | 'express' | 'onBegun'>
  ): Promise<void> {
    const abandoned = new AbortController()
    const onAbandoned = (reason: unknown) =>
      entries.every(({ waiters }) => waiters.size === 0) && abandoned.abort(reason)
    for (const entry of entries) entry.onAbandoned = onAbandoned
    const now = performance.now()
    try {
      const results = await this.#options.run(
        entries.map(({ item }) => item),
        { ...batch, waited: entries.map(({ addedAt }) => now - addedAt), signal: abandoned.signal }
      )
      if (results.length !== entries.length)
        throw new Error(`A batch of ${entries.length} returned ${results.length} results.`)
      entries.forEach((entry, i) => this.#answer(entry, (waiter) => waiter.resolve(results[i])))
    } catch (error) {
      if (entries.length > 1 && this.#options.retryAlone?.(error)) {
        for (const entry of entries) {
          if (entry.waiters.size > 0) await this.#settle([entry], batch)
          else this.#forget(entry)
        }
      } else {
        for (const entry of entries) this.#answer(entry, (waiter) => waiter.reject(error))
      }
    }
  }

  #answer(entry: Entry<Item, Result>, tell: (waiter: Waiter<Result>) => void): void {
    this.#forget(entry)
    for (const waiter of entry.waiters) tell(waiter)
  }

  #settleDrained(): void {
    if (!this.#closed || this.running > 0 || this.queued > 0) return
    for (const resolve of this.#onDrained.splice(0)) resolve()
  }
}

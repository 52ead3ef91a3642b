import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { KeyRing } from '../access/key-ring.js'
import type { Collections } from '../collections/collections.js'
import type { StoreHealth } from '../collections/stores/store.js'
import type { Encoders } from '../encoder/encoders.js'
import type { FetchOutcome } from '../image-urls/image-fetcher.js'
import type { Step } from './stages.js'
import type { PoolState } from '../threading/thread-pool.js'
import type { TowerRun } from '../encoder/encode-options.js'

/** Prometheus metrics of one service. Durations are in seconds. */
export interface Metrics {
  /** What /metrics answers, and its content type. */
  render(): Promise<{ text: string; type: string }>
  observeRequest(labels: { method: string; route: string; status: number }, seconds: number): void
  /** One stay of a request of some route in a stage. */
  observeStep(step: Step, route: string): void
  countRecords(status: 'created' | 'updated' | 'failed', count: number): void
  observeTowerRun(run: TowerRun): void
  countWorkerDeath(): void
  /** An evaluation that has ended. */
  countEvaluation(state: string): void
  /** A line of the audit log that could not be written. */
  countAuditFailure(): void
  observeImageFetch(outcome: FetchOutcome, seconds: number): void
}

/** From half a millisecond (a cached query) to ten seconds (a large bulk). */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Makes the metrics of a service; gauges are read when they are asked for. */
export function createMetrics({
  encoders,
  collections,
  health,
  keys
}: {
  encoders: Encoders
  collections: Pick<Collections, 'list'>
  health: StoreHealth
  keys: Pick<KeyRing, 'size' | 'isStale'>
}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const requests = new Histogram({
    name: 'semblance_http_request_duration_seconds',
    help: 'Requests by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers
  })
  const stages = new Histogram({
    name: 'semblance_stage_duration_seconds',
    help:
      'Time that requests spent by stage and route: in queues, decoding, preprocessing, encoding, ' +
      'searching, writing.',
    labelNames: ['stage', 'route'],
    buckets: BUCKETS,
    registers
  })
  const records = new Counter({
    name: 'semblance_records_written_total',
    help: 'Records received, by outcome.',
    labelNames: ['status'],
    registers
  })
  const deaths = new Counter({
    name: 'semblance_worker_deaths_total',
    help: 'Worker threads that ended unexpectedly.',
    registers
  })
  const towerRuns = new Histogram({
    name: 'semblance_tower_run_duration_seconds',
    help: 'Runs of the towers, one per batch, by execution provider.',
    labelNames: ['model', 'tower', 'provider'],
    buckets: BUCKETS,
    registers
  })
  const towerInputs = new Counter({
    name: 'semblance_tower_inputs_total',
    help: 'Images and texts that the towers encoded.',
    labelNames: ['model', 'tower', 'provider'],
    registers
  })
  const evaluations = new Counter({
    name: 'semblance_evaluations_total',
    help: 'Finished evaluations by outcome: done, failed or cancelled.',
    labelNames: ['state'],
    registers
  })
  const auditFailures = new Counter({
    name: 'semblance_audit_failures_total',
    help: 'Lines of the audit log that could not be written.',
    registers
  })
  keyGauges(keys, registers)
  const imageFetches = new Histogram({
    name: 'semblance_image_fetch_duration_seconds',
    help: 'Images fetched by URL, by outcome; the duration includes waiting for a free slot.',
    labelNames: ['outcome'],
    buckets: BUCKETS,
    registers
  })
  encoderGauges(encoders, registers)
  overloadGauges({ encoders, health }, registers)
  storeGauges(health, registers)
  const readCollections = collectionGauges({ collections, health }, registers)
  return {
    render: async () => {
      await readCollections()
      return { text: await registry.metrics(), type: registry.contentType }
    },
    observeRequest: (labels, seconds) => requests.observe(labels, seconds),
    observeStep: ({ stage, ms }, route) => stages.observe({ stage, route }, ms / 1000),
    countRecords: (status, count) => records.inc({ status }, count),
    observeTowerRun: ({ batch, seconds, ...labels }) => {
      towerRuns.observe(labels, seconds)
      towerInputs.inc(labels, batch)
    },
    countWorkerDeath: () => deaths.inc(),
    countEvaluation: (state) => evaluations.inc({ state }),
    countAuditFailure: () => auditFailures.inc(),
    observeImageFetch: (outcome, seconds) => imageFetches.observe({ outcome }, seconds)
  }
}

/** What the store lost, and what is left on its disk. */
function storeGauges(health: StoreHealth, registers: Registry[]): void {
  new Gauge({
    name: 'semblance_store_lost_commits',
    help: 'Acknowledged commits that were missing from the store at a start in the last 7 days; 0 if none.',
    registers,
    collect() {
      this.set(health.setback?.commits ?? 0)
    }
  })
  new Gauge({
    name: 'semblance_data_disk_free_bytes',
    help: 'Free bytes on the disk of the data folder. Writes are rejected (507) when none are left.',
    registers,
    async collect() {
      this.set(
        await health.diskSpace().then(
          ({ freeBytes }) => freeBytes,
          () => NaN
        )
      )
    }
  })
}

const LANES = ['interactive', 'bulk'] as const

/** What waits and for how long, and how the pools of workers are. */
function overloadGauges(
  { encoders, health }: { encoders: Encoders; health: StoreHealth },
  registers: Registry[]
): void {
  new Gauge({
    name: 'semblance_queue_expected_wait_seconds',
    help:
      'Expected wait of a new entry in a queue, from its recent throughput; 0 while unknown. ' +
      'Requests over MAX_QUEUE_MS and MAX_BULK_QUEUE_MS get 429.',
    labelNames: ['model', 'input', 'lane'],
    registers,
    collect() {
      for (const lane of LANES)
        for (const { model, expectedWaitMs } of encoders.all)
          for (const [input, ms] of Object.entries(expectedWaitMs(lane)))
            this.set({ model: model.name, input, lane }, ms / 1000)
      this.set({ model: '', input: 'read', lane: 'interactive' }, health.waiting.expectedReadMs() / 1000)
    }
  })
  new Gauge({
    name: 'semblance_store_queue_length',
    help: 'Reads and writes that wait for the threads of the store.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, length] of Object.entries(health.waiting.queued)) this.set({ kind }, length)
    }
  })
  const ofPools = (set: (labels: { model: string; pool: string }, state: PoolState) => void) => {
    for (const state of health.pools) set({ model: '', pool: state.name }, state)
    for (const { model, pools } of encoders.all)
      for (const state of pools) set({ model: model.name, pool: state.name }, state)
  }
  const labelNames = ['model', 'pool'] as const
  new Gauge({
    name: 'semblance_workers_alive',
    help: 'Live worker threads by pool.',
    labelNames,
    registers,
    collect() {
      ofPools((labels, { alive }) => this.set(labels, alive))
    }
  })
  new Gauge({
    name: 'semblance_workers_circuit_open',
    help:
      '1 if the workers of a pool failed repeatedly and are restarted after a pause; 0.5 while ' +
      'they are on trial.',
    labelNames,
    registers,
    collect() {
      ofPools((labels, { circuit }) => this.set(labels, { closed: 0, half_open: 0.5, open: 1 }[circuit]))
    }
  })
}

function keyGauges(keys: Pick<KeyRing, 'size' | 'isStale'>, registers: Registry[]): void {
  new Gauge({
    name: 'semblance_api_keys',
    help: 'API keys in force.',
    registers,
    collect() {
      this.set(keys.size)
    }
  })
  new Gauge({
    name: 'semblance_api_keys_stale',
    help: '1 if API_KEYS_FILE cannot be read, so that the previous keys stay in force.',
    registers,
    collect() {
      this.set(keys.isStale ? 1 : 0)
    }
  })
}

function encoderGauges(encoders: Encoders, registers: Registry[]): void {
  new Gauge({
    name: 'semblance_encoder_queue_length',
    help: 'Images and texts that wait to be encoded.',
    labelNames: ['model', 'input'],
    registers,
    collect() {
      for (const { model, queued } of encoders.all)
        for (const [input, length] of Object.entries(queued)) this.set({ model: model.name, input }, length)
    }
  })
  new Gauge({
    name: 'semblance_encoder_info',
    help:
      'Always 1, labelled with the model, the requested execution providers and those that run its ' +
      'towers.',
    labelNames: ['model', 'fingerprint', 'requested', 'image', 'text'],
    registers,
    collect() {
      for (const { model, execution } of encoders.all) {
        const { image, text } = execution.towers
        this.set(
          {
            model: model.name,
            fingerprint: model.fingerprint,
            requested: execution.requested.join(),
            image: image.provider,
            text: text.provider
          },
          1
        )
      }
    }
  })
  new Gauge({
    name: 'semblance_execution_provider_fallback',
    help: '1 if the preferred execution provider does not run both towers of a model.',
    labelNames: ['model'],
    registers,
    collect() {
      for (const { model, execution } of encoders.all)
        this.set({ model: model.name }, execution.passedOver.length > 0 ? 1 : 0)
    }
  })
  const lookups = new Counter({
    name: 'semblance_embedding_cache_lookups_total',
    help: 'Lookups in the embedding cache, by result.',
    labelNames: ['model', 'result'],
    registers,
    collect() {
      this.reset()
      for (const { model, cacheLookups } of encoders.all)
        for (const [result, count] of Object.entries(cacheLookups))
          lookups.inc({ model: model.name, result }, count)
    }
  })
}

/**
 * Gauges of the collections, and a function that reads them all at once: a scrape asks for each collection
 * once.
 */
function collectionGauges(
  { collections, health }: { collections: Pick<Collections, 'list'>; health: StoreHealth },
  registers: Registry[]
): () => Promise<void> {
  const pending = new Gauge({
    name: 'semblance_index_pending',
    help: 'Embeddings that wait to be added to their graph.',
    registers
  })
  const records = new Gauge({
    name: 'semblance_collection_records',
    help: 'Records by collection.',
    labelNames: ['collection'],
    registers
  })
  const vectors = new Gauge({
    name: 'semblance_collection_vectors',
    help: 'Live embeddings by collection and modality.',
    labelNames: ['collection', 'modality'],
    registers
  })
  const bytes = new Gauge({
    name: 'semblance_collection_bytes',
    help: 'Bytes of kept images and embeddings.',
    labelNames: ['collection'],
    registers
  })
  return async () => {
    pending.set(await health.pending())
    const counted = await Promise.all(
      (await collections.list()).map(async (collection) => ({
        collection: collection.settings.name,
        ...(await collection.counts())
      }))
    )
    for (const gauge of [records, vectors, bytes]) gauge.reset()
    for (const { collection, ...counts } of counted) {
      records.set({ collection }, counts.records)
      vectors.set({ collection, modality: 'image' }, counts.images)
      vectors.set({ collection, modality: 'text' }, counts.texts)
      bytes.set({ collection }, counts.bytes)
    }
  }
}

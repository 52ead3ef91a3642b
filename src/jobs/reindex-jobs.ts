import type { Collections } from '../collections/collections.js'
import type { ImageStore } from '../collections/stores/image-store.js'
import type { Encoders } from '../encoder/encoders.js'
import { CollectionHasNoModel, ReindexRunning } from '../errors.js'
import type { Job, JobKind, ReindexAsked, ReindexPart } from './job.js'
import { reindex } from './reindex.js'

/** Records that a job names, of those that can't be encoded again. */
const MAX_NAMED = 1000

/** It keeps what it has done, so that each process gets it further. */
const MOST_CRASHES = 10

/**
 * Re-indexing as a job; planning one throws COLLECTION_NOT_FOUND, COLLECTION_HAS_NO_MODEL and
 * MODEL_NOT_FOUND, admitting it REINDEX_RUNNING.
 */
export function reindexJobs({
  collections,
  images,
  encoders
}: {
  collections: Collections
  images: ImageStore
  encoders: Encoders
}): JobKind<ReindexAsked, ReindexPart> {
  return {
    mostCrashes: MOST_CRASHES,
    plan: async ({ collection: name, model, skipMissing }) => {
      const { fingerprint: present, createdAt: collectionCreatedAt } = (await collections.get(name)).settings
      if (present === null) throw new CollectionHasNoModel(name)
      const {
        model: { name: modelName, fingerprint }
      } = encoders.get(model)
      return {
        collection: name,
        collectionCreatedAt,
        model: modelName,
        fingerprint,
        skipMissing,
        missing: { count: 0, records: [] }
      }
    },
    admit: ({ collection }, jobs) => {
      const other = runningReindex(jobs, collection)
      if (other) throw new ReindexRunning(collection, other.id)
    },
    run: async (job, { signal, onChange }) => {
      const encoder = encoders.get(job.model)
      const {
        model: { name: model, fingerprint },
        dimension
      } = encoder
      job.fingerprint = fingerprint
      // Found again by a job that continues.
      job.missing = { count: 0, records: [] }
      const collection = await collections.get(job.collection)
      await reindex({
        collection,
        images,
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
    },
    undo: ({ collection }) => collections.discardReplacement(collection),
    onResume: async (jobs) => {
      for (const name of await collections.beingReplaced())
        if (!runningReindex(jobs, name)) await collections.discardReplacement(name).catch(() => undefined)
    }
  }
}

/** The job that re-indexes a collection now. */
export function runningReindex(jobs: Job[], collection: string): Job | undefined {
  return jobs.find(
    (job) => job.kind === 'reindex' && job.state === 'running' && job.collection === collection
  )
}

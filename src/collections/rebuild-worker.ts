import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threading/thread-pool.js'
import { HnswGraph } from './hnsw-graph.js'
import { writeSnapshot, type GraphIdentity } from './snapshots.js'
import { openReader } from './sqlite/connection.js'
import { createStoreReader } from './sqlite/reads.js'

export interface RebuildCall {
  identity: GraphIdentity
  /** One shared integer: not 0 tells the rebuild to stop. */
  stop: Int32Array
}

// A thread that builds a graph from the store while the old one serves, and leaves it as a snapshot.
const { dataDir } = workerData as { dataDir: string }
const store = createStoreReader(openReader(dataDir))

/** Builds and saves a graph of all that the store has now; resolves to whether it went to its end. */
export const rebuild = handler(async ({ identity, stop }: RebuildCall): Promise<boolean> => {
  const graph = HnswGraph.empty(identity.dimension, identity.hnsw)
  for (const { label, vector } of store.embeddings(identity)) {
    if (Atomics.load(stop, 0) !== 0) return false
    graph.add(label, vector)
  }
  await writeSnapshot(dataDir, identity, graph)
  return true
})

reportReady()

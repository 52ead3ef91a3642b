import { UMAP } from 'umap-js'
import type { Neighbors } from './neighbors.js'
import { place, planPlacement, type Placement } from './place-others.js'

/**
 * What is to be laid out: a sample with its neighbours, and some of it among themselves where all would take
 * too long.
 */
export interface LayoutTask {
  all: Neighbors
  landmarks?: Neighbors
}

/** How far it is, with the positions so far, shape `[n, 2]`; NaN for points without one. */
export interface LayoutStep {
  progress: number
  positions: Float32Array<ArrayBuffer>
  done: boolean
}

/** How often the page is shown how far it is, in milliseconds. */
const SHOW_EVERY_MS = 250
/** A map is the same each time it is laid out. */
const SEED = 20180209

/**
 * Lays out the landmarks by UMAP (McInnes, Healy, Melville, 2018), and the others among them, telling now and
 * then how far it is.
 */
export function* layOut({ all, landmarks = all }: LayoutTask): Generator<LayoutStep> {
  const n = all.ids.length
  if (n < 3)
    return void (yield {
      progress: 1,
      positions: Float32Array.from({ length: 2 * n }, (_, at) => (at === 2 ? 1 : 0)),
      done: true
    })
  const whereIs = landmarks === all ? undefined : new Map(all.ids.map((id, point) => [id, point]))
  const points = landmarks.ids.map((id, landmark) => (whereIs ? (whereIs.get(id) ?? -1) : landmark))
  const placement = whereIs && planFor(all, points)
  const umap = neighborUmap(landmarks)
  const epochs = umap.initializeFit(landmarks.ids.map(() => [0]))
  let shown = 0
  for (let epoch = 1; epoch <= epochs; epoch++) {
    umap.step()
    const done = epoch === epochs
    if (!done && performance.now() - shown < SHOW_EVERY_MS) continue
    shown = performance.now()
    yield { progress: epoch / epochs, positions: positionsOf(umap, { n, points, placement }), done }
  }
}

function planFor(all: Neighbors, points: number[]): Placement {
  const placed = new Uint8Array(all.ids.length)
  for (const point of points) if (point >= 0) placed[point] = 1
  return planPlacement(
    { n: all.ids.length, k: all.k, nearest: all.nearest, similarities: all.similarities },
    placed
  )
}

/** UMAP over neighbours that are known. It counts each point among its own. */
function neighborUmap({ ids, k, nearest, similarities }: Neighbors): UMAP {
  // It wants more points than neighbours.
  const used = Math.min(k, ids.length - 2)
  const rows = ids.map((_, point) => Array.from({ length: used }, (_, j) => point * k + j))
  const umap = new UMAP({ nComponents: 2, nNeighbors: used + 1, minDist: 0.1, random: randomFrom(SEED) })
  umap.setPrecomputedKNN(
    rows.map((row, point) => [point, ...row.map((at) => nearest[at])]),
    rows.map((row) => [0, ...row.map((at) => Math.max(0, 1 - similarities[at]))])
  )
  return umap
}

function positionsOf(
  umap: UMAP,
  { n, points, placement }: { n: number; points: number[]; placement?: Placement }
): Float32Array<ArrayBuffer> {
  const positions = new Float32Array(2 * n).fill(NaN)
  umap.getEmbedding().forEach(([x, y], landmark) => {
    const point = points[landmark]
    if (point >= 0) positions.set([x, y], 2 * point)
  })
  if (placement) place(placement, positions)
  return positions
}

/** Numbers from 0 to 1 that are the same for a seed: Marsaglia's xorshift32 (2003). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

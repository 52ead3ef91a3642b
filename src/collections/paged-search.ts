import type { Hit } from './top-k.js'

/**
 * Depths of the graph's searches, apart by a factor of ten. Each is a little above the matches that are
 * usually asked for, since the last of a depth are left to the next one.
 */
const DEPTHS = [128, 1280, 12_800]
/**
 * Where a search goes through so large a part of the embeddings, comparing with all is no slower than the
 * graph.
 */
export const SCAN_PART = 0.1

export interface PagedSearch {
  /** Hits that are wanted, from the best on. */
  limit: number
  /** Candidates that the graph looks at anyway. */
  efSearch: number
  /** Embeddings that may be found. */
  total: number
  /** About the `depth` best embeddings by the graph, best first. */
  byGraph(depth: number): Hit[]
  /** The best embeddings by a scan, best first, those that score below some score. */
  byScan(limit: number, below: number): Hit[]
}

/**
 * The best hits by the graph, of one list for each query however many are asked for, so that pages neither
 * repeat nor lose a hit. Invariant: what is found for a lower limit is the beginning of what is found for a
 * higher one, in descending order of scores, equal ones by label.
 *
 * The depths are the same for every limit. Of what a depth finds the hits of its lowest score are left to the
 * next depth, since others of that score may be beyond it; the next depth goes on below the last score that
 * was taken. What the graph missed above that is not shown at all: it would stand on a page that was passed
 * already. Past the last depth, where a scan is no slower, and where the graph leads to too few, a scan goes
 * on.
 */
export function searchInDepths({ limit, efSearch, total, byGraph, byScan }: PagedSearch): {
  hits: Hit[]
  isExact: boolean
} {
  const hits: Hit[] = []
  const lowest = () => hits.at(-1)?.score ?? Infinity
  const depths = efSearch < DEPTHS[0] ? [efSearch, ...DEPTHS] : DEPTHS
  for (const depth of depths) {
    if (depth >= SCAN_PART * total) break
    const found = byGraph(depth)
    // Deleted embeddings can part a graph.
    if (found.length < depth) break
    const [from, to] = [lowest(), found[depth - 1].score]
    hits.push(...found.filter(({ score }) => score < from && score > to))
    if (hits.length >= limit) return { hits: hits.slice(0, limit), isExact: false }
  }
  const isExact = hits.length === 0
  hits.push(...byScan(limit - hits.length, lowest()))
  return { hits, isExact }
}

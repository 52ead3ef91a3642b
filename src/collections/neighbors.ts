import { among, type ModalityIndex } from './modality-index.js'
import { TopK, type Hit } from './top-k.js'

/** The k nearest of a sample to each of it, itself left out, nearest first. */
export interface Neighbors {
  /** Shape [n, k], row by row: positions in the sample, or NOBODY. */
  positions: Uint32Array
  /** Shape [n, k]: the cosines; NaN beside NOBODY. */
  similarities: Float32Array
}

/** Stands where fewer than k were found, for one of the sample was removed meanwhile. */
export const NOBODY = 0xffffffff

/**
 * Vectors that a group is compared with at a time, and the group: a third of a megabyte or so for both, which
 * caches hold.
 */
const BLOCK = 256
const GROUP = 32

/**
 * Finds the neighbors within a sample, in work that may be interrupted: up to `exactUpTo` labels by comparing
 * all with all, else by the graph.
 */
export function* findNeighbors(
  index: ModalityIndex,
  labels: number[],
  { k, exactUpTo }: { k: number; exactUpTo: number }
): Generator<void, Neighbors> {
  const positions = new Uint32Array(labels.length * k).fill(NOBODY)
  const similarities = new Float32Array(labels.length * k).fill(NaN)
  const put = (row: number, hits: Hit[]) => {
    for (let i = 0; i < hits.length; i++) {
      positions[row * k + i] = hits[i].label
      similarities[row * k + i] = hits[i].score
    }
  }
  if (k === 0) return { positions, similarities }
  if (labels.length <= exactUpTo) yield* compareAll(index, labels, { k, put })
  else yield* askGraph(index, labels, { k, put })
  return { positions, similarities }
}

interface Search {
  k: number
  /** Takes what was found for one of the sample, as positions in it. */
  put: (row: number, hits: Hit[]) => void
}

/** Each pair is scored once, and counts for both. */
function* compareAll(index: ModalityIndex, labels: number[], { k, put }: Search): Generator<void, void> {
  const best = labels.map(() => new TopK(k))
  for (let first = 0; first < labels.length; first += GROUP) {
    for (let start = first; start < labels.length; start += BLOCK) {
      const group = labels.slice(first, first + GROUP).map((label) => index.vector(label))
      const rows = group.flatMap((vector, i) => (vector ? first + i : []))
      index.scorePairs(
        group.filter((vector) => vector !== undefined),
        labels.slice(start, start + BLOCK),
        (query, position, score) => {
          const [a, b] = [rows[query], start + position]
          if (b <= a) return
          best[a].push(b, score)
          best[b].push(a, score)
        }
      )
      yield
    }
  }
  for (let row = 0; row < labels.length; row++) {
    put(row, best[row].sorted())
    if (row % BLOCK === 0) yield
  }
}

/** Candidates in the graph a neighbor, at least: a map forgives what a search would miss. */
const EF_A_NEIGHBOR = 3
const LEAST_EF = 48

function* askGraph(index: ModalityIndex, labels: number[], { k, put }: Search): Generator<void, void> {
  const positionOf = new Map(labels.map((label, position) => [label, position]))
  const isSampled = among(labels)
  const ef = Math.max(LEAST_EF, EF_A_NEIGHBOR * k)
  // Where the sample is all there is the graph need not ask for each vector that it looks at.
  const passes = labels.length === index.size ? undefined : isSampled
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]
    let hits = index.neighbors(label, { k, ef, passes }).filter((hit) => positionOf.has(hit.label))
    // What was added meanwhile took the places of others.
    if (hits.length < k && !passes) hits = index.neighbors(label, { k, ef, passes: isSampled })
    // The graph does not lead to enough of them.
    if (hits.length < k) hits = yield* scanAll(index, labels, { label, k })
    put(
      row,
      hits.map((hit) => ({ label: positionOf.get(hit.label)!, score: hit.score }))
    )
    yield
  }
}

/** Labels that are scanned between two places where the work may be interrupted: a millisecond or two. */
const SCANNED = 4096

function* scanAll(
  index: ModalityIndex,
  labels: number[],
  { label, k }: { label: number; k: number }
): Generator<void, Hit[]> {
  const best = new TopK(k)
  for (let start = 0; start < labels.length; start += SCANNED) {
    for (const hit of index.nearestAmong(label, labels.slice(start, start + SCANNED), k))
      best.push(hit.label, hit.score)
    yield
  }
  return best.sorted()
}

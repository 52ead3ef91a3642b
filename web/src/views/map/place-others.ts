/**
 * Points that are laid out by their neighbours, which have been laid out before: `[point, anchors..,
 * weights..]` in the order in which they can be placed.
 */
export interface Placement {
  points: Uint32Array
  /** Positions of the anchors, shape `[points, k]`: each has a place by the time it is looked at. */
  anchors: Uint32Array
  /** Shape `[points, k]`; each row sums to 1. */
  weights: Float32Array
  k: number
}

export interface Graph {
  n: number
  k: number
  nearest: Uint32Array
  similarities: Float32Array
}

/**
 * How the points that were not laid out find their places: each is the mean of its neighbours that have one,
 * weighted by UMAP's local membership strength, `exp(-(d - d_nearest) / mean excess)`, as UMAP places new
 * points among old ones before it refines them (McInnes, Healy, Melville: UMAP, 2018, section 3). Those
 * without such a neighbour wait for the next round; those that none of the rounds reaches are left out.
 */
export function planPlacement({ n, k, nearest, similarities }: Graph, placed: Uint8Array): Placement {
  const isPlaced = placed.slice()
  const points: number[] = []
  const anchors: number[] = []
  const weights: number[] = []
  let waiting = Array.from({ length: n }, (_, point) => point).filter((point) => !isPlaced[point])
  for (let found = true; found && waiting.length > 0;) {
    const round: number[] = []
    const left: number[] = []
    for (const point of waiting) {
      const row = Array.from({ length: k }, (_, j) => point * k + j).filter((at) => isPlaced[nearest[at]])
      if (row.length === 0) left.push(point)
      else {
        round.push(point)
        const strengths = membership(row.map((at) => 1 - similarities[at]))
        for (let j = 0; j < k; j++) {
          anchors.push(nearest[row[j] ?? row[0]])
          weights.push(strengths[j] ?? 0)
        }
      }
    }
    for (const point of round) {
      isPlaced[point] = 1
      points.push(point)
    }
    found = round.length > 0
    waiting = left
  }
  return {
    points: Uint32Array.from(points),
    anchors: Uint32Array.from(anchors),
    weights: Float32Array.from(weights),
    k
  }
}

/** Weights of neighbours at distances that ascend; they sum to 1. */
function membership(distances: number[]): number[] {
  const excess = distances.map((distance) => distance - distances[0])
  const mean = excess.reduce((sum, each) => sum + each, 0) / excess.length || 1
  const strengths = excess.map((each) => Math.exp(-each / mean))
  const sum = strengths.reduce((all, each) => all + each, 0)
  return strengths.map((each) => each / sum)
}

/** Writes the places of a plan into positions, shape `[n, 2]`. */
export function place({ points, anchors, weights, k }: Placement, positions: Float32Array): void {
  for (let row = 0; row < points.length; row++) {
    let x = 0
    let y = 0
    for (let at = row * k; at < (row + 1) * k; at++) {
      x += weights[at] * positions[2 * anchors[at]]
      y += weights[at] * positions[2 * anchors[at] + 1]
    }
    positions[2 * points[row]] = x
    positions[2 * points[row] + 1] = y
  }
}

// Vectors as embeddings of real things lie: around clusters.
const CLUSTERS = 1000
const SPREAD = 0.6

/**
 * Normalised vectors around 1,000 random centres, with six decimals, the same for a seed; and its random
 * numbers.
 */
export function clusteredVectors(dimension, seed = 42) {
  let state = seed
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const centres = Array.from({ length: CLUSTERS }, () => Float64Array.from({ length: dimension }, gaussian))
  const next = () => {
    const centre = centres[Math.floor(random() * CLUSTERS)]
    const values = Array.from(centre, (value) => value + SPREAD * gaussian())
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
    return values.map((value) => Math.round((value / norm) * 1e6) / 1e6)
  }
  return { next, random }
}

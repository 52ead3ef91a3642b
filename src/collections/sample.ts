/** Buckets of hashes, by their highest bits. */
const BUCKET_BITS = 16

/**
 * So many of some labels, in ascending order: those of lowest hash, so that the same labels give the same
 * sample, and a few labels more or less another one that is mostly the same. All of them where there are no
 * more.
 */
export function sampleLabels(labels: number[], size: number): number[] {
  if (labels.length <= size) return [...labels].sort((a, b) => a - b)
  // Only the bucket that the bound falls in is sorted: sorting a million labels would hold the thread.
  const counts = new Uint32Array(1 << BUCKET_BITS)
  for (const label of labels) counts[bucketOf(label)]++
  let [bound, taken] = [0, 0]
  while (taken + counts[bound] < size) taken += counts[bound++]
  const sample: number[] = []
  const edge: number[] = []
  for (const label of labels) {
    const bucket = bucketOf(label)
    if (bucket < bound) sample.push(label)
    else if (bucket === bound) edge.push(label)
  }
  edge.sort((a, b) => hash(a) - hash(b))
  for (const label of edge.slice(0, size - taken)) sample.push(label)
  return sample.sort((a, b) => a - b)
}

function bucketOf(label: number): number {
  return hash(label) >>> (32 - BUCKET_BITS)
}

/** MurmurHash3's finaliser: no two labels below 2^32 have one hash. */
function hash(label: number): number {
  let h = label | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

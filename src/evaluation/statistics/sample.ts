import { random } from './statistics.js'

/**
 * At most `most` of the indices below `length`, ascending, drawn without replacement; all where they are no
 * more.
 */
export function sampled(length: number, most: number, seed: number): Uint32Array {
  const indices = Uint32Array.from({ length }, (_, i) => i)
  if (length <= most) return indices
  const { int } = random(seed)
  for (let i = 0; i < most; i++) {
    const other = i + int(length - i)
    ;[indices[i], indices[other]] = [indices[other], indices[i]]
  }
  return indices.slice(0, most).sort()
}

import { random } from '../statistics/statistics.js'

/** One choice of examples, and what is left to be tested with. */
export interface Draw {
  /**
   * By class, in the order of the chosen ones, the images that are its examples: the first n for n examples.
   */
  examples: number[][]
  /** In the order of the dataset. */
  test: number[]
  /** Where each of the dataset's classes is among the chosen ones. */
  classOf: Map<number, number>
}

/** Examples of each class that are measured. */
const SHOTS = [1, 2, 4, 8, 16]
/** Images that a class needs: one or two to learn from, the rest to be tested with. */
const LEAST = 3

/**
 * The classes that have enough images, of too many some at random, and how many examples of each leave a
 * third to be tested with.
 */
export function usableClasses(
  truth: Uint32Array,
  { most, seed }: { most: number; seed: number }
): { chosen: number[]; shots: number[] } {
  const counts = new Map<number, number>()
  for (const label of truth) counts.set(label, (counts.get(label) ?? 0) + 1)
  const usable = [...counts.keys()].filter((label) => counts.get(label)! >= LEAST).sort((a, b) => a - b)
  const chosen =
    usable.length <= most
      ? usable
      : random(seed)
          .shuffle(usable)
          .slice(0, most)
          .sort((a, b) => a - b)
  const smallest = chosen.reduce((least, label) => Math.min(least, counts.get(label)!), Infinity)
  return { chosen, shots: SHOTS.filter((count) => 1.5 * count <= smallest) }
}

/** Draws examples of the chosen classes; the same for the same seed, whatever the model. */
export function drawExamples(
  truth: Uint32Array,
  { chosen, shots, draws, seed }: { chosen: number[]; shots: number[]; draws: number; seed: number }
): Draw[] {
  const { shuffle } = random(seed)
  const images = [...truth.keys()]
  const byClass = chosen.map((label) => images.filter((image) => truth[image] === label))
  const classOf = new Map(chosen.map((label, k) => [label, k]))
  const most = Math.max(...shots)
  return Array.from({ length: draws }, () => {
    const orders = byClass.map((own) => shuffle([...own]))
    return {
      examples: orders.map((order) => order.slice(0, most)),
      test: orders.flatMap((order) => order.slice(most)).sort((a, b) => a - b),
      classOf
    }
  })
}

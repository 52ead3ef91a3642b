import { recallAt } from './query-ranks.js'

/** The chance that any of the scores at `right` is among the `k` highest when ties are broken at random. */
export function topShare(scores: ArrayLike<number>, right: ArrayLike<number>, k: number): number {
  let best = -Infinity
  for (let i = 0; i < right.length; i++) best = Math.max(best, scores[right[i]])
  let [ahead, tied, tiedRight] = [0, 0, 0]
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] > best) ahead++
    else if (scores[i] === best) tied++
  }
  for (let i = 0; i < right.length; i++) if (scores[right[i]] === best) tiedRight++
  return recallAt(k, { ahead, tiedWrong: tied - tiedRight, tiedRight })
}

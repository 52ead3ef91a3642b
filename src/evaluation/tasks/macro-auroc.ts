import { cosine, type Embedding } from '../../encoder/embedding.js'
import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt } from '../embedding/rows.js'

interface Scored {
  /** Of each image, the index of its label. */
  truth: Uint32Array
  /** Embeddings of the labels. */
  weights: Embedding[]
  settings: ZeroShotSettings
  logNormaliser: Float64Array
}

/**
 * The area under the ROC curve of each label against the rest, over the labels, as one value an image whose
 * mean it is: the image's influence on it, by the share of its opposites that it is on the right side of
 * (DeLong et al. 1988). Labels that have all images or none don't count.
 */
export function macroAuroc(images: Rows, { truth, weights, settings, logNormaliser }: Scored): Float64Array {
  const sum = new Float64Array(truth.length)
  const scale = settings.logitScale ?? 1
  let counted = 0
  weights.forEach((weight, label) => {
    const scores = Float64Array.from(
      truth,
      (_, i) => scale * cosine(rowAt(images, i), weight) - logNormaliser[i]
    )
    const influences = aurocInfluences(scores, (i) => truth[i] === label)
    if (!influences) return
    counted++
    influences.forEach((influence, i) => (sum[i] += influence))
  })
  return sum.map((value) => value / counted)
}

/** Values whose mean is the area under the ROC curve; undefined where all are positive, or none is. */
export function aurocInfluences(
  scores: Float64Array,
  isPositive: (i: number) => boolean
): Float64Array | undefined {
  const n = scores.length
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b])
  const positives = order.reduce((count, i) => count + Number(isPositive(i)), 0)
  const opposites = (i: number) => (isPositive(i) ? n - positives : positives)
  if (positives === 0 || positives === n) return undefined
  const shares = new Float64Array(n)
  let [positivesBelow, below] = [0, 0]
  while (below < n) {
    let end = below
    let positivesTied = 0
    for (; end < n && scores[order[end]] === scores[order[below]]; end++)
      positivesTied += Number(isPositive(order[end]))
    for (let at = below; at < end; at++) {
      const i = order[at]
      shares[i] = isPositive(i)
        ? (below - positivesBelow + (end - below - positivesTied) / 2) / opposites(i)
        : (positives - positivesBelow - positivesTied / 2) / opposites(i)
    }
    positivesBelow += positivesTied
    below = end
  }
  const area = shares.reduce((sum, share, i) => sum + (isPositive(i) ? share : 0), 0) / positives
  return shares.map((share, i) => area + ((share - area) * n) / (n - opposites(i)))
}

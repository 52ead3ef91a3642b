import { cosine, type Embedding } from '../../encoder/embedding.js'
import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import { activation } from '../../encoder/zero-shot.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt } from '../embedding/rows.js'
import { topShare } from '../statistics/top-share.js'

/** What a zero-shot classifier says of each image. */
export interface Classified {
  /** 1 where the true label is first, a share where it ties. */
  top1: Float64Array
  top5: Float64Array
  /** The first label; of labels that tie the first in their order. */
  predicted: Uint32Array
  /** Score of the first label. */
  confidence: Float64Array
  /**
   * What a softmax model's scaled cosines of an image are divided by, as a logarithm: logits of two images
   * compare once it is taken off. 0 for a sigmoid model.
   */
  logNormaliser: Float64Array
  /** Of the last image, by label. */
  scores: number[]
}

interface Labelled {
  images: Rows
  /** Of each image, the index of its label. */
  truth: Uint32Array
  settings: ZeroShotSettings
}

/** Classifies images (all, or those at `items`) by the embeddings of the labels. */
export function classifyAll(
  { images, truth, settings }: Labelled,
  weights: Embedding[],
  items: Uint32Array = Uint32Array.from(truth.keys())
): Classified {
  const activate = activation(settings)
  const scale = settings.logitScale ?? 1
  const length = items.length
  const classified: Classified = {
    top1: new Float64Array(length),
    top5: new Float64Array(length),
    predicted: new Uint32Array(length),
    confidence: new Float64Array(length),
    logNormaliser: new Float64Array(length),
    scores: []
  }
  items.forEach((item, i) => {
    const image = rowAt(images, item)
    const similarities = weights.map((weight) => cosine(image, weight))
    const first = similarities.indexOf(similarities.reduce((a, b) => Math.max(a, b), -Infinity))
    classified.scores = activate(similarities, image)
    classified.top1[i] = topShare(similarities, [truth[item]], 1)
    classified.top5[i] = topShare(similarities, [truth[item]], 5)
    classified.predicted[i] = first
    classified.confidence[i] = classified.scores[first]
    if (settings.activation === 'softmax')
      classified.logNormaliser[i] = scale * similarities[first] - Math.log(classified.scores[first])
  })
  return classified
}

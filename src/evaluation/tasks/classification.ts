import { cosine, type Embedding } from '../../encoder/embedding.js'
import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import { activation } from '../../encoder/zero-shot.js'
import { rowAt, type Rows } from '../embedding/embedder.js'
import type { Plot } from '../report.js'
import { topShare } from '../statistics/query-ranks.js'
import { bootstrapMean } from '../statistics/statistics.js'
import type { TaskOptions } from './task.js'

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

/**
 * The mean over classes of a value's mean within them, as a statistic of a draw of items, and as one value an
 * item whose mean it is: each item's influence on it, for paired tests. Classes without items don't count.
 */
export function meanPerClass(
  values: Float64Array,
  truth: Uint32Array,
  classes: number
): { statistic: (draw: Uint32Array) => number; values: Float64Array } {
  const [sums, counts] = [new Float64Array(classes), new Uint32Array(classes)]
  const statistic = (draw: Uint32Array): number => {
    sums.fill(0)
    counts.fill(0)
    for (const i of draw) {
      sums[truth[i]] += values[i]
      counts[truth[i]]++
    }
    let [total, present] = [0, 0]
    for (let c = 0; c < classes; c++) {
      if (counts[c] === 0) continue
      total += sums[c] / counts[c]
      present++
    }
    return total / present
  }
  const whole = statistic(Uint32Array.from(values.keys()))
  const means = sums.map((sum, c) => (counts[c] === 0 ? 0 : sum / counts[c]))
  const present = counts.reduce((n, count) => n + Number(count > 0), 0)
  const sizes = counts.slice()
  return {
    statistic,
    values: values.map(
      (value, i) => whole + ((value - means[truth[i]]) * values.length) / (present * sizes[truth[i]])
    )
  }
}

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

/** As in Guo et al. 2017. */
const BINS = 15

/** The bins are open below and closed above. */
function binOf(confidence: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.ceil(confidence * BINS) - 1))
}

/**
 * The expected calibration error as a statistic of a draw of items: over 15 bins of equal width, the mean
 * distance of accuracy and confidence, weighted by the items in a bin (Guo et al. 2017, eq. 3).
 */
export function calibrationError(
  confidence: Float64Array,
  right: Float64Array
): (draw: Uint32Array) => number {
  const bins = Uint32Array.from(confidence, binOf)
  const gaps = new Float64Array(BINS)
  return (draw) => {
    gaps.fill(0)
    for (const i of draw) gaps[bins[i]] += right[i] - confidence[i]
    return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / draw.length
  }
}

/** Accuracy over confidence, a point a bin that has items. */
export function reliabilityPlot(confidence: Float64Array, right: Float64Array, options: TaskOptions): Plot {
  const points = []
  for (let bin = 0; bin < BINS; bin++) {
    const items = [...confidence.keys()].filter((i) => binOf(confidence[i]) === bin)
    if (items.length === 0) continue
    const {
      value: y,
      low,
      high
    } = bootstrapMean(
      Float64Array.from(items, (i) => right[i]),
      options
    )
    points.push({ x: items.reduce((sum, i) => sum + confidence[i], 0) / items.length, y, low, high })
  }
  const ideal = {
    name: 'perfectly calibrated',
    points: [
      { x: 0, y: 0 },
      { x: 1, y: 1 }
    ]
  }
  return {
    title: 'Reliability',
    x: 'confidence',
    y: 'accuracy',
    curves: [{ name: 'accuracy', points }, ideal]
  }
}

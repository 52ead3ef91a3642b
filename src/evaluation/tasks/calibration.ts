import type { Plot } from '../report.js'
import { bootstrapMean } from '../statistics/statistics.js'
import type { TaskOptions } from './task.js'

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

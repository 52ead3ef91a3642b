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

import type { LabelledItem } from '../datasets/dataset.js'

/** The labels of a dataset in the order of their code units, and of each item the index of its own. */
export function labelsAndTruth(items: LabelledItem[]): { labels: string[]; truth: Uint32Array } {
  const labels = [...new Set(items.map(({ label }) => label))].sort()
  const places = new Map(labels.map((label, i) => [label, i]))
  return { labels, truth: Uint32Array.from(items, ({ label }) => places.get(label)!) }
}

import type { Embedding } from '../encoder/embedding.js'
import { ExamplesInvalid } from '../errors.js'
import type { TrainingSet } from './cross-validation.js'
import type { Example } from './examples.js'
import { featureDimension, layoutOf, writeFeatures, type Input, type Layout } from './features.js'

const MAX_LABELS = 1000
/** Examples times features times labels: a pass over as many takes about a second. */
const MAX_SIZE = 2.5e8
/** Examples times features: in doubles, as they are trained with, a quarter of a gigabyte. */
const MAX_VALUES = 2 ** 25

/** Examples by label, ready to be trained with. */
export interface LabelledSet {
  /** In their order; places in it are the classes. */
  labels: { label: string; examples: number }[]
  layout: Layout
  set: TrainingSet
}

/** Makes rows of examples. Throws EXAMPLES_INVALID for labels or numbers that can't be trained with. */
export function toTrainingSet(examples: Example[], dimension: number): LabelledSet {
  const counts = new Map<string, number>()
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1)
  const names = [...counts.keys()].sort()
  if (names.length < 2)
    throw new ExamplesInvalid(
      `All ${examples.length} examples have the label '${names[0]}'; a classifier needs at least two labels.`
    )
  if (names.length > MAX_LABELS)
    throw new ExamplesInvalid(`The examples have ${names.length} labels; at most ${MAX_LABELS} are allowed.`)
  const layout = layoutOf(examples.map(({ input }) => input))
  const values = examples.length * featureDimension(layout, dimension)
  if (values > MAX_VALUES)
    throw new ExamplesInvalid(
      `Examples times features are ${values}; at most ${MAX_VALUES} are allowed. Use fewer examples of ` +
        'each label (per_class).'
    )
  const size = values * names.length
  if (size > MAX_SIZE)
    throw new ExamplesInvalid(
      `Examples times features times labels are ${size}; at most ${MAX_SIZE} are allowed. Use fewer ` +
        'examples of each label (per_class).'
    )
  const classOf = new Map(names.map((name, k) => [name, k]))
  const set: TrainingSet = {
    rows: toRows(
      examples.map(({ input }) => input),
      layout,
      dimension
    ),
    labels: Uint32Array.from(examples, ({ label }) => classOf.get(label)!),
    classes: names.length
  }
  return { labels: names.map((label) => ({ label, examples: counts.get(label)! })), layout, set }
}

/**
 * Rows that stand for the labels themselves: the embedding of a label's words is one more example of it,
 * beside those that were given (Lin et al. 2023, "Multimodality helps unimodality"). What it says counts most
 * where examples are few.
 */
export function toAnchors(texts: Embedding[], layout: Layout): TrainingSet['rows'] {
  return toRows(
    texts.map((text) => ({ image: text, text })),
    layout,
    texts[0].length
  )
}

/** On shared memory, so that a thread has them without a copy. */
function toRows(
  inputs: Input[],
  layout: Layout,
  dimension: number
): { values: Float32Array; dimension: number } {
  const width = featureDimension(layout, dimension)
  const values = new Float32Array(
    new SharedArrayBuffer(inputs.length * width * Float32Array.BYTES_PER_ELEMENT)
  )
  inputs.forEach((input, i) => writeFeatures(input, layout, values.subarray(i * width, (i + 1) * width)))
  return { values, dimension: width }
}

/**
 * What is known of one input: an embedding for each modality that it has, L2-normalised and of one dimension.
 */
export interface Input {
  image?: Float32Array
  text?: Float32Array
}

/** What a classifier takes: one modality, or inputs with either or both. */
export type Layout = 'image' | 'text' | 'image+text'

/** The layout that a classifier of some examples has. */
export function layoutOf(inputs: Input[]): Layout {
  if (inputs.every(({ text }) => !text)) return 'image'
  return inputs.every(({ image }) => !image) ? 'text' : 'image+text'
}

/** Numbers of a row of features, over embeddings of a dimension. */
export function featureDimension(layout: Layout, dimension: number): number {
  return layout === 'image+text' ? 3 * dimension : dimension
}

/**
 * Writes the features of an input into a row, which is L2-normalised then. Of both modalities they are the
 * two embeddings and their elementwise product, by which a linear classifier tells what neither says alone
 * (Kumar and Nandakumar 2022, Hate-CLIPper). What an input has not is a block of zeros, and the rest has its
 * length.
 */
export function writeFeatures({ image, text }: Input, layout: Layout, row: Float32Array): void {
  if (layout !== 'image+text') return row.set((layout === 'image' ? image : text)!)
  const dimension = row.length / 3
  row.fill(0)
  if (image) row.set(image)
  if (text) row.set(text, dimension)
  if (image && text) {
    // The product of two vectors of length 1 is far shorter: its length is made theirs.
    const products = image.map((value, d) => value * text[d])
    const norm = Math.hypot(...products)
    if (norm > 0)
      row.set(
        products.map((product) => product / norm),
        2 * dimension
      )
  }
  const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))
  if (norm > 0) for (let d = 0; d < row.length; d++) row[d] /= norm
}

/** The features of one input. */
export function features(input: Input, layout: Layout): Float32Array {
  const { length } = (input.image ?? input.text)!
  const row = new Float32Array(featureDimension(layout, length))
  writeFeatures(input, layout, row)
  return row
}

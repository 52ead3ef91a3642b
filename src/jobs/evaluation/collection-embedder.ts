import { type Embedder, type Rows, sharedRows } from '../../evaluation/embedding/embedder.js'
import type { CollectionSample } from './collection-sample.js'

/**
 * An embedder that answers with the embeddings that a collection has, and asks another one for all else:
 * prompts, shuffled captions, corrupted images.
 */
export function collectionEmbedder(sample: CollectionSample, encoder: Embedder): Embedder {
  const rowOfImage = new Map(sample.records.map(({ id }, row) => [id, row]))
  const rowOfText = new Map(
    sample.records.flatMap(({ text }, row) => (text === null ? [] : [[text, row] as const]))
  )
  return {
    model: encoder.model,
    images: (images, corruption) => {
      if (corruption) return encoder.images(images, corruption)
      return gather(images, {
        rows: sample.images,
        rowOf: ({ id }) => rowOfImage.get(id),
        encode: (missing) => encoder.images(missing)
      })
    },
    texts: (texts) =>
      gather(texts, { rows: sample.texts, rowOf: (text) => rowOfText.get(text), encode: encoder.texts })
  }
}

interface Source<T> {
  rows: Rows
  rowOf(item: T): number | undefined
  encode(missing: T[]): Promise<Rows>
}

async function gather<T>(
  items: T[],
  { rows: { dimension, values }, rowOf, encode }: Source<T>
): Promise<Rows> {
  const gathered = sharedRows(items.length, dimension)
  const missing: number[] = []
  items.forEach((item, i) => {
    const row = rowOf(item)
    if (row === undefined) missing.push(i)
    else gathered.values.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension)
  })
  if (missing.length === 0) return gathered
  const encoded = await encode(missing.map((i) => items[i]))
  missing.forEach((i, row) =>
    gathered.values.set(encoded.values.subarray(row * dimension, (row + 1) * dimension), i * dimension)
  )
  return gathered
}

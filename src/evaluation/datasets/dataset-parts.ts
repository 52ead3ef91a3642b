import type { DatasetImage, EmbeddedPairs, LoadedDataset } from './dataset.js'

/** The images of a dataset, each once. */
export function imagesOf(dataset: LoadedDataset): DatasetImage[] {
  const images =
    dataset.kind === 'pairs'
      ? dataset.items.flatMap(({ images }) => images)
      : dataset.items.map(({ image }) => image)
  return [...new Map(images.map((image) => [image.id, image])).values()]
}

/** All that is written in a dataset, as often as it is. */
export function captionsOf(dataset: LoadedDataset): string[] {
  switch (dataset.kind) {
    case 'classes':
      return dataset.items.flatMap(({ text }) => text ?? [])
    case 'choices':
      return dataset.items.flatMap(({ caption, negatives }) => [caption, ...negatives])
    default:
      return dataset.items.flatMap(({ captions }) => captions)
  }
}

export function labelsOf(dataset: LoadedDataset): string[] {
  return dataset.kind === 'classes' ? [...new Set(dataset.items.map(({ label }) => label))] : []
}

/** Whether a dataset brings its embeddings along. */
export function isEmbedded<D extends { kind: string }>(dataset: D | EmbeddedPairs): dataset is EmbeddedPairs {
  return dataset.kind === 'embeddings'
}

import type { EmbeddedPairs, LoadedDataset } from './dataset.js'
import { captionsOf, imagesOf, labelsOf } from './dataset-parts.js'
import type { ImageFiles } from '../embedding/image-files.js'
import { openMatrix } from '../statistics/matrix.js'
import type { DatasetReport } from '../report.js'

type Counts = DatasetReport['counts']

/**
 * How much of what is in a dataset; images with the same bytes and captions with the same words are counted
 * as duplicates, all but the first.
 */
export function countDataset(dataset: LoadedDataset, files: ImageFiles): Counts {
  const images = imagesOf(dataset)
  const captions = captionsOf(dataset)
  const digests = images.map(({ path }) => files.digest(path) ?? path)
  return {
    items: dataset.items.length,
    images: images.length,
    captions: captions.length,
    labels: labelsOf(dataset).length,
    faults: dataset.faults.length,
    duplicateImages: images.length - new Set(digests).size,
    duplicateCaptions: captions.length - new Set(captions).size
  }
}

/** As `countDataset`, of embeddings, which do not tell duplicates. */
export function countEmbedded({ images, captions }: EmbeddedPairs): Counts {
  const [imageCount, captionCount] = [images, captions].map((source) => {
    const matrix = openMatrix(source)
    matrix.close()
    return matrix.rows
  })
  return {
    items: captionCount,
    images: imageCount,
    captions: captionCount,
    labels: 0,
    faults: 0,
    duplicateImages: 0,
    duplicateCaptions: 0
  }
}

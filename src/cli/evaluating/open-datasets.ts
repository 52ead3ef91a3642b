import { type Dataset, DatasetError, type EmbeddedPairs } from '../../evaluation/datasets/dataset.js'
import { openDataset } from '../../evaluation/datasets/open-dataset.js'
import type { EvaluateOptions } from '../evaluate.js'
import { UsageError } from '../exit-codes.js'

/**
 * The datasets that were named. Throws a UsageError where one isn't there or can't be made out, and for
 * options that would not fit all of them.
 */
export async function openDatasets(
  paths: string[],
  { format, images, split, limit }: EvaluateOptions
): Promise<(Dataset | EmbeddedPairs)[]> {
  if (images !== undefined && paths.length > 1)
    throw new UsageError(
      '--images is where the images of one dataset lie; evaluate the others apart, or put their images ' +
        'beside them.'
    )
  try {
    return await Promise.all(paths.map((path) => openDataset(path, { format, images, split, limit })))
  } catch (error) {
    throw error instanceof DatasetError ? new UsageError(error.message, { cause: error }) : error
  }
}

import { readdir, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve, sep } from 'node:path'
import { DatasetNotFound, DatasetsDisabled, EvaluationInvalid } from '../../errors.js'
import {
  type Dataset,
  DatasetError,
  type DatasetFormat,
  type DatasetImage,
  type EmbeddedPairs
} from '../../evaluation/datasets/dataset.js'
import { isBelow } from '../../evaluation/datasets/image-finder.js'
import { openDataset } from '../../evaluation/datasets/open-dataset.js'

/** A dataset below the folder of datasets. */
export interface FolderAsked {
  folder: string
  format?: DatasetFormat
  /** Where its images are, if not with it: a path below it. */
  images?: string
  split?: string
  limit?: number
}

/**
 * Opens a dataset below the folder of datasets, out of which nothing leads: no path, no link, no image that a
 * file of it names. Throws DATASETS_DISABLED, DATASET_NOT_FOUND, and EVALUATION_INVALID for what is no
 * dataset.
 */
export async function openFolder(
  datasetsDir: string,
  { folder, images, ...options }: FolderAsked
): Promise<Dataset | EmbeddedPairs> {
  if (datasetsDir === '') throw new DatasetsDisabled()
  const root = await realpath(resolve(datasetsDir)).catch(() => undefined)
  const path = root && (await inside(root, root, folder))
  if (!root || !path) throw new DatasetNotFound(folder)
  const imageFolder = images === undefined ? undefined : await inside(root, path, images)
  if (images !== undefined && !imageFolder) throw new DatasetNotFound(`${folder}/${images}`)
  if ((await stat(path)).isDirectory()) await requireNoWayOut(root, path)
  try {
    return confined(root, await openDataset(path, { ...options, images: imageFolder, root }))
  } catch (error) {
    throw error instanceof DatasetError ? new EvaluationInvalid(withoutRoot(root, error.message)) : error
  }
}

/** The real path of something below a folder, undefined where it is not there, or not below the root. */
async function inside(root: string, folder: string, below: string): Promise<string | undefined> {
  if (below.includes('\0') || isAbsolute(below) || below.split(/[\\/]/).includes('..')) return undefined
  const path = await realpath(join(folder, below)).catch(() => undefined)
  return path !== undefined && path !== root && isBelow(root, path) ? path : undefined
}

async function requireNoWayOut(root: string, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    // A link to nothing is a file that is not there.
    const target = await realpath(path).catch(() => path)
    if (!isBelow(root, target))
      throw new EvaluationInvalid(
        `The link '${path.slice(root.length + 1)}' leads out of the dataset folder.`
      )
  }
}

/** What is said of a dataset below the folder of datasets, without the paths of the machine. */
export async function withoutPaths(datasetsDir: string, text: string): Promise<string> {
  const path = resolve(datasetsDir)
  return withoutRoot(path, withoutRoot(await realpath(path).catch(() => path), text))
}

function withoutRoot(root: string, text: string): string {
  return text.replaceAll(root + sep, '').replaceAll(root, 'the dataset folder')
}

/** A dataset without what lies elsewhere: a file of it may name any path. */
function confined(root: string, dataset: Dataset | EmbeddedPairs): Dataset | EmbeddedPairs {
  if (dataset.kind === 'embeddings') return dataset
  const isOutside = async ({ path }: DatasetImage) =>
    !isBelow(root, await realpath(path).catch(() => resolve(path)))
  const items = async function* (signal?: AbortSignal) {
    for await (const item of dataset.items(signal)) {
      if ('reason' in item) {
        yield { ...item, reason: withoutRoot(root, item.reason) }
        continue
      }
      const images = 'images' in item ? item.images : [item.image]
      const outside = (await Promise.all(images.map(isOutside))).includes(true)
      yield outside ? { name: item.id, reason: 'The image is outside the dataset folder.' } : item
    }
  }
  return { ...dataset, items } as Dataset
}

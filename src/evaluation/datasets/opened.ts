import type { Dataset, DatasetKind } from './dataset.js'
import type { ImageFinder } from './image-finder.js'

/** What a format's reader is given. */
export interface DatasetSource {
  /** As it was named: a file or a folder. */
  path: string
  /** The files that describe the dataset; none where folders do. */
  files: string[]
  images: ImageFinder
  split?: string
}

/** What a format's reader makes of it. */
export type Opened = {
  [Kind in DatasetKind]: Pick<Extract<Dataset, { kind: Kind }>, 'kind' | 'items'> & { split?: string }
}[DatasetKind]

export type Reader = (source: DatasetSource) => Promise<Opened>

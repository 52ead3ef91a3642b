/** A dataset that can't be read as a whole, for a reason that its user can fix. */
export class DatasetError extends Error {}

/** An image of a dataset, whose bytes are read when it is encoded. */
export interface DatasetImage {
  /** Unique within the dataset: its path below the dataset's folder, as a rule. */
  id: string
  path: string
}

/** An image and the captions that are true of it. */
export interface CaptionedItem {
  id: string
  image: DatasetImage
  captions: string[]
}

/** An image and the class that it belongs to. */
export interface LabelledItem {
  id: string
  image: DatasetImage
  label: string
  /** What is written with it, where the dataset has both. */
  text?: string
}

/**
 * Two images and two captions of the same words: the first caption is true of the first image only, the
 * second of the second (Thrush et al. 2022).
 */
export interface PairItem {
  id: string
  images: [DatasetImage, DatasetImage]
  captions: [string, string]
  tag?: string
}

/** An image, the caption that is true of it, and some that are not (SugarCrepe, Hsieh et al. 2023). */
export interface ChoiceItem {
  id: string
  image: DatasetImage
  caption: string
  negatives: string[]
  tag?: string
}

/** What a dataset names but can't give, and why. */
export interface DatasetFault {
  /** A path, or a file with a line. */
  name: string
  reason: string
}

export const FORMATS = [
  'coco',
  'flickr',
  'karpathy',
  'imagefolder',
  'classes',
  'winoground',
  'choices',
  'csv',
  'embeddings'
] as const
export type DatasetFormat = (typeof FORMATS)[number]

interface ItemsByKind {
  captions: CaptionedItem
  classes: LabelledItem
  pairs: PairItem
  choices: ChoiceItem
}
export type DatasetKind = keyof ItemsByKind

/** A dataset that is read item by item, as often as one likes. */
export type Dataset = {
  [Kind in DatasetKind]: {
    name: string
    format: DatasetFormat
    kind: Kind
    items(signal?: AbortSignal): AsyncIterable<ItemsByKind[Kind] | DatasetFault>
  }
}[DatasetKind]

/** A dataset read whole: few bytes an item, since images stay in their files. */
export type LoadedDataset = {
  [Kind in DatasetKind]: {
    name: string
    format: DatasetFormat | 'collection'
    kind: Kind
    items: ItemsByKind[Kind][]
    faults: DatasetFault[]
  }
}[DatasetKind]

/**
 * Image-text pairs whose embeddings were computed before: caption row i belongs to image row imageOf[i], or i
 * where there is no imageOf.
 */
export interface EmbeddedPairs {
  name: string
  format: 'embeddings'
  kind: 'embeddings'
  images: MatrixSource
  captions: MatrixSource
  imageOf?: Uint32Array
}

/**
 * Where the rows of a matrix are; can be sent to a thread. `values` is row-major, on shared memory where it
 * crosses threads.
 */
export type MatrixSource = { dimension: number; values: Float32Array } | { path: string }

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

/** What parts of a dataset are called, as Hugging Face's datasets have it. */
const NAMES: Record<string, string[]> = {
  test: ['test', 'testing', 'eval', 'evaluation'],
  validation: ['validation', 'val', 'valid', 'dev'],
  train: ['train', 'training']
}

/** The part that a name stands for, or undefined. */
export function splitOf(name: string): string | undefined {
  return Object.keys(NAMES).find((split) => NAMES[split].includes(name.toLowerCase()))
}

/**
 * Which of the parts that are there is meant: the one that is asked for, or else the first of test,
 * validation and train; undefined for `all`. Throws a DatasetError where there is no such part.
 */
export function chooseSplit(
  there: Iterable<string>,
  { wanted, path }: { wanted?: string; path: string }
): string | undefined {
  const known = new Set(there)
  if (wanted?.toLowerCase() === 'all') return undefined
  const chosen =
    wanted === undefined
      ? [...Object.keys(NAMES), ...known].find((split) => known.has(split))
      : known.has(wanted)
        ? wanted
        : splitOf(wanted)
  if (chosen === undefined || !known.has(chosen))
    throw new DatasetError(
      known.size > 0
        ? `${path} has no split '${wanted ?? 'test'}'; the splits are ${[...known].sort().join(', ')}, ` +
            'or all.'
        : `${path} has no splits; leave out '${wanted}'.`
    )
  return chosen
}

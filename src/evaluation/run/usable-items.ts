import { countCharacters, isLonger } from '../../validation/code-points.js'
import { MAX_TEXT_LENGTH } from '../../encoder/tokenizer.js'
import type { FileEmbedder } from '../embedding/create-embedder.js'
import type { DatasetFault, DatasetImage, LoadedDataset } from '../datasets/dataset.js'
import { DatasetError } from '../datasets/dataset-error.js'
import { imagesOf } from '../datasets/dataset-parts.js'

/**
 * A dataset without what some model can't embed, so that all models are measured on the same items: images
 * that can't be read, captions that are too long, and items that nothing is left of. Its faults have a line
 * for each. Throws when no item is left.
 */
export async function usableItems(dataset: LoadedDataset, embedders: FileEmbedder[]): Promise<LoadedDataset> {
  const broken = new Map<string, DatasetFault>()
  for (const { broken: find } of embedders)
    for (const [{ id }, reason] of await find(imagesOf(dataset))) broken.set(id, { name: id, reason })
  const faults = [...dataset.faults, ...broken.values()]
  const isWhole = ({ id }: DatasetImage) => !broken.has(id)
  const isShort = (text: string) => {
    if (!isLonger(text, MAX_TEXT_LENGTH)) return true
    faults.push({
      name: `${text.slice(0, 40)}…`,
      reason: `the text has ${countCharacters(text)} characters, of ${MAX_TEXT_LENGTH} allowed`
    })
    return false
  }
  const items = keep(dataset, { isWhole, isShort })
  if (items.length === 0) {
    const [first] = faults
    const reason = first
      ? `; the first of ${faults.length} faults is ${first.name}: ${first.reason}`
      : ': it has no items'
    throw new DatasetError(`Nothing of '${dataset.name}' can be evaluated${reason}.`)
  }
  return { ...dataset, items, faults } as LoadedDataset
}

function keep(
  dataset: LoadedDataset,
  { isWhole, isShort }: { isWhole: (image: DatasetImage) => boolean; isShort: (text: string) => boolean }
): LoadedDataset['items'] {
  switch (dataset.kind) {
    case 'captions':
      return dataset.items
        .filter(({ image }) => isWhole(image))
        .map((item) => ({ ...item, captions: item.captions.filter(isShort) }))
        .filter(({ captions }) => captions.length > 0)
    case 'classes':
      return dataset.items.filter(
        ({ image, label, text }) => isWhole(image) && isShort(label) && (text === undefined || isShort(text))
      )
    case 'pairs':
      return dataset.items.filter(({ images, captions }) => images.every(isWhole) && captions.every(isShort))
    case 'choices':
      return dataset.items.filter(
        ({ image, caption, negatives }) => isWhole(image) && [caption, ...negatives].every(isShort)
      )
  }
}

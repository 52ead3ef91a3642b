import { join } from 'node:path'
import { imageKind } from '../../files/image-types.js'
import { readFolder } from '../../files/read-folder.js'
import { chooseSplit, DatasetError, type DatasetFault, type LabelledItem, splitOf } from './dataset.js'
import { labelNames } from './label-names.js'
import type { Reader } from './image-finder.js'

/**
 * A folder for each class, perhaps in a folder for each split. Items come in turn from each class, so that
 * the first of them are of all.
 */
export const openClasses: Reader = async ({ path: root, split: wanted }) => {
  const { folders } = await readFolder(root, '')
  const layers = folders.length > 0 && folders.every((name) => splitOf(name)) ? folders : []
  const split =
    layers.length > 0 || wanted !== undefined
      ? chooseSplit(
          layers.map((name) => splitOf(name)!),
          { wanted, path: root }
        )
      : undefined
  const chosen = layers.filter((name) => split === undefined || splitOf(name) === split)
  const found =
    layers.length === 0
      ? [{ below: '', folders }]
      : await Promise.all(
          chosen.map(async (name) => ({
            below: `${name}/`,
            folders: (await readFolder(join(root, name), '')).folders
          }))
        )
  const classes = found.flatMap(({ below, folders }) =>
    folders.map((label) => ({ label, below: `${below}${label}/` }))
  )
  if (new Set(classes.map(({ label }) => label)).size < 2)
    throw new DatasetError(
      `${root} has ` +
        `${classes.length === 0 ? 'no class folders' : `only one class, '${classes[0].label}'`}; it ` +
        'needs one folder for each of two or more classes.'
    )
  const names = await labelNames(root)
  return {
    kind: 'classes',
    ...(layers.length > 0 && { split: split ?? 'all' }),
    async *items() {
      for (const below of layers.length === 0 ? [''] : chosen.map((name) => `${name}/`))
        yield* strays(root, below)
      yield* inTurn(
        classes.map(({ label, below }) =>
          imagesBelow(join(root, below), { below, label: names.get(label) ?? label })
        )
      )
    }
  }
}

/** Images that lie beside the folders of classes. */
async function* strays(root: string, below: string): AsyncGenerator<DatasetFault> {
  const { files, links, faults } = await readFolder(join(root, below), below)
  yield* faults.map(({ name, reason }) => ({ name, reason }))
  yield* links.map((name) => ({
    name: below + name,
    reason: 'The entry is a link to a folder, and such links are not followed.'
  }))
  for (const name of files)
    if (imageKind(name) !== 'other')
      yield { name: below + name, reason: 'The image is not in a class folder.' }
}

async function* imagesBelow(
  path: string,
  { below, label }: { below: string; label: string }
): AsyncGenerator<LabelledItem | DatasetFault> {
  const { files, folders, links, faults } = await readFolder(path, below)
  yield* faults.map(({ name, reason }) => ({ name, reason }))
  yield* links.map((name) => ({
    name: below + name,
    reason: 'The entry is a link to a folder, and such links are not followed.'
  }))
  for (const name of files) {
    const kind = imageKind(name)
    const id = (below + name).normalize()
    if (kind === 'read') yield { id, image: { id, path: join(path, name) }, label }
    else if (kind === 'not-read')
      yield { name: id, reason: 'The image type is not supported; use JPEG, PNG, WebP, GIF, TIFF or AVIF.' }
  }
  for (const name of folders) yield* imagesBelow(join(path, name), { below: `${below}${name}/`, label })
}

/** One of each, then the next one of each, until none has any more. */
async function* inTurn<Value>(lists: AsyncGenerator<Value>[]): AsyncGenerator<Value> {
  while (lists.length > 0) {
    const left = []
    for (const list of lists) {
      const { done, value } = await list.next()
      if (done) continue
      yield value
      left.push(list)
    }
    lists = left
  }
}

import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, posix, sep } from 'node:path'
import { MAX_TEXT_LENGTH } from '../../encoder/tokenizer.js'
import { imageKind } from '../../files/image-types.js'
import { countCharacters, isLonger } from '../../validation/code-points.js'
import type { CaptionedItem, Dataset, DatasetFault, DatasetImage, DatasetKind } from './dataset.js'

/** Finds the images that a dataset names. */
export interface ImageFinder {
  /** The first of the names that is there, or why there is none. */
  find(...names: string[]): Promise<DatasetImage | DatasetFault>
}

/** Folders of images beside what describes them, or beside the folder that it lies in. */
const FOLDERS =
  /^(images?|imgs?|photos?|pictures|files|data|(train|val|test)20\d\d|flickr.*images|flicker8k_dataset)$/i
/** Most folders beside the file in which an image is looked for. */
const MAX_FOLDERS = 100
/**
 * So many images that are nowhere, with none before them that is anywhere, and the others are not looked for
 * in every folder.
 */
const MAX_SEARCHES = 200
/** What a name without an extension may end with, as in Winoground. */
const EXTENSIONS = ['.png', '.jpg', '.jpeg', '.webp']

/**
 * Finds images by the names that a file gives them: in `images`, or else in the folder where the first of
 * them is: the file's own, one below it, or one of those that are usual beside it (COCO's val2017 next to
 * annotations). Names can't lead out of it; and where there is a `root`, an absolute real path, nothing
 * outside of it is looked at, whatever links there are.
 */
export function imageFinder(
  folder: string,
  { images, root }: { images?: string; root?: string } = {}
): ImageFinder {
  let chosen = images
  let candidates: string[] | undefined
  let searches = 0
  const find = async (...names: string[]): Promise<DatasetImage | DatasetFault> => {
    const below = names.map(belowFolder).filter((name) => name !== undefined)
    if (below.length === 0) return { name: names[0], reason: 'The path leads out of the image folder.' }
    const places = chosen !== undefined ? [chosen] : (candidates ??= await foldersFor(folder, root))
    for (const place of places) {
      for (const name of below) {
        const path = await fileAt(place, name, root)
        if (path === undefined) continue
        chosen = place
        if (imageKind(path) === 'not-read')
          return { name, reason: 'The image type is not supported; use JPEG, PNG, WebP, GIF, TIFF or AVIF.' }
        return { id: name.normalize(), path }
      }
    }
    if (chosen === undefined && ++searches === MAX_SEARCHES) candidates = [folder]
    const more = places.length > 5 ? ` or ${places.length - 5} more folders` : ''
    return {
      name: below[0],
      reason: `The image is not in ${chosen ?? `${places.slice(0, 5).join(', ')}${more}`}.`
    }
  }
  return { find }
}

/** A path as it is written in a table, below some folder; undefined where it leads out of it. */
export function belowFolder(name: string): string | undefined {
  const below = posix.normalize(name.trim().replaceAll('\\', '/'))
  return below === '.' ||
    below === '..' ||
    below.startsWith('../') ||
    posix.isAbsolute(below) ||
    /^[a-z]:/i.test(below) ||
    below.includes('\0')
    ? undefined
    : below
}

/** Where the file is: names may be composed or not, and lack their extension. */
async function fileAt(folder: string, name: string, root?: string): Promise<string | undefined> {
  const spellings = [...new Set([name, name.normalize('NFC'), name.normalize('NFD')])]
  const extensions = imageKind(name) === 'other' ? ['', ...EXTENSIONS] : ['']
  for (const extension of extensions) {
    for (const spelling of spellings) {
      const path = join(folder, spelling + extension)
      if ((await isWithin(root, path)) && (await stat(path).catch(() => undefined))?.isFile()) return path
    }
  }
  return undefined
}

/** The folders in which images may be, the likeliest first. */
async function foldersFor(folder: string, root?: string): Promise<string[]> {
  const above = dirname(folder)
  const parent = (await isWithin(root, above)) ? above : folder
  const [own, beside] = await Promise.all([foldersIn(folder), foldersIn(parent)])
  const usual = own.filter((name) => FOLDERS.test(name)).map((name) => join(folder, name))
  const usualBeside = beside.filter((name) => FOLDERS.test(name)).map((name) => join(parent, name))
  const entered = await within(root, [...usual, ...usualBeside])
  const nested = await Promise.all(
    entered.map(async (path) =>
      (await foldersIn(path)).filter((name) => FOLDERS.test(name)).map((name) => join(path, name))
    )
  )
  const others = own.map((name) => join(folder, name))
  return within(
    root,
    [...new Set([folder, ...usual, ...usualBeside, parent, ...nested.flat(), ...others])].slice(
      0,
      MAX_FOLDERS
    )
  )
}

/** Those paths whose real ones are within the root. */
async function within(root: string | undefined, paths: string[]): Promise<string[]> {
  const are = await Promise.all(paths.map((path) => isWithin(root, path)))
  return paths.filter((_, i) => are[i])
}

/** Whether something is there whose real path is the root or below it; anything is where there is no root. */
async function isWithin(root: string | undefined, path: string): Promise<boolean> {
  if (root === undefined) return true
  const real = await realpath(path).catch(() => undefined)
  return real !== undefined && isBelow(root, real)
}

/** Whether a real path is that of a folder, or below it. */
export function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort()
}

/** What a format's reader is given. */
interface DatasetSource {
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

/** Why something can't be a caption, or undefined. */
export function captionFault(caption: unknown): string | undefined {
  if (typeof caption !== 'string' || caption.trim() === '') return 'The caption is missing.'
  if (isLonger(caption, MAX_TEXT_LENGTH))
    return `The caption has ${countCharacters(caption)} characters; at most ${MAX_TEXT_LENGTH} are allowed.`
  if (!caption.isWellFormed()) return 'The caption holds an unpaired surrogate, which is not valid text.'
  return undefined
}

/** What is said of one image. */
export interface Described {
  /** Its file; several where it may be at several places. */
  files: string[]
  captions: string[]
}

/** Items of images with their captions, in order. Images that are not there are faults. */
export async function* captionedItems(
  described: Iterable<Described>,
  images: ImageFinder
): AsyncGenerator<CaptionedItem | DatasetFault> {
  for (const { files, captions } of described) {
    const image = await images.find(...files)
    yield 'reason' in image ? image : { id: image.id, image, captions }
  }
}

/** Puts together what is said of the same image on several lines. */
export function addCaptions(byFile: Map<string, Described>, file: string, captions: string[]): void {
  const key = belowFolder(file) ?? file
  const known = byFile.get(key)
  if (known) known.captions.push(...captions)
  else byFile.set(key, { files: [file], captions: [...captions] })
}

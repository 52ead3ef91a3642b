import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { imageKind } from '../../files/image-types.js'
import { type Folder, readFolder } from '../../files/read-folder.js'
import { type Caption, folderCaptions, readSidecar } from './captions.js'
import { type Found, idFault, type Source } from './item.js'
import type { TypeRules } from './table-types.js'

export interface FolderOptions extends TypeRules {
  /** Only files for whose path below the folder this is true. */
  matches?: (below: string) => boolean
  /** How many folders further down such files may be; as deep as it goes by default. */
  depth?: number
  /** Put before each id. */
  prefix: string
  /** Whether the name of the folder that an image lies in is its `label`. */
  label?: boolean
  /** Whether what is said of the images is read; it is by default. */
  captions?: boolean
  textColumn?: string
  /** Whether a file or a folder is left out, by its path below the folder. */
  excludes?: (below: string) => boolean
  /** Told of images of types that are not read. */
  onPassedOver: (name: string) => void
  /** Told of files that are neither images nor said to be about any. */
  onUnknown?: (name: string) => void
}

/** Captions and tables of captions. */
const ABOUT_IMAGES = /(^metadata\.(csv|jsonl)|\.txt)$/i

/** What a folder above says: its captions, by paths that start where it is. */
interface Level {
  below: string
  captions: Map<string, Caption>
}

/**
 * The images of a folder and of all below it, with what is said of them there. Ids are their paths from it.
 */
export function folderSource(root: string, options: FolderOptions): Source {
  return {
    items: walk(root, options, { below: '', levels: [], links: new FolderLinks(root) }),
    isWhole: options.matches === undefined,
    count: (signal) => countImages(root, options, { below: '', signal, links: new FolderLinks(root) })
  }
}

async function* walk(
  path: string,
  options: FolderOptions,
  { below, levels, links }: { below: string; levels: Level[]; links: FolderLinks }
): AsyncGenerator<Found> {
  const folder = await included(path, below, options)
  yield* folder.faults
  const { captions, faults } = await folderCaptions(path, {
    ...options,
    files: options.captions === false ? [] : folder.files
  })
  yield* faults
  const all = captions.size > 0 ? [{ below, captions }, ...levels] : levels
  const texts = options.captions === false ? [] : folder.files.filter((name) => /\.txt$/i.test(name))
  // By their names as they are looked for: cameras write IMG.TXT.
  const sidecars = new Map(texts.map((name) => [name.replace(/\.txt$/i, '.txt'), name]))
  for (const name of folder.files) {
    if (options.matches?.(below + name) === false) continue
    const kind = imageKind(name)
    if (kind === 'read') yield await imageItem(folder, name, { options, sidecars, levels: all })
    else if (kind === 'not-read') options.onPassedOver(name)
    else if (!ABOUT_IMAGES.test(name)) options.onUnknown?.(name)
  }
  for (const name of await foldersToWalk(folder, options, links))
    yield* walk(join(path, name), options, { below: `${below}${name}/`, levels: all, links })
  // Those that were found are gone from the map by now.
  if (!options.matches)
    for (const left of captions.keys())
      yield {
        name: `${below}${left}`,
        reason: 'The metadata of the folder names this file, but it is not an image.'
      }
}

async function imageItem(
  { path, below }: Folder,
  name: string,
  { options, sidecars, levels }: { options: FolderOptions; sidecars: Map<string, string>; levels: Level[] }
): Promise<Found> {
  const place = below + name
  const { id: given, text, metadata } = takeCaption(place, levels)
  const id = options.prefix + (given ?? place).normalize()
  const fault = idFault(id)
  if (fault !== undefined) return { name: place, reason: fault }
  const sidecar = [`${name}.txt`, name.replace(/\.[^.]*$/, '.txt')]
    .map((candidate) => sidecars.get(candidate))
    .find((found) => found !== undefined)
  const label = options.label && below !== '' ? below.split('/').at(-2) : undefined
  const fields = { ...(label !== undefined && { label }), ...metadata }
  try {
    const words = text ?? (sidecar === undefined ? undefined : await readSidecar(join(path, sidecar)))
    return {
      id,
      path: join(path, name),
      ...(words && { text: words }),
      ...(Object.keys(fields).length > 0 && { metadata: fields })
    }
  } catch (error) {
    return {
      id,
      name: `${below}${sidecar}`,
      reason: `The caption can't be read: ${(error as Error).message}`
    }
  }
}

/** What the nearest folder says of a file. */
function takeCaption(place: string, levels: Level[]): Caption {
  for (const { below, captions } of levels) {
    const key = place.slice(below.length).normalize()
    const caption = captions.get(key)
    if (caption) {
      captions.delete(key)
      return caption
    }
  }
  return {}
}

/** What a folder holds, without what is excluded. */
async function included(
  path: string,
  below: string,
  { excludes = () => false }: FolderOptions
): Promise<Folder> {
  const folder = await readFolder(path, below)
  const keep = (names: string[]) => names.filter((name) => !excludes(below + name))
  return { ...folder, files: keep(folder.files), folders: keep(folder.folders), links: keep(folder.links) }
}

/** The folders below a folder, those that links lead to among them. */
async function foldersToWalk(
  { path, below, folders, links: named }: Folder,
  { depth = Infinity }: FolderOptions,
  links: FolderLinks
): Promise<string[]> {
  if (below.split('/').length > depth) return []
  const followed: string[] = []
  for (const name of named) if (await links.follow(join(path, name))) followed.push(name)
  return [...folders, ...followed].sort()
}

interface Counting {
  below: string
  signal: AbortSignal
  links: FolderLinks
}

async function countImages(
  path: string,
  options: FolderOptions,
  { below, signal, links }: Counting
): Promise<number> {
  signal.throwIfAborted()
  const folder = await included(path, below, options)
  let count = folder.files.filter(
    (name) => imageKind(name) === 'read' && options.matches?.(below + name) !== false
  ).length
  for (const name of await foldersToWalk(folder, options, links))
    count += await countImages(join(path, name), options, { below: `${below}${name}/`, signal, links })
  return count
}

/**
 * Decides which links to folders a walk follows: those to a place that it does not come by otherwise, each
 * once. What a link leads to inside of the walked folder is found at its own place, and a link to a folder
 * above leads round.
 */
class FolderLinks {
  readonly #root: string
  /** Where the walk has been, as real paths. */
  #walked: string[] | undefined

  constructor(root: string) {
    this.#root = root
  }

  async follow(link: string): Promise<boolean> {
    this.#walked ??= [await realpath(this.#root)]
    const target = await realpath(link).catch(() => undefined)
    if (target === undefined) return false
    const isKnown = this.#walked.some((place) => isWithin(target, place))
    if (isKnown || isWithin(this.#walked[0], target)) return false
    this.#walked.push(target)
    return true
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

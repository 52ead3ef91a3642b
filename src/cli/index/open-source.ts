import { stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import picomatch from 'picomatch'
import { imageKind } from '../../files/image-types.js'
import { UsageError } from '../exit-codes.js'
import { type FolderOptions, folderSource } from './folder-source.js'
import { type Found, idFault, type Source } from './item.js'
import { tableSource } from './table-source.js'

/** Lines that are records already, of a file or of standard input. */
export interface Lines {
  lines: string
}

type Options = Omit<FolderOptions, 'matches' | 'depth'>

/**
 * Makes out what was named: a folder, a wildcard, images, a table, or lines of records. Throws a UsageError
 * where it is none of these, or does not take what is asked for.
 */
export async function openSource(sources: string[], options: Options): Promise<Source | Lines> {
  if (sources.length > 1) {
    const other = sources.find((name) => imageKind(name) !== 'read')
    if (other !== undefined)
      throw new UsageError(
        `Several sources must all be images, and ${other} is not; run the command for each source.`
      )
    return images(sources, options)
  }
  const [source] = sources
  if (source === '-') return lines(source, options)
  const found = await stat(source).catch(() => undefined)
  if (found?.isDirectory()) return folderSource(resolve(source), options)
  if (found?.isFile() || found?.isFIFO()) {
    if (/(^|[\\/])metadata\.jsonl$/i.test(source)) return table(source, options)
    if (/\.(ndjson|jsonl)$/i.test(source)) return lines(source, options)
    if (/\.(csv|tsv)$/i.test(source)) return table(source, options)
    if (imageKind(source) === 'read') return images(sources, options)
    throw new UsageError(`${source} is not a folder, an image, or a .csv, .tsv, .ndjson or .jsonl file.`)
  }
  const { base, glob, isGlob } = picomatch.scan(source)
  if (!isGlob) throw new UsageError(`${source} does not exist.`)
  return folderSource(resolve(base), { ...options, matches: picomatch(glob), depth: depthOf(glob) })
}

/**
 * How many folders down a wildcard can match at most: only some of its signs stand for more slashes than it
 * has.
 */
function depthOf(glob: string): number {
  return /\*\*|\(|^!/.test(glob) ? Infinity : glob.split('/').length - 1
}

function images(paths: string[], options: Options): Source {
  refuse("Single images can't be used with", {
    '--label': options.label,
    '--text-column': options.textColumn,
    '--types': options.types,
    '--strings': options.strings
  })
  return filesSource(paths, options)
}

function table(path: string, options: Options): Source {
  refuse("A table can't be used with", { '--label': options.label })
  return tableSource(resolve(path), options)
}

function lines(path: string, { prefix, label, textColumn, types, strings }: Options): Lines {
  refuse("Lines of records can't be used with", {
    '--prefix': prefix,
    '--label': label,
    '--text-column': textColumn,
    '--types': types,
    '--strings': strings
  })
  return { lines: path }
}

/** Throws a UsageError where options are given that would be passed over. */
function refuse(whatTakes: string, options: Record<string, string | boolean | object | undefined>): void {
  const given = Object.keys(options).filter((name) => options[name])
  if (given.length > 0) throw new UsageError(`${whatTakes} ${given.join(' or ')}.`)
}

/**
 * Images that are named one by one, as a shell's wildcard does. Ids are their paths from the working
 * directory.
 */
function filesSource(paths: string[], { prefix }: { prefix: string }): Source {
  const ids = paths.map((path) => {
    const below = relative(process.cwd(), resolve(path)).split(sep).join('/')
    if (below.startsWith('../') || isAbsolute(below))
      throw new UsageError(
        `${path} is not below the working directory, which the ids of single files are relative to; ` +
          'name its folder, or put the wildcard in quotes.'
      )
    return prefix + below.normalize()
  })
  return { items: found(paths, ids), count: async () => paths.length }
}

async function* found(paths: string[], ids: string[]): AsyncGenerator<Found> {
  for (const [i, path] of paths.entries()) {
    const reason = idFault(ids[i])
    yield reason === undefined ? { id: ids[i], path: resolve(path) } : { name: path, reason }
  }
}

import { isAbsolute, relative, resolve, sep } from 'node:path'
import { UsageError } from '../exit-codes.js'
import { idFault, type Found, type Source } from './item.js'

/**
 * Images that are named one by one, as a shell's wildcard does. Ids are their paths from the working
 * directory.
 */
export function filesSource(paths: string[], { prefix }: { prefix: string }): Source {
  const ids = paths.map((path) => {
    const below = relative(process.cwd(), resolve(path)).split(sep).join('/')
    if (below.startsWith('../') || isAbsolute(below))
      throw new UsageError(
        `${path} is not below the working directory, from which ids of single files are counted: name ` +
          'its folder, or put the wildcard in quotes.'
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

import { realpath } from 'node:fs/promises'
import { join, posix, relative, sep } from 'node:path'
import { readExternalLocations } from './onnx-file.js'

/**
 * The files that hold weights of a graph outside of it, as paths in the package like `textual/tower.weight`,
 * sorted. `file` is the graph on disk and `path` its path in the package. The graph decides, not the names of
 * files. Throws an Error for a location that is absolute or leaves the package.
 */
export async function externalDataOf(file: string, path: string): Promise<string[]> {
  const locations = await readExternalLocations(file)
  const paths = locations.map((location) => {
    const inside = posix.normalize(posix.join(posix.dirname(path), location))
    const isOutside = /^\.\.?(\/|$)/.test(inside) || inside.endsWith('/')
    if (location === '' || isOutside || /^([/\\]|[a-z]:)|[\\\u0000-\u001f]/i.test(location)) {
      throw new Error(
        `${path} names ${JSON.stringify(location)} as a file of its weights, which is not a path ` +
          'inside the package.'
      )
    }
    return inside
  })
  return [...new Set(paths)].sort()
}

/**
 * The files on disk that hold weights of a package's graph at `path`. Throws an Error that names one that is
 * missing, or that a link has outside of the package.
 */
export async function externalFiles(folder: string, path: string): Promise<string[]> {
  const root = await realpath(folder)
  const files: string[] = []
  for (const inside of await externalDataOf(join(folder, path), path)) {
    const file = join(folder, ...inside.split('/'))
    const real = await realpath(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
      throw new Error(
        `The model package ${folder} lacks ${inside}, which holds weights of ${path}. Pull the model ` +
          'again, or copy the file there.'
      )
    })
    const isOutside = relative(root, real).split(sep)[0] === '..'
    if (isOutside)
      throw new Error(
        `${file}, which holds weights of ${path}, is a link that leads out of the model package. Copy ` +
          'the file there.'
      )
    files.push(file)
  }
  return files
}

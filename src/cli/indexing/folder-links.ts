import { realpath } from 'node:fs/promises'
import { sep } from 'node:path'

/**
 * Decides which links to folders a walk follows: those to a place that it does not come by otherwise, each
 * once. What a link leads to inside of the walked folder is found at its own place, and a link to a folder
 * above leads round.
 */
export class FolderLinks {
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

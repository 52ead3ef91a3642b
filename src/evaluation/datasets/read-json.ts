import { constants } from 'node:buffer'
import { readFile, stat } from 'node:fs/promises'
import { decodeText } from '../../files/utf8.js'
import { isObject } from '../../json/is-object.js'
import { DatasetError } from './dataset.js'

/**
 * What a file of JSON holds. It is read whole: up to 512 MiB, the longest string that there is. Throws a
 * DatasetError.
 */
export async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path)
  if (size > constants.MAX_STRING_LENGTH)
    throw new DatasetError(
      `${path} has ${Math.round(size / 2 ** 20)} MiB; JSON files may have at most 512 MiB. Split it, ` +
        'or write one line of JSON per row.'
    )
  try {
    return JSON.parse(decodeText(await readFile(path)))
  } catch (error) {
    throw new DatasetError(`${path} is not valid JSON: ${(error as Error).message}`)
  }
}

/** An object's fields; none where it is none. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}

/** A list that a document has to have. */
export function listOf(
  document: unknown,
  { key, path }: { key: string; path: string }
): Record<string, unknown>[] {
  const list = fieldsOf(document)[key]
  if (!Array.isArray(list)) throw new DatasetError(`${path} has no list "${key}".`)
  return list.map(fieldsOf)
}

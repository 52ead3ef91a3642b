import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatasetError } from '../dataset-error.js'
import { fieldsOf, readJson } from './read-json.js'

/** Names of classes that are called otherwise in a dataset. */
export const LABEL_NAMES = 'labels.json'

/** What labels.json of a folder calls its classes: `{"n02084071": "dog"}`, as ImageNet needs it. */
export async function labelNames(folder: string): Promise<Map<string, string>> {
  const path = join(folder, LABEL_NAMES)
  if (!existsSync(path)) return new Map()
  const names = Object.entries(fieldsOf(await readJson(path)))
  const wrong = names.find(([, name]) => typeof name !== 'string' || name.trim() === '')
  if (names.length === 0 || wrong) throw new DatasetError(`${path} has to be an object of names by class${wrong ? `, and '${wrong[0]}' has none` : ''}.`)
  return new Map(names as [string, string][])
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { countCharacters, isLonger } from '../../validation/code-points.js'
import { DatasetError } from './dataset.js'
import { fieldsOf, readJson } from './read-json.js'

/** Names of classes that are called otherwise in a dataset. */
export const LABEL_NAMES = 'labels.json'

/** Characters of a label, as the API takes them. */
const MAX_LENGTH = 1000

/** Why something can't be a label, or undefined. */
export function labelFault(label: string): string | undefined {
  return isLonger(label, MAX_LENGTH)
    ? `The label has ${countCharacters(label)} characters; at most ${MAX_LENGTH} are allowed.`
    : undefined
}

/** What labels.json of a folder calls its classes: `{"n02084071": "dog"}`, as ImageNet needs it. */
export async function labelNames(folder: string): Promise<Map<string, string>> {
  const path = join(folder, LABEL_NAMES)
  if (!existsSync(path)) return new Map()
  const names = Object.entries(fieldsOf(await readJson(path)))
  const wrong = names.find(([, name]) => typeof name !== 'string' || name.trim() === '')
  if (names.length === 0 || wrong)
    throw new DatasetError(
      `${path} must be an object with a name for each class${wrong ? `, and '${wrong[0]}' has none` : ''}.`
    )
  const long = (names as [string, string][]).find(([, name]) => labelFault(name) !== undefined)
  if (long) throw new DatasetError(`${path}: ${long[0]}: ${labelFault(long[1])}`)
  return new Map(names as [string, string][])
}

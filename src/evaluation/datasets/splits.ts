import { DatasetError } from './dataset-error.js'

/** What parts of a dataset are called, as Hugging Face's datasets have it. */
const NAMES: Record<string, string[]> = {
  test: ['test', 'testing', 'eval', 'evaluation'],
  validation: ['validation', 'val', 'valid', 'dev'],
  train: ['train', 'training']
}

/** The part that a name stands for, or undefined. */
export function splitOf(name: string): string | undefined {
  return Object.keys(NAMES).find((split) => NAMES[split].includes(name.toLowerCase()))
}

/**
 * Which of the parts that are there is meant: the one that is asked for, or else the first of test,
 * validation and train; undefined for `all`. Throws a DatasetError where there is no such part.
 */
export function chooseSplit(
  there: Iterable<string>,
  { wanted, path }: { wanted?: string; path: string }
): string | undefined {
  const known = new Set(there)
  if (wanted?.toLowerCase() === 'all') return undefined
  const chosen =
    wanted === undefined
      ? [...Object.keys(NAMES), ...known].find((split) => known.has(split))
      : known.has(wanted)
        ? wanted
        : splitOf(wanted)
  if (chosen === undefined || !known.has(chosen))
    throw new DatasetError(
      known.size > 0
        ? `${path} has no split '${wanted ?? 'test'}': there is ${[...known].sort().join(', ')}, or all.`
        : `${path} has no splits: leave out '${wanted}'.`
    )
  return chosen
}

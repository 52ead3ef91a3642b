import { basename, isAbsolute, normalize } from 'node:path'
import type { EvaluateOptions } from './options.js'

/** Options that figures depend on; those of where to write and what to keep are left out. */
const FLAGS = {
  collection: '--collection',
  labelField: '--label-field',
  format: '--format',
  images: '--images',
  split: '--split',
  limit: '--limit',
  tasks: '--tasks',
  model: '--model',
  against: '--against',
  templates: '--templates',
  seed: '--seed',
  resamples: '--resamples',
  confidence: '--confidence',
  duplicates: '--duplicates',
  m: '--m',
  efConstruction: '--ef-construction',
  efSearch: '--ef-search'
} as const satisfies Partial<Record<keyof EvaluateOptions, string>>

/**
 * The command that gives the same figures again, for a POSIX shell, with all options that they depend on.
 * Reports are sent around: of datasets and models that lie outside the working folder only the last name is
 * said.
 */
export function repeatCommand(datasets: string[], options: EvaluateOptions): string {
  const words = Object.entries(FLAGS).flatMap(([name, flag]) => {
    const value = options[name as keyof typeof FLAGS]
    if (value === undefined) return []
    if (name === 'templates') return (value as string[]).flatMap((template) => optionWords(flag, template))
    const text = Array.isArray(value) ? value.join(',') : String(value)
    return optionWords(flag, ['images', 'model', 'against'].includes(name) ? place(text) : text)
  })
  return [
    'semblance',
    'evaluate',
    ...datasets.map((dataset) => place(dataset).replace(/^-/, './-')),
    ...words
  ]
    .map(quoted)
    .join(' ')
}

/** A value that begins with a dash would be taken for an option of its own. */
function optionWords(flag: string, value: string): string[] {
  return value.startsWith('-') ? [`${flag}=${value}`] : [flag, value]
}

function place(path: string): string {
  return isAbsolute(path) || normalize(path).startsWith('..') ? basename(path) : path
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

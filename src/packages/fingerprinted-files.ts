import { join } from 'node:path'
import type { ChosenTowers } from './chosen-towers.js'
import { SUPPLEMENT_FILE, type SettingsFiles } from './layouts.js'

/**
 * The files of a package that its embeddings depend on, as paths on disk: its fingerprint covers these.
 * `paths` are the files of the package, `settings` and `chosen` those that are used.
 */
export function fingerprintedFiles(
  { folder, paths }: { folder: string; paths: string[] },
  settings: SettingsFiles,
  { towers, externalData }: ChosenTowers
): string[] {
  const supplements = paths.includes(SUPPLEMENT_FILE) ? [join(folder, SUPPLEMENT_FILE)] : []
  return [...new Set(Object.values(settings)), ...Object.values(towers), ...externalData, ...supplements]
}

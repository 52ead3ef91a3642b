import { stat } from 'node:fs/promises'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chooseTowers } from '../packages/chosen-towers.js'
import { fingerprintedFiles } from '../packages/fingerprinted-files.js'
import { LAYOUTS, layoutOf, settingsFiles, SUPPLEMENT_FILE, type Layout } from '../packages/layouts.js'
import { packageFiles } from '../packages/list-files.js'
import type { Tower } from '../packages/towers.js'
import type { Variant } from '../packages/variants.js'
import { fingerprint } from './fingerprint.js'
import { readHuggingFace } from './hugging-face-layout.js'
import { readOpenClip } from './open-clip-layout.js'
import { exists } from '../fs/exists.js'
import { readJson } from './package-files.js'
import { FAMILIES, type PackageSettings, type Supplement } from './package-settings.js'

/**
 * A model as the service uses it, read from a folder in one of the layouts. Plain values: it crosses threads.
 */
export interface ModelPackage extends PackageSettings {
  name: string
  folder: string
  layout: Layout
  variant: Variant
  /** The files that its embeddings depend on. */
  files: string[]
  /** SHA-256 over all that its embeddings depend on. */
  fingerprint: string
  /** The ONNX file of each tower. */
  towers: Record<Tower, string>
}

/** The packages that come with the service. */
const EMBEDDED_MODELS = fileURLToPath(new URL('../../models', import.meta.url))

/** Which model is meant: `folder` is read, in `variant` if one is asked for. */
export interface ModelReference {
  name: string
  folder: string
  variant?: string
}

/**
 * Where a model lies: a name under `modelsDir` or among the embedded ones, or a path; `:variant` may follow.
 * A name stays the model's name, a path's last part becomes it.
 */
export async function findModel(model: string, modelsDir: string): Promise<ModelReference> {
  const [, place, variant] = /^(.+?)(?::(\w+))?$/.exec(model)!
  if (isAbsolute(place) || place.startsWith('.'))
    return { name: basename(resolve(place)), folder: resolve(place), variant }
  const folders = [modelsDir, EMBEDDED_MODELS].map((folder) => join(folder, ...place.split('/')))
  return {
    name: place,
    folder: (await exists(folders[0])) ? folders[0] : await firstExisting(folders),
    variant
  }
}

async function firstExisting(folders: string[]): Promise<string> {
  for (const folder of folders) if (await exists(folder)) return folder
  return folders[0]
}

/**
 * Reads a model package, by default in full precision. Throws an Error that names the file or the variant
 * that is missing or wrong.
 */
export async function loadModelPackage(
  folder: string,
  { name = basename(resolve(folder)), variant = 'fp32' }: { name?: string; variant?: string } = {}
): Promise<ModelPackage> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new Error(`The model package ${folder} does not exist.`)
  const supplementFile = join(folder, SUPPLEMENT_FILE)
  const supplement = await readJson<Supplement>(supplementFile, {})
  requireOneOf(FAMILIES, { file: supplementFile, field: 'family', value: supplement.family })
  requireOneOf(LAYOUTS, { file: supplementFile, field: 'layout', value: supplement.layout })
  const paths = await packageFiles(folder)
  const layout = supplement.layout ?? layoutOf(paths)
  const described = settingsFiles(layout, paths, folder)
  const settings =
    layout === 'hugging-face'
      ? await readHuggingFace(described, supplement)
      : await readOpenClip(layout, described, supplement)
  const chosen = await chooseTowers(folder, paths, variant)
  const files = fingerprintedFiles({ folder, paths }, described, chosen)
  return {
    ...settings,
    files,
    name,
    folder,
    layout,
    variant: chosen.variant,
    towers: chosen.towers,
    fingerprint: await fingerprint(folder, files)
  }
}

function requireOneOf(
  known: readonly string[],
  { file, field, value }: { file: string; field: string; value: string | undefined }
): void {
  if (value !== undefined && !known.includes(value))
    throw new Error(`${file}: ${field} must be one of ${known.join(', ')}, not ${JSON.stringify(value)}.`)
}

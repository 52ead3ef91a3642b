import { stat } from 'node:fs/promises'
import { basename, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fingerprint } from './fingerprint.js'
import { readHuggingFace } from './hugging-face-layout.js'
import { readOpenClip } from './open-clip-layout.js'
import { exists, readJson } from './package-files.js'
import type { Preprocessing } from './preprocessing.js'
import type { Variant } from '../packages/variants.js'
import { findTowers, type Towers } from './tower-files.js'

/**
 * A model as the service uses it, read from a folder in one of the layouts. Plain values: it crosses threads.
 */
export interface ModelPackage extends PackageSettings {
  name: string
  folder: string
  layout: Layout
  variant: Variant
  /** SHA-256 over all that its embeddings depend on. */
  fingerprint: string
  /** The ONNX file of each tower. */
  towers: Towers
}

/** What a layout's files say of a model. */
export interface PackageSettings {
  /** What it was trained by: a softmax over the batch (CLIP), or a sigmoid for each pair (SigLIP). */
  family: Family
  /** The files that were read, which the fingerprint covers. */
  files: string[]
  preprocessing: Preprocessing
  text: TextSettings
  zeroShot: ZeroShotSettings
}

const FAMILIES = ['clip', 'siglip'] as const
export type Family = (typeof FAMILIES)[number]
export type Layout = 'hugging-face' | 'open-clip' | 'immich'

export interface TextSettings {
  tokenizer: { tokenizerJson: string; config: string }
  /** What is done to a text before it is tokenized. */
  cleaning: 'none' | 'lowercase' | 'whitespace' | 'canonical'
  /** Longest sequence in tokens, the special ones included. */
  maxTokens: number
  /** The padding where the tokenizer names no padding token. */
  padId: number
  /**
   * Whether every sequence is padded to `maxTokens`; where this is false the tower is asked whether it may be
   * shorter.
   */
  padsToMax: boolean
}

export interface ZeroShotSettings {
  activation: 'softmax' | 'sigmoid'
  /** The factor on the cosine; undefined where the package does not say. */
  logitScale?: number
  logitBias?: number
  /** The prompt template used where a request names none. */
  template: string
}

/** `semblance.json`: what the other files leave out, and what overrides them. */
export interface Supplement {
  layout?: Layout
  family?: Family
  logit_scale?: number
  logit_bias?: number
  template?: string
  max_tokens?: number
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
    throw new Error(`There is no model package ${folder}.`)
  const supplementFile = join(folder, 'semblance.json')
  const supplement = await readJson<Supplement>(supplementFile, {})
  if (supplement.family !== undefined && !FAMILIES.includes(supplement.family)) {
    throw new Error(
      `${supplementFile}: family is ${JSON.stringify(supplement.family)}; it must be one of ` +
        `${FAMILIES.join(', ')}.`
    )
  }
  const layout = supplement.layout ?? (await layoutOf(folder))
  const settings =
    layout === 'hugging-face'
      ? await readHuggingFace(folder, supplement)
      : await readOpenClip(folder, layout, supplement)
  const { towers, externalData, found } = await findTowers(folder, variant)
  const supplements = (await exists(supplementFile)) ? [supplementFile] : []
  const files = [...settings.files, ...Object.values(towers), ...externalData, ...supplements]
  return {
    ...settings,
    files,
    name,
    folder,
    layout,
    variant: found,
    towers,
    fingerprint: await fingerprint(folder, files)
  }
}

/**
 * The layout that a folder's files are in. Where it has both Hugging Face's and OpenCLIP's, the first holds.
 */
async function layoutOf(folder: string): Promise<Layout> {
  const has = (name: string) => exists(join(folder, name))
  if (await has('visual/preprocess_cfg.json')) return 'immich'
  if ((await has('open_clip_config.json')) && !(await has('preprocessor_config.json'))) return 'open-clip'
  return 'hugging-face'
}

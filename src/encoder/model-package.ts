import { access, readFile } from 'node:fs/promises'
import { basename, isAbsolute, join, resolve, sep } from 'node:path'
import { fingerprint } from './fingerprint.js'
import { parsePreprocessing, type Preprocessing } from './preprocessing.js'

/** A model as the service uses it, read from a folder in Hugging Face's layout. Plain values: it crosses threads. */
export interface ModelPackage {
  name: string
  folder: string
  family: 'clip' | 'siglip'
  /** SHA-256 over all that its embeddings depend on. */
  fingerprint: string
  /** The ONNX file of each tower. */
  towers: { image: string; text: string }
  preprocessing: Preprocessing
  text: TextSettings
  zeroShot: ZeroShotSettings
}

export interface TextSettings {
  /** Longest sequence in tokens, the special ones included. */
  maxTokens: number
  padId: number
  /** Whether every sequence is padded to `maxTokens` (SigLIP), rather than to the longest of its batch. */
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

interface ModelConfig {
  model_type?: string
  logit_scale?: number
  logit_bias?: number
  text_config?: { max_position_embeddings?: number; pad_token_id?: number }
}

/** `semblance.json`: what the other files leave out. */
interface Supplement {
  family?: ModelPackage['family']
  logit_scale?: number
  logit_bias?: number
  template?: string
  max_tokens?: number
}

/** CLIP was trained with its logit scale clipped at 100, and every released checkpoint ends there (Radford et al. 2021, 2.5). */
const CLIP_LOGIT_SCALE = 100

/** The folder of a model: a name under `modelsDir`, or a path. */
export function modelFolder(model: string, modelsDir: string): string {
  return isAbsolute(model) || model.startsWith('.') ? resolve(model) : join(modelsDir, ...model.split('/'))
}

/** Reads a model package. Throws an Error that names the file that is missing or wrong. */
export async function loadModelPackage(folder: string): Promise<ModelPackage> {
  const file = (name: string) => join(folder, ...name.split('/'))
  const config = await readJson<ModelConfig>(file('config.json'))
  const supplement = await readJson<Supplement>(file('semblance.json'), {})
  const family = supplement.family ?? familyOf(config.model_type)
  const towers = { image: file('onnx/vision_model.onnx'), text: file('onnx/text_model.onnx') }
  const settings = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'].map(file)
  for (const path of [...settings, towers.image, towers.text]) await requireFile(path)
  const optional = [file('semblance.json'), `${towers.image}_data`, `${towers.text}_data`]
  const present = await Promise.all(optional.map(exists))
  return {
    name: basename(folder.endsWith(sep) ? folder.slice(0, -1) : folder),
    folder,
    family,
    fingerprint: await fingerprint(folder, [...settings, towers.image, towers.text, ...optional.filter((_, i) => present[i])]),
    towers,
    preprocessing: parsePreprocessing(await readJson(file('preprocessor_config.json'))),
    text: textSettings(family, config, supplement),
    zeroShot: zeroShotSettings(family, config, supplement)
  }
}

function familyOf(modelType = 'clip'): ModelPackage['family'] {
  if (/siglip/.test(modelType)) return 'siglip'
  if (/clip/.test(modelType)) return 'clip'
  throw new Error(`config.json: model_type '${modelType}' is not a dual encoder known here; say family in semblance.json.`)
}

function textSettings(family: ModelPackage['family'], { text_config: text }: ModelConfig, supplement: Supplement): TextSettings {
  const maxTokens = supplement.max_tokens ?? text?.max_position_embeddings ?? (family === 'siglip' ? 64 : 77)
  return { maxTokens, padId: text?.pad_token_id ?? (family === 'siglip' ? 1 : 0), padsToMax: family === 'siglip' }
}

function zeroShotSettings(family: ModelPackage['family'], config: ModelConfig, supplement: Supplement): ZeroShotSettings {
  const logitScale = supplement.logit_scale ?? config.logit_scale ?? (family === 'clip' ? CLIP_LOGIT_SCALE : undefined)
  const logitBias = supplement.logit_bias ?? config.logit_bias
  return {
    activation: family === 'siglip' ? 'sigmoid' : 'softmax',
    ...(logitScale !== undefined && { logitScale }),
    ...(logitBias !== undefined && { logitBias }),
    template: supplement.template ?? (family === 'siglip' ? 'This is a photo of {label}.' : 'a photo of a {label}.')
  }
}

async function readJson<T>(path: string, fallback?: T): Promise<T> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch (error) {
    if (fallback !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw new Error(`The model package's ${path} can't be read: ${(error as Error).message}`, { cause: error })
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false)
}

async function requireFile(path: string): Promise<void> {
  if (!(await exists(path))) throw new Error(`The model package lacks ${path}.`)
}

import type { SettingsFiles } from '../packages/layouts.js'
import { readJson, requireFiles } from './package-files.js'
import type { Family, PackageSettings, Supplement, TextSettings } from './package-settings.js'
import { parsePreprocessing } from './preprocessing.js'
import { zeroShotSettings } from './zero-shot-settings.js'

interface ModelConfig {
  model_type?: string
  logit_scale?: number
  logit_bias?: number
  text_config?: { max_position_embeddings?: number; pad_token_id?: number }
}

/** Tokenizers without a limit of their own say 1e30. */
const NO_LIMIT = 1e6

/**
 * Reads the settings of a package in the layout of Hugging Face's ONNX repositories. Throws an Error that
 * names the file at fault.
 */
export async function readHuggingFace(
  files: SettingsFiles,
  supplement: Supplement
): Promise<PackageSettings> {
  const { tokenizer, tokenizerConfig } = files
  await requireFiles(Object.values(files))
  const config = await readJson<ModelConfig>(files.config)
  const family = supplement.family ?? familyOf(config.model_type)
  const { model_max_length: limit } = await readJson<{ model_max_length?: number }>(tokenizerConfig)
  return {
    family,
    preprocessing: parsePreprocessing(await readJson(files.preprocessing)),
    text: {
      ...textSettings(family, { config, limit }, supplement),
      tokenizer: { tokenizerJson: tokenizer, config: tokenizerConfig }
    },
    zeroShot: zeroShotSettings(family, config, supplement)
  }
}

/**
 * The values of model_type by family. Others by a like name (chinese_clip, altclip, xclip) differ in what
 * they are fed.
 */
const MODEL_TYPES: Record<Family, string[]> = {
  clip: ['clip', 'jina_clip', 'mobileclip'],
  siglip: ['siglip', 'siglip2']
}

const FAMILIES = Object.keys(MODEL_TYPES) as Family[]

function familyOf(modelType = 'clip'): Family {
  const family = FAMILIES.find((name) => MODEL_TYPES[name].includes(modelType))
  if (family) return family
  const known = FAMILIES.map((name) => `${name} (${MODEL_TYPES[name].join(', ')})`).join(' and ')
  throw new Error(
    `config.json: model_type '${modelType}' is not a known family; the families are ${known}. If the ` +
      'model has the inputs and scores of one of them, set family in semblance.json.'
  )
}

/** SigLIP read 64 lowercase tokens in training, always, padding included (transformers, Siglip2Tokenizer). */
function textSettings(
  family: Family,
  { config: { text_config: text }, limit }: { config: ModelConfig; limit?: number },
  { max_tokens: asked }: Supplement
): Omit<TextSettings, 'tokenizer'> {
  const limits = [text?.max_position_embeddings, limit].filter(
    (tokens): tokens is number => tokens !== undefined && tokens < NO_LIMIT
  )
  const isSiglip = family === 'siglip'
  return {
    cleaning: isSiglip ? 'lowercase' : 'none',
    maxTokens: asked ?? (limits.length > 0 ? Math.min(...limits) : isSiglip ? 64 : 77),
    padId: text?.pad_token_id ?? (isSiglip ? 1 : 0),
    padsToMax: isSiglip
  }
}

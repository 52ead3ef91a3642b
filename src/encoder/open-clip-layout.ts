import type { Layout, SettingsFiles } from '../packages/layouts.js'
import { readJson, requireFiles } from './package-files.js'
import type { Family, PackageSettings, Supplement, TextSettings } from './package-settings.js'
import { parseOpenClipPreprocessing, type OpenClipPreprocessing } from './preprocessing.js'
import { zeroShotSettings } from './zero-shot-settings.js'

/** OpenCLIP's description of a model (its `model_configs`). */
interface OpenClipModel {
  init_logit_bias?: number
  text_cfg: {
    context_length?: number
    hf_model_name?: string
    hf_tokenizer_name?: string
    no_causal_mask?: boolean
    pool_type?: string
    embed_cls?: boolean
    tokenizer_kwargs?: { clean?: string }
  }
}

interface Described {
  model: OpenClipModel
  preprocessing: OpenClipPreprocessing
}

/**
 * Reads the settings of a package that OpenCLIP describes: in one file (`open_clip_config.json`), or as
 * Immich keeps it. Throws an Error that names the file at fault.
 */
export async function readOpenClip(
  layout: Exclude<Layout, 'hugging-face'>,
  files: SettingsFiles,
  supplement: Supplement
): Promise<PackageSettings> {
  const { model, preprocessing } = layout === 'immich' ? await readImmich(files) : await readOneFile(files)
  const tokenizer = { tokenizerJson: files.tokenizer, config: files.tokenizerConfig }
  await requireFiles(Object.values(tokenizer))
  // Only models that learn by a sigmoid have a bias.
  const family = supplement.family ?? (model.init_logit_bias === undefined ? 'clip' : 'siglip')
  return {
    family,
    // OpenCLIP crops as torchvision does, which rounds the offset; Immich, which floors it, is its own
    // reference.
    preprocessing: parseOpenClipPreprocessing(preprocessing, layout === 'immich' ? 'floor' : 'round'),
    text: { ...textSettings(family, model, supplement), tokenizer },
    zeroShot: zeroShotSettings(family, {}, supplement)
  }
}

async function readOneFile({ config }: SettingsFiles): Promise<Described> {
  const { model_cfg: model, preprocess_cfg: preprocessing } = await readJson<{
    model_cfg?: OpenClipModel
    preprocess_cfg?: OpenClipPreprocessing
  }>(config)
  if (!model?.text_cfg || !preprocessing)
    throw new Error(`The model package's ${config} lacks model_cfg with text_cfg, or preprocess_cfg.`)
  return { model, preprocessing }
}

async function readImmich({ config, preprocessing }: SettingsFiles): Promise<Described> {
  const model = await readJson<OpenClipModel>(config)
  if (!model.text_cfg) throw new Error(`The model package's ${config} lacks text_cfg.`)
  return { model, preprocessing: await readJson(preprocessing) }
}

function textSettings(
  family: Family,
  { text_cfg: text }: OpenClipModel,
  { max_tokens: asked }: Supplement
): Omit<TextSettings, 'tokenizer'> {
  // CLIP's own text tower sees nothing of the padding behind its end of text; others may.
  const isPlain =
    family === 'clip' && !text.hf_model_name && !text.no_causal_mask && !text.pool_type && !text.embed_cls
  return {
    cleaning: cleaningOf(text.tokenizer_kwargs?.clean, family),
    maxTokens: asked ?? text.context_length ?? 77,
    padId: 0,
    padsToMax: !isPlain
  }
}

/**
 * OpenCLIP collapses white space unless a model's tokenizer was told otherwise; those that learned by a
 * sigmoid read canonical text.
 */
function cleaningOf(clean: string | undefined, family: Family): TextSettings['cleaning'] {
  if (clean === 'canonicalize' || (clean === undefined && family === 'siglip')) return 'canonical'
  return clean === 'lower' ? 'lowercase' : 'whitespace'
}

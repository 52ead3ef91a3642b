import type { Variant } from '../variants.js'
import type { RepoFile } from './repo-listing.js'
import { findTowers, isExternalData, TOWERS, variantsOf, type Layout, type TowerFiles } from './towers.js'

/** The settings a package must have in each layout; OpenCLIP's own file stands for those of Hugging Face. */
const REQUIRED: Record<Layout, string[]> = {
  huggingface: ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  immich: ['config.json', 'visual/preprocess_cfg.json', 'textual/tokenizer.json', 'textual/tokenizer_config.json']
}
const OPEN_CLIP = 'open_clip_config.json'

const OPTIONAL: Record<Layout, string[]> = {
  huggingface: ['special_tokens_map.json', OPEN_CLIP],
  immich: ['textual/special_tokens_map.json']
}

/** Cards, licences, and what Semblance adds to a package, in either layout. */
const ANYWHERE = /^(README\.md|LICEN[CS]E[\w-]*(\.(md|txt))?|semblance\.json|golden\.json|golden\/.+)$/i

/**
 * The files of a repository that a package of these variants needs: towers with their external data, and settings.
 * Throws an Error that says what the repository has instead.
 */
export function selectFiles(files: RepoFile[], variants: Variant[]): RepoFile[] {
  const paths = files.map(({ path }) => path)
  const found = findTowers(paths)
  if (!found) throw new Error(`The repository has no towers (onnx/vision_model.onnx and onnx/text_model.onnx, or visual/model.onnx and textual/model.onnx): ${whatElse(paths)}.`)
  const graphs = variants.flatMap((variant) => graphsOf(found.files, variant))
  const wanted = new Set([...REQUIRED[found.layout], ...OPTIONAL[found.layout]])
  const lacking = REQUIRED[found.layout].filter((path) => !paths.includes(path))
  if (lacking.length > 0 && !paths.includes(OPEN_CLIP)) throw new Error(`The repository has towers but lacks ${lacking.join(', ')}, without which they can't be used.`)
  return files.filter(({ path }) => wanted.has(path) || ANYWHERE.test(path) || graphs.some((graph) => path === graph || isExternalData(path, graph)))
}

function graphsOf(files: TowerFiles, variant: Variant): string[] {
  return TOWERS.map((tower) => {
    const path = files[tower][variant]
    if (path) return path
    const has = TOWERS.map((name) => `${name}: ${variantsOf(files, name).join(', ') || 'none'}`).join('; ')
    throw new Error(`The repository has no ${tower} tower in variant ${variant}. It has ${has}.`)
  })
}

/** What a repository without towers holds, and what to do about it. */
function whatElse(paths: string[]): string {
  const onnx = paths.filter((path) => path.endsWith('.onnx'))
  const whole = onnx.filter((path) => /(^|\/)model[\w]*\.onnx$/.test(path))
  if (whole.length > 0) return `it has ${shown(whole)}, both towers in one graph; take a repository that has them apart`
  if (onnx.length > 0) return `its ONNX files are ${shown(onnx)}`
  const weights = paths.filter((path) => /\.(safetensors|bin|pt|pth|msgpack|h5)$/.test(path))
  if (weights.length > 0) return `it has no ONNX files, only ${shown(weights)}; take a repository with an ONNX export, or export it yourself`
  return paths.length === 0 ? 'it is empty' : `it has no ONNX files among its ${paths.length} files`
}

const shown = (paths: string[]) => paths.slice(0, 3).join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')

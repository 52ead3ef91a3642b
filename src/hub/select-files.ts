import type { Variant } from '../packages/variants.js'
import type { RepoFile } from './repo-listing.js'
import {
  describeTowers,
  describeWholeModel,
  findTowers,
  missingTower,
  TOWERS,
  type SettingsLayout,
  type TowerFiles
} from '../packages/layouts.js'

/** The settings a package must have in each layout; OpenCLIP's own file stands for those of Hugging Face. */
const REQUIRED: Record<SettingsLayout, string[]> = {
  huggingface: ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  immich: [
    'config.json',
    'visual/preprocess_cfg.json',
    'textual/tokenizer.json',
    'textual/tokenizer_config.json'
  ]
}
const OPEN_CLIP = 'open_clip_config.json'

const OPTIONAL: Record<SettingsLayout, string[]> = {
  huggingface: ['special_tokens_map.json', OPEN_CLIP],
  immich: ['textual/special_tokens_map.json']
}

/** Cards, licences, and what Semblance adds to a package, in either layout. */
const ANYWHERE = /^(README\.md|LICEN[CS]E[\w-]*(\.(md|txt))?|semblance\.json|golden\.json|golden\/.+)$/i

/** What a package of some variants consists of, but for the files of weights, which the graphs name. */
export interface Selection {
  /** The towers' ONNX files. */
  graphs: RepoFile[]
  /** Settings and cards. */
  settings: RepoFile[]
}

/**
 * The files of a repository that a package of these variants needs, without those that its graphs name.
 * Throws an Error that says what the repository has instead.
 */
export function selectFiles(files: RepoFile[], variants: Variant[]): Selection {
  const paths = files.map(({ path }) => path)
  const found = findTowers(paths)
  if (!found)
    throw new Error(
      'The repository has no towers (onnx/vision_model.onnx and onnx/text_model.onnx, or ' +
        `visual/model.onnx and textual/model.onnx): ${whatElse(paths)}.`
    )
  const graphs = new Set(variants.flatMap((variant) => graphsOf(found.files, variant)))
  const wanted = new Set([...REQUIRED[found.layout], ...OPTIONAL[found.layout]])
  const lacking = REQUIRED[found.layout].filter((path) => !paths.includes(path))
  if (lacking.length > 0 && !paths.includes(OPEN_CLIP))
    throw new Error(
      `The repository has towers but lacks ${lacking.join(', ')}, without which they can't be used.`
    )
  return {
    graphs: files.filter(({ path }) => graphs.has(path)),
    settings: files.filter(({ path }) => wanted.has(path) || ANYWHERE.test(path))
  }
}

/**
 * The files of weights that a graph names, among those of the repository. Throws an Error that names one it
 * lacks.
 */
export function selectWeights(files: RepoFile[], graph: string, weights: string[]): RepoFile[] {
  return weights.map((path) => {
    const file = files.find((listed) => listed.path === path)
    if (!file)
      throw new Error(
        `The repository lacks ${path}, which holds weights of ${graph}: the model can't be used. Take ` +
          'another repository, or another variant.'
      )
    return file
  })
}

function graphsOf(files: TowerFiles, variant: Variant): string[] {
  const missing = missingTower(files)
  if (missing) {
    const other = TOWERS.find((tower) => tower !== missing)
    throw new Error(
      `The repository has the ${other} tower alone, and no ${missing} tower: take a repository that ` +
        `has both. It has ${describeTowers(files)}.`
    )
  }
  return TOWERS.map((tower) => {
    const path = files[tower][variant]
    if (path) return path
    throw new Error(
      `The repository has no ${tower} tower in variant ${variant}. It has ${describeTowers(files)}.`
    )
  })
}

/** What a repository without towers holds, and what to do about it. */
function whatElse(paths: string[]): string {
  const onnx = paths.filter((path) => path.endsWith('.onnx'))
  const whole = describeWholeModel(paths)
  if (whole) return `it has ${whole}; take a repository that has an image and a text tower apart`
  if (onnx.length > 0) return `its ONNX files are ${shown(onnx)}`
  const weights = paths.filter((path) => /\.(safetensors|bin|pt|pth|msgpack|h5)$/.test(path))
  if (weights.length > 0)
    return (
      `it has no ONNX files, only ${shown(weights)}; take a repository with an ONNX export, or ` +
      'export it yourself'
    )
  return paths.length === 0 ? 'it is empty' : `it has no ONNX files among its ${paths.length} files`
}

const shown = (paths: string[]) =>
  paths.slice(0, 3).join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')

import { completeLayout, isCard, missingSettings, settingsAndExtras } from '../packages/layouts.js'
import {
  describeTowers,
  describeWholeModel,
  findTowers,
  missingTower,
  OTHER_TOWERS,
  TOWERS,
  USUAL_TOWERS,
  type TowerFiles
} from '../packages/towers.js'
import type { Variant } from '../packages/variants.js'
import type { RepoFile } from './repo-listing.js'

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
    throw new Error(`The repository has no towers (${USUAL_TOWERS}, or ${OTHER_TOWERS}): ${whatElse(paths)}.`)
  const graphs = new Set(variants.flatMap((variant) => graphsOf(found.files, variant)))
  const layout = completeLayout(found.layout, paths)
  if (!layout)
    throw new Error(
      `The repository has towers, but lacks ${missingSettings(found.layout, paths).join(', ')}, which ` +
        'they need.'
    )
  const settings = new Set(settingsAndExtras(layout, paths))
  return {
    graphs: files.filter(({ path }) => graphs.has(path)),
    settings: files.filter(({ path }) => settings.has(path) || isCard(path))
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
        `The repository lacks ${path}, which holds weights of ${graph}, so the model can't be used. ` +
          'Use another repository, or another variant.'
      )
    return file
  })
}

function graphsOf(files: TowerFiles, variant: Variant): string[] {
  const missing = missingTower(files)
  if (missing) {
    const other = TOWERS.find((tower) => tower !== missing)
    throw new Error(
      `The repository has only the ${other} tower and no ${missing} tower; use a repository that has ` +
        `both. It has ${describeTowers(files)}.`
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
  if (whole) return `it has ${whole}; use a repository that has separate image and text towers`
  if (onnx.length > 0) return `its ONNX files are ${shown(onnx)}`
  const weights = paths.filter((path) => /\.(safetensors|bin|pt|pth|msgpack|h5)$/.test(path))
  if (weights.length > 0)
    return (
      `it has no ONNX files, only ${shown(weights)}; use a repository with an ONNX export, or ` +
      'export the model yourself'
    )
  return paths.length === 0 ? 'it is empty' : `it has no ONNX files among its ${paths.length} files`
}

const shown = (paths: string[]) =>
  paths.slice(0, 3).join(', ') + (paths.length > 3 ? ` and ${paths.length - 3} more` : '')

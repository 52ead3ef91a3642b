import type { Layout } from './layouts.js'
import { VARIANTS, type Variant } from './variants.js'

export type Tower = 'image' | 'text'
export const TOWERS: Tower[] = ['image', 'text']

/** The ONNX file of each tower and variant. */
export type TowerFiles = Record<Tower, Partial<Record<Variant, string>>>

interface Place {
  /** The layout that a package with its towers here has as a rule. */
  layout: Layout
  /** The towers' files without variant and ending. */
  stems: Record<Tower, string>
}

/** Where packages have their towers. */
const PLACES: Place[] = [
  { layout: 'hugging-face', stems: { image: 'onnx/vision_model', text: 'onnx/text_model' } },
  { layout: 'immich', stems: { image: 'visual/model', text: 'textual/model' } },
  { layout: 'hugging-face', stems: { image: 'vision_model', text: 'text_model' } }
]

const [usual, other] = PLACES.map(({ stems }) => TOWERS.map((tower) => `${stems[tower]}.onnx`))

/** Places of towers as messages name them: `onnx/vision_model.onnx and onnx/text_model.onnx`. */
export const USUAL_TOWERS = usual.join(' and ')
export const OTHER_TOWERS = other.join(' and ')

/** The usual name of a tower's file: `vision_model.onnx`. */
export function usualName(tower: Tower): string {
  return split(usual[TOWERS.indexOf(tower)])[1]
}

/** The towers of a package, or of a repository, by the paths of its files. */
export interface FoundTowers {
  layout: Layout
  files: TowerFiles
}

/**
 * The towers among paths: of the first place that has both, else of the first that has one; undefined where
 * none has any.
 */
export function findTowers(paths: string[]): FoundTowers | undefined {
  const present = new Set(paths)
  const found = PLACES.map(({ layout, stems }) => ({
    layout,
    files: { image: variantsAt(stems.image, present), text: variantsAt(stems.text, present) }
  }))
  const has = ({ files }: FoundTowers, tower: Tower) => variantsOf(files, tower).length > 0
  return (
    found.find((place) => TOWERS.every((tower) => has(place, tower))) ??
    found.find((place) => TOWERS.some((tower) => has(place, tower)))
  )
}

/** `model.onnx`, `model_fp16.onnx`, or `fp16/model.onnx`; the first that is there counts. */
function variantsAt(stem: string, present: Set<string>): Partial<Record<Variant, string>> {
  const [folder, name] = split(stem)
  const entries = VARIANTS.flatMap((variant) => {
    const paths =
      variant === 'fp32' ? [`${stem}.onnx`] : [`${stem}_${variant}.onnx`, `${folder}${variant}/${name}.onnx`]
    const path = paths.find((candidate) => present.has(candidate))
    return path ? [[variant, path] as const] : []
  })
  return Object.fromEntries(entries)
}

/** The folder of a path, with its `/`, and the name in it. */
function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/') + 1
  return [path.slice(0, slash), path.slice(slash)]
}

/** The variants in which a tower is there. */
export function variantsOf(files: TowerFiles, tower: Tower): Variant[] {
  return Object.keys(files[tower]) as Variant[]
}

/** What a package has: `image tower fp32, fp16; text tower fp32`. */
export function describeTowers(files: TowerFiles): string {
  return TOWERS.map((tower) => `${tower} tower ${variantsOf(files, tower).join(', ') || 'none'}`).join('; ')
}

/** The tower that is missing where the other is there; undefined where both or none are. */
export function missingTower(files: TowerFiles): Tower | undefined {
  const missing = TOWERS.filter((tower) => variantsOf(files, tower).length === 0)
  return missing.length === 1 ? missing[0] : undefined
}

/** Whether a path is a graph or the weights of one, in a folder where a layout has them. */
export function isTowerFile(path: string): boolean {
  const graph = /^(.*\.onnx)((_data|\.data)(_\d+)?)?$/.exec(path)?.[1]
  if (graph === undefined) return false
  return PLACES.flatMap(({ stems }) => Object.values(stems)).some((stem) => {
    const [folder, name] = split(stem)
    return folder === '' ? new RegExp(`^${name}\\w*\\.onnx$`).test(graph) : graph.startsWith(folder)
  })
}

/**
 * Whether a file holds weights of a graph by its name: `model.onnx_data`, `model.onnx.data` and parts of
 * these. Only the graph itself tells for certain.
 */
export function isLikelyWeights(path: string, graph: string): boolean {
  return path.startsWith(graph) && /^[._]data/.test(path.slice(graph.length))
}

/**
 * What ONNX files other than towers are: a file by the name of a whole model may hold both towers or one of
 * them. Undefined where no file has such a name.
 */
export function describeWholeModel(paths: string[]): string | undefined {
  const whole = paths.filter((path) => /(^|\/)model\w*\.onnx$/.test(path))
  if (whole.length === 0) return undefined
  const shown = whole.slice(0, 3).join(', ') + (whole.length > 3 ? ` and ${whole.length - 3} more` : '')
  return (
    `${shown}, which ${whole.length === 1 ? 'is' : 'are'} one graph: a model with a single tower, ` +
    'or both towers in one'
  )
}

import { VARIANTS, type Variant } from './variants.js'

export type Tower = 'image' | 'text'
export const TOWERS: Tower[] = ['image', 'text']

/** The ONNX file of each tower and variant, relative to the package's folder. */
export type TowerFiles = Record<Tower, Partial<Record<Variant, string>>>

/** Where the settings of a package lie: beside `onnx/`, or in the towers' own folders. */
export type SettingsLayout = 'huggingface' | 'immich'

interface Place {
  layout: SettingsLayout
  /** The towers' files without variant and ending. */
  stems: Record<Tower, string>
}

/** Where packages have their towers. Pulling, verifying and loading all go by this list. */
const PLACES: Place[] = [
  { layout: 'huggingface', stems: { image: 'onnx/vision_model', text: 'onnx/text_model' } },
  { layout: 'immich', stems: { image: 'visual/model', text: 'textual/model' } },
  { layout: 'huggingface', stems: { image: 'vision_model', text: 'text_model' } }
]

/** The towers of a package, or of a repository, by the paths of its files. */
export interface FoundTowers {
  layout: SettingsLayout
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
  const slash = stem.lastIndexOf('/') + 1
  const [folder, name] = [stem.slice(0, slash), stem.slice(slash)]
  const entries = VARIANTS.flatMap((variant) => {
    const paths =
      variant === 'fp32' ? [`${stem}.onnx`] : [`${stem}_${variant}.onnx`, `${folder}${variant}/${name}.onnx`]
    const path = paths.find((candidate) => present.has(candidate))
    return path ? [[variant, path] as const] : []
  })
  return Object.fromEntries(entries)
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
  return /^((onnx|visual|textual)\/.*|(vision|text)_model\w*)\.onnx((_data|\.data)(_\d+)?)?$/.test(path)
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
    `${shown}, which ${whole.length === 1 ? 'is' : 'are'} one graph: a model of one tower, or ` +
    'both towers in one'
  )
}

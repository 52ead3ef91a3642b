import { VARIANTS, type Variant } from '../variants.js'

export type Tower = 'vision' | 'text'
export type Layout = 'huggingface' | 'immich'

/** The ONNX files of each tower and variant in one layout. */
export type TowerFiles = Record<Tower, Partial<Record<Variant, string>>>

const suffix = (variant: Variant) => (variant === 'fp32' ? '' : `_${variant}`)

/** Where a layout keeps a tower of a variant; the first that is there counts. */
const PLACES: Record<Layout, (tower: Tower, variant: Variant) => string[]> = {
  huggingface: (tower, variant) => [`onnx/${tower}_model${suffix(variant)}.onnx`],
  immich: (tower, variant) => {
    const folder = tower === 'vision' ? 'visual' : 'textual'
    return [`${folder}/model${suffix(variant)}.onnx`, ...(variant === 'fp32' ? [] : [`${folder}/${variant}/model.onnx`])]
  }
}

export const TOWERS: Tower[] = ['vision', 'text']

/** The towers that a list of paths holds, in the layout of which it has any; undefined where it has none. */
export function findTowers(paths: string[]): { layout: Layout; files: TowerFiles } | undefined {
  const present = new Set(paths)
  for (const layout of Object.keys(PLACES) as Layout[]) {
    const files: TowerFiles = { vision: {}, text: {} }
    for (const tower of TOWERS) {
      for (const variant of VARIANTS) {
        const path = PLACES[layout](tower, variant).find((place) => present.has(place))
        if (path) files[tower][variant] = path
      }
    }
    if (TOWERS.some((tower) => variantsOf(files, tower).length > 0)) return { layout, files }
  }
  return undefined
}

/** The variants in which a tower is there. */
export function variantsOf(files: TowerFiles, tower: Tower): Variant[] {
  return Object.keys(files[tower]) as Variant[]
}

/** Whether a path holds weights of the graph at `graph` outside of it. */
export function isExternalData(path: string, graph: string): boolean {
  return path.startsWith(graph) && /^(_data|\.data)(_\d+)?$/.test(path.slice(graph.length))
}

/** Whether a path is a graph or the weights of one, in a folder where a layout has them. */
export function isTowerFile(path: string): boolean {
  return /^(onnx|visual|textual)\/.*\.onnx((_data|\.data)(_\d+)?)?$/.test(path)
}

import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { VARIANTS, type Variant } from '../variants.js'

/** The ONNX file of each tower. */
export type Towers = Record<'image' | 'text', string>

/** Where the layouts have their towers, without variant and ending. */
const PLACES: Towers[] = [
  { image: 'onnx/vision_model', text: 'onnx/text_model' },
  { image: 'visual/model', text: 'textual/model' },
  { image: 'vision_model', text: 'text_model' }
]

/**
 * Finds the towers of a package in one variant, with the files of weights beside them. Throws an Error that names the
 * variants which each tower has.
 */
export async function findTowers(folder: string, variant: string): Promise<{ towers: Towers; externalData: string[]; found: Variant }> {
  const wanted = VARIANTS.find((name) => name === variant)
  if (!wanted) throw new Error(`There is no variant '${variant}' of models; variants are ${VARIANTS.join(', ')}.`)
  const present = await Promise.all(PLACES.map(async (place) => ({ image: await variantsOf(join(folder, place.image)), text: await variantsOf(join(folder, place.text)) })))
  const complete = present.find(({ image, text }) => image.size > 0 && text.size > 0)
  if (!complete) throw new Error(await lackOfTowers(folder, present))
  const [image, text] = [complete.image.get(wanted), complete.text.get(wanted)]
  if (!image || !text) throw new Error(`The model package ${folder} has no variant ${wanted} of ${image ? 'the text tower' : text ? 'the image tower' : 'its towers'}. ${describe(complete)} Choose by MODEL_VARIANT.`)
  const externalData = (await Promise.all([image, text].map(weightsBeside))).flat()
  return { towers: { image, text }, externalData, found: wanted }
}

type Present = Record<keyof Towers, Map<Variant, string>>

/** The files of one tower by variant: `model.onnx`, `model_fp16.onnx`, or `fp16/model.onnx`. */
async function variantsOf(stem: string): Promise<Map<Variant, string>> {
  const [folder, name] = [dirname(stem), basename(stem)]
  const entries = await readdir(folder, { recursive: true }).catch(() => [])
  const files = new Set(entries)
  return new Map(VARIANTS.flatMap((variant) => {
    const names = variant === 'fp32' ? [`${name}.onnx`] : [`${name}_${variant}.onnx`, join(variant, `${name}.onnx`)]
    const file = names.find((candidate) => files.has(candidate))
    return file ? [[variant, join(folder, file)] as const] : []
  }))
}

function describe({ image, text }: Present): string {
  const names = (variants: Map<Variant, string>) => [...variants.keys()].join(', ') || 'nothing'
  return `There is: image tower ${names(image)}; text tower ${names(text)}.`
}

async function lackOfTowers(folder: string, present: Present[]): Promise<string> {
  const half = present.find(({ image, text }) => image.size + text.size > 0)
  if (half) return `The model package ${folder} lacks ${half.image.size > 0 ? 'its text tower (text_model.onnx)' : 'its image tower (vision_model.onnx)'}. ${describe(half)}`
  const whole = (await readdir(folder, { recursive: true })).find((file) => /(^|[\\/])model\w*\.onnx$/.test(file))
  const hint = whole ? ` It has both towers in one graph (${whole}); export them apart, as vision_model.onnx and text_model.onnx.` : ''
  return `The model package ${folder} lacks its towers, ${PLACES[0].image}.onnx and ${PLACES[0].text}.onnx.${hint}`
}

/** Weights over 2 GB lie outside their graph: model.onnx_data, model.onnx_data_1, model.onnx.data. */
async function weightsBeside(tower: string): Promise<string[]> {
  const name = basename(tower)
  const files = await readdir(dirname(tower))
  return files.filter((file) => file.startsWith(`${name}_data`) || file.startsWith(`${name}.data`)).map((file) => join(dirname(tower), file))
}

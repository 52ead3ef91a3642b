import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { externalFiles } from '../packages/external-data.js'
import {
  describeTowers,
  describeWholeModel,
  findTowers as findAmong,
  missingTower
} from '../packages/layouts.js'
import { VARIANTS, type Variant } from '../packages/variants.js'

/** The ONNX file of each tower. */
export type Towers = Record<'image' | 'text', string>

/**
 * Finds the towers of a package in one variant, with the files that hold weights of theirs. Throws an Error
 * that names the variants which each tower has, or the file of weights that is missing.
 */
export async function findTowers(
  folder: string,
  variant: string
): Promise<{ towers: Towers; externalData: string[]; found: Variant }> {
  const wanted = VARIANTS.find((name) => name === variant)
  if (!wanted)
    throw new Error(`There is no variant '${variant}' of models; variants are ${VARIANTS.join(', ')}.`)
  const paths = (await readdir(folder, { recursive: true })).map((path) => path.split(sep).join('/'))
  const among = findAmong(paths)
  if (!among) throw new Error(lackOfTowers(folder, paths))
  const { image, text } = { image: among.files.image[wanted], text: among.files.text[wanted] }
  if (!image || !text) {
    const missing = missingTower(among.files)
    const has = `There is: ${describeTowers(among.files)}.`
    if (missing)
      throw new Error(
        `The model package ${folder} lacks its ${missing} tower (${FILE_NAMES[missing]}). ${has}`
      )
    const lacking = image ? 'the text tower' : text ? 'the image tower' : 'its towers'
    throw new Error(
      `The model package ${folder} has no variant ${wanted} of ${lacking}. ${has} Choose by MODEL_VARIANT.`
    )
  }
  const externalData = (await Promise.all([image, text].map((path) => externalFiles(folder, path)))).flat()
  return {
    towers: { image: join(folder, image), text: join(folder, text) },
    externalData: [...new Set(externalData)],
    found: wanted
  }
}

const FILE_NAMES = { image: 'vision_model.onnx', text: 'text_model.onnx' }

function lackOfTowers(folder: string, paths: string[]): string {
  const whole = describeWholeModel(paths)
  const hint = whole
    ? ` It has ${whole}. Export the towers apart, as ${FILE_NAMES.image} and ${FILE_NAMES.text}.`
    : ''
  return (
    `The model package ${folder} lacks its towers, onnx/${FILE_NAMES.image} and ` +
    `onnx/${FILE_NAMES.text}.${hint}`
  )
}

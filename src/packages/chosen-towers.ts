import { join } from 'node:path'
import { externalFiles } from './external-data.js'
import {
  describeTowers,
  describeWholeModel,
  findTowers,
  missingTower,
  USUAL_TOWERS,
  usualName,
  type Tower
} from './towers.js'
import { VARIANTS, type Variant } from './variants.js'

/** The towers of a package on disk in one variant. */
export interface ChosenTowers {
  variant: Variant
  /** The ONNX file of each tower. */
  towers: Record<Tower, string>
  /** The files that hold weights of them. */
  externalData: string[]
}

/**
 * Finds the towers of a package in one variant, with the files that hold weights of theirs; `paths` are the
 * files of the package. Throws an Error that names the variants which each tower has, or the file of weights
 * that is missing.
 */
export async function chooseTowers(folder: string, paths: string[], variant: string): Promise<ChosenTowers> {
  const wanted = VARIANTS.find((name) => name === variant)
  if (!wanted) throw new Error(`There is no variant '${variant}'; the variants are ${VARIANTS.join(', ')}.`)
  const found = findTowers(paths)
  if (!found) throw new Error(lackOfTowers(folder, paths))
  const { image, text } = { image: found.files.image[wanted], text: found.files.text[wanted] }
  if (!image || !text) {
    const missing = missingTower(found.files)
    const has = `It has: ${describeTowers(found.files)}.`
    if (missing)
      throw new Error(
        `The model package ${folder} lacks its ${missing} tower (${usualName(missing)}). ${has}`
      )
    const lacking = image ? 'the text tower' : text ? 'the image tower' : 'its towers'
    throw new Error(
      `The model package ${folder} has no variant ${wanted} of ${lacking}. ${has} Choose one with ` +
        'MODEL_VARIANT.'
    )
  }
  const externalData = (await Promise.all([image, text].map((path) => externalFiles(folder, path)))).flat()
  return {
    variant: wanted,
    towers: { image: join(folder, image), text: join(folder, text) },
    externalData: [...new Set(externalData)]
  }
}

function lackOfTowers(folder: string, paths: string[]): string {
  const whole = describeWholeModel(paths)
  const hint = whole
    ? ` It has ${whole}. Export the towers separately, as ${usualName('image')} and ${usualName('text')}.`
    : ''
  return `The model package ${folder} lacks its towers, ${USUAL_TOWERS}.${hint}`
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GOLDEN_FILE } from '../packages/layouts.js'
import { cosine } from './embedding.js'
import type { Encoder } from './encoder.js'
import { readJson } from './package-files.js'
import { loadTokenizer } from './tokenizer.js'

/** `golden.json` of a package: inputs, and what the reference implementation gives for them. */
interface Golden {
  texts?: { text: string; input_ids?: number[]; embedding: number[] }[]
  /** `file` is relative to the package. */
  images?: { file: string; embedding: number[] }[]
}

/**
 * How a package's encoder compares with its reference. Cosines are the least over all inputs, 1 where there
 * are none.
 */
export interface GoldenReport {
  texts: number
  images: number
  /** Texts whose token ids differ. */
  otherTokens: number
  textCosine: number
  imageCosine: number
}

/**
 * Holds an encoder to its package's golden values; undefined where it has none. Throws what stops the
 * encoder.
 */
export async function checkGolden(encoder: Encoder): Promise<GoldenReport | undefined> {
  const { model } = encoder
  const golden = await readJson<Golden>(join(model.folder, GOLDEN_FILE), {})
  if (!golden.texts && !golden.images) return undefined
  const { texts = [], images = [] } = golden
  const { tokenize } = await loadTokenizer(model, model.text.maxTokens)
  const otherTokens = texts.filter(
    ({ text, input_ids: ids }) => ids && String(tokenize(text)) !== String(ids)
  ).length
  const ofTexts = await Promise.all(
    encoder.encodeTexts(
      texts.map(({ text }) => text),
      { lane: 'bulk' }
    )
  )
  const files = await Promise.all(images.map(({ file }) => readFile(join(model.folder, file))))
  const ofImages = await Promise.all(encoder.encodeImages(files, { lane: 'bulk' }))
  return {
    texts: texts.length,
    images: images.length,
    otherTokens,
    textCosine: leastCosine(texts, ofTexts),
    imageCosine: leastCosine(images, ofImages)
  }
}

/** Golden embeddings may be only their leading values. */
function leastCosine(golden: { embedding: number[] }[], embeddings: Float32Array[]): number {
  const cosines = golden.map(({ embedding }, i) => {
    const [a, b] = [Float32Array.from(embedding), embeddings[i].subarray(0, embedding.length)]
    return cosine(a, b) / Math.sqrt(cosine(a, a) * cosine(b, b))
  })
  return Math.min(1, ...cosines)
}

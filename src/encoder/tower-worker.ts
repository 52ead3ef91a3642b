import { createHash } from 'node:crypto'
import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threading/thread-pool.js'
import { cosine } from './embedding.js'
import type { Execution } from './execution-profile.js'
import type { ModelPackage } from './model-package.js'
import type { SessionSettings } from './session.js'
import { loadTokenizer } from './tokenizer.js'
import { openTowers, type TextTower } from './tower.js'
import { LONGEST_RUN_MS, type MeasuredRun } from './tuning.js'

/** What a tower thread starts from. */
export interface TowerWorkerSettings {
  model: ModelPackage
  session: SessionSettings
}

/** What ran the towers of a thread at its warm-up. */
export type Executions = Record<'image' | 'text', Execution>

/** A text of common length. */
const SAMPLE = 'a photo of two small dogs'
/** Under this cosine padding is taken to matter; the dynamic ranges of 8-bit towers move it by less. */
const SAME = 0.999

// A worker thread that holds both towers, warmed up before it takes calls.
const { model, session } = workerData as TowerWorkerSettings
const [imageTower, textTower] = await openTowers(model, session)
const { tokenize, padId } = await loadTokenizer(model, textTower.maxTokens)
const { width, height } = model.preprocessing.crop
await imageTower.run([new Uint8Array(3 * width * height)])
const padding = { id: padId, toMax: model.text.padsToMax || (await paddingMatters(textTower)) }
await textTower.run([tokenize('')], padding)
const executions: Executions = { image: await imageTower.execution(), text: await textTower.execution() }

/**
 * Whether a sequence padded to the longest gives another embedding than the sequence by itself. Towers with a
 * causal or an attention mask don't see the padding, and shorter sequences are several times faster; others
 * were trained with it (SigLIP, most of MobileCLIP), which their files don't say.
 */
async function paddingMatters(tower: TextTower): Promise<boolean> {
  const sequence = [tokenize(SAMPLE)]
  const [padded] = await tower.run(sequence, { id: padId, toMax: true })
  const [short] = await tower.run(sequence, { id: padId, toMax: false }).catch(() => [])
  return !short || cosine(padded, short) < SAME
}

/** Crops (8-bit RGB, the package's size) to embeddings. */
export const encodeImages = handler((crops: Uint8Array[]) => imageTower.run(crops))
/**
 * Texts to embeddings, with the tokens that were read: how many, and a digest that equal ones share. They are
 * tokenized here: a long one takes milliseconds, which the HTTP thread has not.
 */
export const encodeTexts = handler(async (texts: string[]) => {
  const sequences = texts.map(tokenize)
  const embeddings = await textTower.run(sequences, padding)
  return embeddings.map((embedding, i) => ({
    embedding,
    tokens: sequences[i].length,
    digest: digestOf(sequences[i])
  }))
})

function digestOf(sequence: Int32Array): string {
  return createHash('sha1').update(sequence).digest('base64')
}

/**
 * The quickest of three runs of each size, up to the first size that gains nothing, or after which runs would
 * take too long.
 */
export const measureBatches = handler(
  async ({ tower, sizes }: { tower: 'image' | 'text'; sizes: number[] }): Promise<MeasuredRun[]> => {
    const [crop, sequence] = [new Uint8Array(3 * width * height), tokenize(SAMPLE)]
    const run = (size: number) =>
      tower === 'image'
        ? imageTower.run(Array(size).fill(crop))
        : textTower.run(Array(size).fill(sequence), padding)
    const runs: MeasuredRun[] = []
    for (const size of sizes) {
      let ms = Infinity
      for (let i = 0; i < 3; i++) {
        const startedAt = performance.now()
        await run(size)
        ms = Math.min(ms, performance.now() - startedAt)
      }
      runs.push({ size, ms })
      const rate = size / ms
      if (2 * ms > LONGEST_RUN_MS || runs.some((other) => other.size / other.ms > rate)) break
    }
    return runs
  }
)

reportReady(executions)

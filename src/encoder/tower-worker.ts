import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threads.js'
import type { ModelPackage } from './model-package.js'
import { loadTokenizer } from './tokenizer.js'
import { openImageTower, openTextTower } from './tower.js'

/** What a tower thread starts from. */
export interface TowerWorkerSettings {
  model: ModelPackage
  /** Threads of ONNX Runtime in this thread's sessions. */
  ortThreads: number
  executionProviders: string[]
}

// A worker thread that holds both towers, warmed up by one run each before it takes calls.
const { model, ortThreads, executionProviders } = workerData as TowerWorkerSettings
const settings = { threads: ortThreads, executionProviders }
const [imageTower, textTower, tokenize] = await Promise.all([
  openImageTower(model, settings),
  openTextTower(model, settings),
  loadTokenizer(model)
])
const { width, height } = model.preprocessing.crop
await imageTower.run([new Uint8Array(3 * width * height)])
await textTower.run([Int32Array.of(model.text.padId, model.text.padId)])

/** Crops (8-bit RGB, the package's size) to embeddings. */
export const encodeImages = handler((crops: Uint8Array[]) => imageTower.run(crops))
/** Texts to embeddings. They are tokenized here: a long one takes milliseconds, which the HTTP thread has not. */
export const encodeTexts = handler((texts: string[]) => textTower.run(texts.map(tokenize)))
/** Tokens of texts that the model reads, special ones included. */
export const countTokens = handler((texts: string[]) => texts.reduce((sum, text) => sum + tokenize(text).length, 0))

reportReady()

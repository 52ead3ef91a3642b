import { InferenceSession, Tensor } from 'onnxruntime-node'
import { EncoderFailed } from '../errors.js'
import { normalise, type Embedding } from './embedding.js'
import type { ModelPackage } from './model-package.js'
import { writePixelValues } from './preprocess.js'

/** One ONNX graph with its inputs made from what the encoder hands over. Runs block the calling thread. */
export interface Tower<Input> {
  run(inputs: Input[]): Promise<Embedding[]>
  release(): Promise<void>
}

export interface SessionSettings {
  /** Intra-op threads of ONNX Runtime. */
  threads: number
  /** Execution providers in order of preference. One whose libraries are missing fails the start. */
  executionProviders: string[]
}

/** The vision tower: 8-bit RGB crops of the package's size in, L2-normalised embeddings out. */
export async function openImageTower(model: ModelPackage, settings: SessionSettings): Promise<Tower<Uint8Array>> {
  const session = await openSession(model.towers.image, settings)
  const { width, height } = model.preprocessing.crop
  const length = 3 * width * height
  return {
    run: (crops) => {
      const values = new Float32Array(crops.length * length)
      crops.forEach((crop, i) => writePixelValues(crop, model.preprocessing, values.subarray(i * length, (i + 1) * length)))
      return embed(session, { pixel_values: new Tensor('float32', values, [crops.length, 3, height, width]) })
    },
    release: () => session.release()
  }
}

/** The text tower: token ids in, L2-normalised embeddings out. Sequences are padded to the longest where it may be. */
export async function openTextTower(model: ModelPackage, settings: SessionSettings): Promise<Tower<Int32Array>> {
  const session = await openSession(model.towers.text, settings)
  const fixedLength = fixedSequenceLength(session) ?? (model.text.padsToMax ? model.text.maxTokens : undefined)
  return {
    run: (sequences) => {
      const length = fixedLength ?? Math.max(...sequences.map((ids) => ids.length))
      const shape = [sequences.length, length]
      const ids = new Int32Array(sequences.length * length).fill(model.text.padId)
      const mask = new Int32Array(sequences.length * length)
      sequences.forEach((sequence, i) => {
        ids.set(sequence, i * length)
        mask.fill(1, i * length, i * length + sequence.length)
      })
      return embed(session, {
        input_ids: integers(session, { name: 'input_ids', values: ids, shape }),
        attention_mask: integers(session, { name: 'attention_mask', values: mask, shape })
      })
    },
    release: () => session.release()
  }
}

function openSession(path: string, { threads, executionProviders }: SessionSettings): Promise<InferenceSession> {
  return InferenceSession.create(path, {
    executionProviders,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3
  })
}

/** The sequence length that the graph insists on, if its second axis is a number. */
function fixedSequenceLength(session: InferenceSession): number | undefined {
  const input = session.inputMetadata.find(({ name }) => name === 'input_ids')
  const axis = input?.isTensor ? input.shape[1] : undefined
  return typeof axis === 'number' ? axis : undefined
}

/** A tensor of the integer type that the graph declares for an input: int64 as exported, int32 in some packages. */
function integers(session: InferenceSession, input: { name: string; values: Int32Array; shape: number[] }): Tensor {
  const declared = session.inputMetadata.find(({ name }) => name === input.name)
  if (declared?.isTensor && declared.type === 'int32') return new Tensor('int32', input.values, input.shape)
  return new Tensor('int64', BigInt64Array.from(input.values, BigInt), input.shape)
}

/** Runs a session on the inputs it lists and copies its rows out: ORT's own buffers can't be transferred. */
async function embed(session: InferenceSession, candidates: Record<string, Tensor>): Promise<Embedding[]> {
  const missing = session.inputNames.filter((name) => !(name in candidates))
  if (missing.length > 0) throw new Error(`The tower asks for inputs that are not known: ${missing.join(', ')}.`)
  const inputs = Object.fromEntries(session.inputNames.map((name) => [name, candidates[name]]))
  const outputs = await session.run(inputs)
  const name = ['image_embeds', 'text_embeds', 'pooler_output'].find((candidate) => candidate in outputs)
  if (!name) throw new Error(`The tower has none of the outputs image_embeds, text_embeds, pooler_output, but ${session.outputNames.join(', ')}.`)
  const { data, dims } = outputs[name]
  const dimension = dims[1]
  return Array.from({ length: dims[0] }, (_, row) => {
    const embedding = normalise((data as Float32Array).slice(row * dimension, (row + 1) * dimension))
    // Towers of few bits overflow on some inputs; such a vector would spoil every search it met.
    if (!embedding.every(Number.isFinite)) throw new EncoderFailed()
    return embedding
  })
}
